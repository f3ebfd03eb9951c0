//! Which rules are asked: all, unless the user wants some only, or some not.

use super::Rule;
use super::catalogue::{RULES, find};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `None` for all.
    only: Option<Vec<&'static str>>,
    without: Vec<&'static str>,
}

impl Selection {
    /// Only these are asked, whatever was selected or left out before.
    pub fn select<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
        self.only = Some(named(names)?);
        self.without.clear();
        Ok(())
    }

    /// These are not asked.
    pub fn ignore<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
        self.without.extend(named(names)?);
        Ok(())
    }

    /// The rules that are asked, in the order of the catalogue.
    pub fn rules(&self) -> Vec<&'static Rule> {
        RULES.iter().copied().filter(|rule| self.has(rule.name)).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&name)) && !self.without.contains(&name)
    }
}

fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<&'static str>, String> {
    let rule = |name: &str| find(name).map(|rule| rule.name).map_err(|near| unknown(name, &near));
    names.into_iter().map(str::trim).map(rule).collect()
}

/// That there is no rule of that name, and which may have been meant.
pub fn unknown(name: &str, near: &[&str]) -> String {
    match near {
        [] => format!("there is no rule '{name}'; `pymemscope rules` lists them"),
        near => format!("there is no rule '{name}'; did you mean {}?", near.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(selection: &Selection) -> Vec<&'static str> {
        selection.rules().iter().map(|rule| rule.name).collect()
    }

    #[test]
    fn all_are_asked_but_those_left_out() {
        let mut selection = Selection::default();
        assert_eq!(selection.rules().len(), RULES.len());
        selection.ignore(["large-list"]).unwrap();
        assert_eq!(selection.rules().len(), RULES.len() - 1);
        assert!(!names(&selection).contains(&"large-list"));
    }

    #[test]
    fn a_later_selection_replaces_what_was_said_before() {
        let mut selection = Selection::default();
        selection.ignore(["large-list"]).unwrap();
        selection.select(["numeric-list", " large-list"]).unwrap();
        assert_eq!(names(&selection), ["large-list", "numeric-list"]);
        selection.ignore(["numeric-list"]).unwrap();
        assert_eq!(names(&selection), ["large-list"]);
    }

    #[test]
    fn a_slip_is_answered_with_the_name_that_comes_near() {
        let refused = Selection::default().select(["large-lst"]);
        assert_eq!(
            refused.unwrap_err(),
            "there is no rule 'large-lst'; did you mean large-list?"
        );
        let refused = Selection::default().ignore(["zebra"]);
        assert_eq!(
            refused.unwrap_err(),
            "there is no rule 'zebra'; `pymemscope rules` lists them"
        );
    }
}
