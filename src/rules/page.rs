//! A rule's page: the documentation at the head of its file, which is its only source.

use super::Rule;

/// The headings that every page has, in this order.
pub const HEADINGS: [&str; 4] = ["What it measures", "What it looks at", "Why it matters", "How to fix"];

impl Rule {
    /// The documentation at the head of the rule's file, as Markdown.
    pub fn page(&self) -> String {
        let mut page = String::new();
        for line in self.source.lines() {
            let Some(text) = line.strip_prefix("//!") else {
                break;
            };
            page.push_str(text.strip_prefix(' ').unwrap_or(text));
            page.push('\n');
        }
        page
    }

    /// The page's first sentence, without the full stop: what the rule is about, in one line.
    pub fn headline(&self) -> String {
        let page = self.page();
        page.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
    }

    /// What stands under the page's first heading, on one line.
    pub fn measures(&self) -> String {
        let page = self.page();
        let mut lines = page.lines().skip_while(|line| !line.starts_with("# ")).skip(1);
        let text: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("# ")).collect();
        text.join(" ").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::catalogue::RULES;

    #[test]
    fn every_page_has_all_headings_in_order_and_code_before_and_after() {
        for rule in RULES {
            let page = rule.page();
            let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# ")).collect();
            assert_eq!(headings, HEADINGS, "in the page of {}", rule.name);
            assert!(
                page.matches("```python\n").count() >= 2,
                "{} shows code before and after",
                rule.name
            );
            let empty = page
                .split("\n# ")
                .skip(1)
                .find(|section| section.lines().skip(1).all(|line| line.is_empty()));
            assert_eq!(empty, None, "in the page of {}", rule.name);
        }
    }

    #[test]
    fn what_a_rule_measures_is_told_in_one_line() {
        for rule in RULES {
            let measures = rule.measures();
            assert!(
                measures.len() > 40 && !measures.contains(['\n', '#']),
                "{}: {measures}",
                rule.name
            );
            assert!(measures.ends_with('.'), "{}: {measures}", rule.name);
        }
    }

    #[test]
    fn every_headline_is_one_sentence_on_one_line() {
        for rule in RULES {
            let page = rule.page();
            let mut lines = page.lines();
            assert!(
                lines.next().is_some_and(|line| line.ends_with('.')),
                "headline of {}",
                rule.name
            );
            assert_eq!(
                lines.next(),
                Some(""),
                "an empty line after the headline of {}",
                rule.name
            );
        }
    }
}
