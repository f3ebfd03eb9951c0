//! One cause once: what two rules say of the same object is said in one finding.

use rustc_hash::{FxHashMap, FxHashSet};

use super::finding::{Finding, Severity};
use super::{growing_container, large_list, numeric_list};

/// Joins what is said of a large list to what is said of its growth, which is the cause of its size; what an array would
/// save is claimed once, for its numbers.
pub fn join(findings: Vec<Finding>) -> Vec<Finding> {
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
    use crate::heap::{Container, ContainerKind};
    use crate::rules::fake_heap::{container, judged};
    use crate::rules::finding::{Fact, Severity};

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
}
