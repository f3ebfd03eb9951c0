//! One cause once: what two rules say of the same object is said in one finding.

use rustc_hash::{FxHashMap, FxHashSet};

use super::finding::{Finding, Severity};
use super::path::is_inside;
use super::{growing_container, large_list, large_temporary, numeric_list};

/// Joins what is said of a large list to what is said of its growth, which is the cause of its size; what an array would
/// save is claimed once, for its numbers; and of what a call is done with nothing else is said.
pub fn join(findings: Vec<Finding>) -> Vec<Finding> {
    let findings = without_parts_of_temporaries(findings);
    let (lists, mut others): (Vec<Finding>, Vec<Finding>) = findings
        .into_iter()
        .partition(|finding| finding.rule == large_list::RULE.name);
    let growing: FxHashMap<u64, usize> = (others.iter().enumerate())
        .filter(|(_, finding)| finding.rule == growing_container::RULE.name)
        .map(|(place, finding)| (finding.object.address, place))
        .collect();
    let numeric: FxHashSet<u64> = (others.iter())
        .filter(|finding| finding.rule == numeric_list::RULE.name)
        .map(|finding| finding.object.address)
        .collect();
    for mut list in lists {
        if numeric.contains(&list.object.address) {
            list.severity = Severity::Info;
            list.saving_bytes = None;
        }
        match growing
            .get(&list.object.address)
            .and_then(|&place| others.get_mut(place))
        {
            Some(growth) => add(growth, list),
            None => others.push(list),
        }
    }
    others
}

/// Leaves out what is found on an object that goes with a variable which is never read again, or on a part of it.
fn without_parts_of_temporaries(findings: Vec<Finding>) -> Vec<Finding> {
    let is_temporary = |finding: &&Finding| finding.rule == large_temporary::RULE.name;
    let temporaries: Vec<String> = (findings.iter().filter(is_temporary))
        .map(|finding| finding.object.path.clone())
        .collect();
    let is_part = |finding: &Finding| {
        let path = finding.object.path.as_str();
        let is_same = |other: &String| path == other && !is_temporary(&finding);
        temporaries.iter().any(|other| is_same(other) || is_inside(path, other))
    };
    findings.into_iter().filter(|finding| !is_part(finding)).collect()
}

/// The graver view counts, and the larger saving; the evidence is that of both.
fn add(growth: &mut Finding, list: Finding) {
    growth.severity = growth.severity.max(list.severity);
    growth.saving_bytes = growth.saving_bytes.max(list.saving_bytes);
    growth.advice = format!("{} {}", growth.advice, list.advice);
    for (name, fact) in list.evidence {
        let is_threshold = name.starts_with("threshold_");
        if !is_threshold && growth.evidence.iter().all(|(known, _)| *known != name) {
            growth.evidence.push((name, fact));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::{Container, ContainerKind};
    use crate::rules::fake_heap::{container, judged};
    use crate::rules::finding::{Confidence, Fact, Object};

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

    fn finding(rule: &'static str, path: &str) -> Finding {
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
}
