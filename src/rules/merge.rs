//! One cause once: what several rules say of the same bytes is said in one finding.

use super::finding::{Fact, Finding};
use super::path::{alike, is_inside};
use super::{
    Rule, copied, duplicate_strings, growing_container, large_list, large_temporary, missing_slots, needless_copy,
    numeric_list, record_dicts, sparse_container,
};

/// Leaves of all findings about the same bytes the one that names the cause.
///
/// A rule says that objects should not be there any more, that data takes more room than it must in this form, or that
/// something grows. Where the first is said, the form of the same objects does not matter. Where one holder is found inside
/// another, the inner one is the cause when most of the outer one's bytes are its own, and else the outer one. What grows is
/// told with the cause, if that is known.
pub fn join(findings: Vec<Finding>) -> Vec<Finding> {
    let findings = without_explained(findings);
    let findings = copied::without_copied(findings);
    let findings = without_explained_lists(findings);
    with_growth(findings)
}

/// What a rule's findings say of their objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They should not be there.
    Kept,
    /// They take more room than they must.
    Form,
    Growth,
}

pub fn kind(finding: &Finding) -> Kind {
    const FORMS: [&Rule; 7] = [
        &duplicate_strings::RULE,
        &large_list::RULE,
        &missing_slots::RULE,
        &needless_copy::RULE,
        &numeric_list::RULE,
        &record_dicts::RULE,
        &sparse_container::RULE,
    ];
    match finding.rule {
        rule if rule == growing_container::RULE.name => Kind::Growth,
        rule if FORMS.iter().any(|form| form.name == rule) => Kind::Form,
        _ => Kind::Kept,
    }
}

/// Where the objects are whose bytes a finding speaks of, with keys and places among others left out.
pub fn place(finding: &Finding) -> String {
    let mut evidence = finding.evidence.iter();
    let first = evidence.find_map(|(name, fact)| match fact {
        Fact::Text(path) if matches!(*name, "such_as" | "held_as") => Some(path),
        _ => None,
    });
    alike(first.unwrap_or(&finding.object.path))
}

/// A finding that others may explain.
struct Claim {
    rule: &'static str,
    kind: Kind,
    place: String,
    saving: Option<u64>,
}

impl Claim {
    fn of(finding: &Finding) -> Claim {
        Claim {
            rule: finding.rule,
            kind: kind(finding),
            place: place(finding),
            saving: finding.saving_bytes,
        }
    }

    /// Whether all that `other` saves goes with these objects.
    fn saves_what(&self, other: &Claim) -> bool {
        other
            .saving
            .is_none_or(|saving| self.saving.is_some_and(|own| own >= saving))
    }

    /// Whether the holder that it is about is most of what an outer one keeps, and so the cause of it.
    fn is_most_of(&self, outer: &Claim) -> bool {
        let both = self.saving.zip(outer.saving);
        self.rule != outer.rule && both.is_some_and(|(own, all)| own >= all - all / 4)
    }

    /// Whether it is said already with `cause`.
    fn is_explained_by(&self, cause: &Claim) -> bool {
        if cause.kind != Kind::Kept || self.kind == Kind::Growth {
            return false;
        }
        let is_same = self.place == cause.place && !self.place.is_empty();
        let is_part = is_inside(&self.place, &cause.place);
        let is_temporary = |claim: &Claim| claim.rule == large_temporary::RULE.name;
        match self.kind {
            Kind::Form => (is_same || is_part) && cause.saves_what(self),
            _ if is_same => is_temporary(cause) && !is_temporary(self),
            _ if is_part => !self.is_most_of(cause) && cause.saves_what(self),
            _ => is_inside(&cause.place, &self.place) && cause.is_most_of(self),
        }
    }
}

fn without_explained(findings: Vec<Finding>) -> Vec<Finding> {
    let claims: Vec<Claim> = findings.iter().map(Claim::of).collect();
    let is_explained = |claim: &&Claim| claims.iter().any(|cause| claim.is_explained_by(cause));
    let stays: Vec<bool> = claims.iter().map(|claim| !is_explained(&claim)).collect();
    let mut stays = stays.into_iter();
    findings.into_iter().filter(|_| stays.next().unwrap_or(true)).collect()
}

