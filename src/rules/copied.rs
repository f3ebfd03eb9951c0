//! What is said of copies: when these are not needed, it does not matter what form they have.

use super::finding::{Fact, Finding};
use super::merge::{Kind, kind, place};
use super::path::{alike, is_inside};
use super::{duplicate_strings, missing_slots, needless_copy};

/// Leaves out what takes more room than it must where most of it is copied without need, and goes with the copies. The form
/// of the original stays a finding.
pub fn without_copied(findings: Vec<Finding>) -> Vec<Finding> {
    let is_deep = |finding: &&Finding| finding.rule == needless_copy::RULE.name && text(finding, "deep") == Some("yes");
    let copies = findings.iter().filter(is_deep).map(|finding| {
        let paths = text(finding, "paths").unwrap_or_default();
        let places: Vec<String> = paths.split(", ").map(alike).collect();
        (places, finding.saving_bytes)
    });
    let copies: Vec<(Vec<String>, Option<u64>)> = copies.collect();
    let is_copied = |finding: &Finding| {
        let place = place(finding);
        // Instances are counted wherever they are.
        let originals = usize::from(finding.rule != missing_slots::RULE.name);
        let is_within = |places: &[String]| places.iter().skip(originals).any(|copy| is_inside(&place, copy));
        copies
            .iter()
            .any(|(places, saving)| finding.saving_bytes <= *saving && is_within(places))
    };
    let is_form = |finding: &Finding| {
        let other = [duplicate_strings::RULE.name, needless_copy::RULE.name];
        kind(finding) == Kind::Form && !other.contains(&finding.rule)
    };
    findings
        .into_iter()
        .filter(|finding| !(is_form(finding) && is_copied(finding)))
        .collect()
}

/// A piece of evidence that is text.
fn text<'a>(finding: &'a Finding, wanted: &str) -> Option<&'a str> {
    let fact = finding.evidence.iter().find(|(name, _)| *name == wanted);
    fact.and_then(|(_, fact)| match fact {
        Fact::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::merge::tests::finding;

    fn saving(rule: &'static str, path: &str, bytes: u64) -> Finding {
        Finding {
            saving_bytes: Some(bytes),
            ..finding(rule, path)
        }
    }

    fn rules_left(findings: Vec<Finding>) -> Vec<&'static str> {
        without_copied(findings).iter().map(|each| each.rule).collect()
    }

    #[test]
    fn the_form_of_what_is_copied_without_need_goes_with_the_copies() {
        let copies = || Finding {
            evidence: vec![
                ("deep", Fact::Text("yes".to_owned())),
                ("paths", Fact::Text("a.SHEET, a.UNDO[0], a.UNDO[1]".to_owned())),
            ],
            ..saving("needless-copy", "a.SHEET", 6_000)
        };
        let records = |path| saving("record-dicts", path, 2_000);
        let slots = || Finding {
            evidence: vec![("held_as", Fact::Text("a.SHEET[0]".to_owned()))],
            ..saving("missing-slots", "a.Cell", 3_000)
        };
        assert_eq!(
            rules_left(vec![copies(), records("a.UNDO[3][7].style"), slots()]),
            ["needless-copy"]
        );
        assert_eq!(rules_left(vec![copies(), records("a.SHEET[7].style")]).len(), 2);
        assert_eq!(
            rules_left(vec![copies(), saving("record-dicts", "a.UNDO[3][7].style", 7_000)]).len(),
            2
        );
    }
}