/// Leaves out lists that are large by what they keep where something else says more of that: of numbers, of what is in them.
/// Those of so many items are large whatever these are.
fn without_explained_lists(findings: Vec<Finding>) -> Vec<Finding> {
    let (lists, mut others): (Vec<Finding>, Vec<Finding>) = findings
        .into_iter()
        .partition(|finding| finding.rule == large_list::RULE.name);
    let claims: Vec<Claim> = others.iter().map(Claim::of).collect();
    let says_more = |claim: &Claim, list: &Finding| {
        let place = alike(&list.object.path);
        claim.kind != Kind::Growth
            && (claim.place == place || is_inside(&claim.place, &place))
            && claim.saving.is_some()
            && claim.saving >= list.saving_bytes
    };
    let is_explained = |list: &Finding| !large_list::is_long(list) && claims.iter().any(|claim| says_more(claim, list));
    others.extend(lists.into_iter().filter(|list| !is_explained(list)));
    others
}

/// Tells what grows with its cause, and of a large list with its growth.
fn with_growth(findings: Vec<Finding>) -> Vec<Finding> {
    let (growing, mut others): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| kind(finding) == Kind::Growth);
    for mut growth in growing {
        let growing = alike(&growth.object.path);
        let is_same = |other: &&mut Finding| {
            let is_of_items = kind(other) == Kind::Kept && is_inside(&place(other), &growing);
            is_of_items && other.object.address == growth.object.address
        };
        if let Some(cause) = others.iter_mut().find(is_same) {
            cause.severity = cause.severity.max(growth.severity);
            add_evidence(cause, growth.evidence);
            continue;
        }
        let is_list =
            |other: &Finding| other.object.address == growth.object.address && other.rule == large_list::RULE.name;
        if let Some(place) = others.iter().position(is_list) {
            add_list(&mut growth, others.swap_remove(place));
        }
        others.push(growth);
    }
    others
}

/// The graver view counts, and the larger saving; the evidence is that of both.
fn add_list(growth: &mut Finding, list: Finding) {
    growth.severity = growth.severity.max(list.severity);
    growth.saving_bytes = growth.saving_bytes.max(list.saving_bytes);
    growth.advice = format!("{} {}", growth.advice, list.advice);
    add_evidence(growth, list.evidence);
}

fn add_evidence(finding: &mut Finding, evidence: Vec<(&'static str, Fact)>) {
    for (name, fact) in evidence {
        let is_threshold = name.starts_with("threshold_");
        if !is_threshold && finding.evidence.iter().all(|(known, _)| *known != name) {
            finding.evidence.push((name, fact));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::heap::{Container, ContainerKind};
    use crate::rules::fake_heap::{container, judged};
    use crate::rules::finding::{Confidence, Object, Severity};

    #[test]
    fn a_large_list_that_grows_is_one_finding() {
        let list = |path| Container {
            item_types: vec![("builtins.float".into(), 200_000)],
            ..container(path, ContainerKind::List, 200_000)
        };
        let found = judged(&[
            (list("a.GROWING"), &[180_000, 190_000, 200_000]),
            (list("a.STILL"), &[200_000, 200_000, 200_000]),
        ]);
        let rules: Vec<(&str, &str)> = found
            .iter()
            .map(|each| (each.rule, each.object.path.as_str()))
            .collect();
        assert_eq!(rules.len(), 2, "{found:?}");
        assert!(rules.contains(&("growing-container", "a.GROWING")) && rules.contains(&("large-list", "a.STILL")));
        let growing = found.iter().find(|each| each.rule == "growing-container").unwrap();
        assert_eq!(growing.severity, Severity::Warning);
        assert!(growing.advice.contains("array.array('d')"), "{}", growing.advice);
        let facts: Vec<&str> = growing.evidence.iter().map(|(name, _)| *name).collect();
        assert!(
            facts.contains(&"item_types") && facts.contains(&"items_per_minute"),
            "{facts:?}"
        );
        assert!(growing.evidence.iter().any(|(_, fact)| matches!(fact, Fact::Counts(_))));
    }

    pub fn finding(rule: &'static str, path: &str) -> Finding {
        Finding {
            rule,
            severity: Severity::Warning,
            confidence: Confidence::Certain,
            summary: String::new(),
            advice: String::new(),
            location: None,
            object: Object {
                address: 0,
                type_name: "builtins.list".into(),
                length: 0,
                bytes: 0,
                retained_bytes: 0,
                path: path.to_owned(),
            },
            evidence: Vec::new(),
            saving_bytes: None,
        }
    }

    #[test]
    fn of_what_a_call_is_done_with_nothing_else_is_said() {
        let joined = join(vec![
            finding("large-list", "thread a > main() > rows"),
            finding("record-dicts", "thread a > main() > rows[0].parts"),
            finding("large-temporary", "thread a > main() > rows"),
            finding("large-temporary", "thread a > main() > rows[3] > wait() > data"),
            finding("large-list", "thread a > main() > rows_read"),
        ]);
        let left: Vec<(&str, &str)> = joined
            .iter()
            .map(|each| (each.rule, each.object.path.as_str()))
            .collect();
        let expected = [
            ("large-temporary", "thread a > main() > rows"),
            ("large-list", "thread a > main() > rows_read"),
        ];
        assert_eq!(left, expected);
    }

    fn saving(rule: &'static str, path: &str, bytes: u64) -> Finding {
        Finding {
            saving_bytes: Some(bytes),
            ..finding(rule, path)
        }
    }

    fn rules(findings: Vec<Finding>) -> Vec<&'static str> {
        join(findings).iter().map(|each| each.rule).collect()
    }

    #[test]
    fn the_form_of_what_should_not_be_there_does_not_matter() {
        let records = || saving("record-dicts", "a.ERRORS[7].traceback > rows", 600);
        let elsewhere = || saving("record-dicts", "a.ERRORS_SEEN", 600);
        let kept = |bytes| Finding {
            evidence: vec![("such_as", Fact::Text("a.ERRORS[0]".to_owned()))],
            ..saving("captured-reference", "a.ERRORS", bytes)
        };
        assert_eq!(rules(vec![records(), kept(900)]), ["captured-reference"]);
        assert_eq!(rules(vec![elsewhere(), kept(900)]).len(), 2);
        // Something else keeps the records as well.
        assert_eq!(rules(vec![records(), kept(500)]).len(), 2);
    }

    #[test]
    fn the_inner_holder_is_the_cause_when_it_has_most_of_the_bytes() {
        let app = || saving("large-temporary", "thread a > main() > app", 1_000);
        let tasks = |bytes| saving("finished-tasks", "thread a > main() > app.tasks", bytes);
        assert_eq!(rules(vec![app(), tasks(900)]), ["finished-tasks"]);
        assert_eq!(rules(vec![app(), tasks(300)]), ["large-temporary"]);
        assert_eq!(rules(vec![app(), tasks(1_300)]), ["finished-tasks"]);
    }

    #[test]
    fn of_a_list_that_another_rule_explains_nothing_else_is_said() {
        let list = || Finding {
            evidence: vec![("threshold_items", Fact::Number(100_000))],
            ..saving("large-list", "a.ROWS", 700)
        };
        assert_eq!(
            rules(vec![list(), saving("numeric-list", "a.ROWS", 5_000)]),
            ["numeric-list"]
        );
        assert_eq!(
            rules(vec![list(), saving("record-dicts", "a.ROWS[0].parts", 5_000)]),
            ["record-dicts"]
        );
        assert_eq!(rules(vec![list(), saving("record-dicts", "a.OTHERS", 5_000)]).len(), 2);
        assert_eq!(
            rules(vec![list(), saving("growing-container", "b.ROWS", 5_000)]).len(),
            1
        );
    }

    #[test]
    fn a_long_list_is_one_whatever_it_holds() {
        let mut list = Finding {
            evidence: vec![("threshold_items", Fact::Number(100_000))],
            ..saving("large-list", "a.ROWS", 700)
        };
        list.object.length = 100_000;
        let numbers = saving("numeric-list", "a.ROWS", 5_000);
        assert_eq!(rules(vec![list, numbers]), ["numeric-list", "large-list"]);
    }

    #[test]
    fn growth_is_told_with_its_cause() {
        let growth = Finding {
            evidence: vec![("items_per_minute", Fact::Real(6.0))],
            severity: Severity::Error,
            ..saving("growing-container", "a.TASKS", 400)
        };
        let tasks = Finding {
            evidence: vec![("such_as", Fact::Text("a.TASKS[0]".to_owned()))],
            ..saving("finished-tasks", "a.TASKS", 5_000)
        };
        let found = join(vec![growth, tasks]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((finding.rule, finding.severity), ("finished-tasks", Severity::Error));
        assert_eq!(finding.evidence.last(), Some(&("items_per_minute", Fact::Real(6.0))));
    }
}
