//! The list of all rules. A rule that stands here is run, listed and explained.

use super::{
    Rule, buffered_response, captured_reference, context_variable, counting_dict, cycle_with_finalizer,
    django_prefetch, django_queryset_cache, django_values_list, duplicate_strings, finished_tasks, growing_container,
    large_list, large_temporary, list_as_queue, list_iterated_once, list_membership, missing_slots, mutable_default,
    needless_copy, numeric_list, record_dicts, request_in_module, sparse_container, string_building, unbounded_cache,
    unclosed_resource,
};
use crate::spelling::distance;

pub const RULES: &[&Rule] = &[
    &buffered_response::RULE,
    &captured_reference::RULE,
    &context_variable::RULE,
    &counting_dict::RULE,
    &cycle_with_finalizer::RULE,
    &django_prefetch::RULE,
    &django_queryset_cache::RULE,
    &django_values_list::RULE,
    &duplicate_strings::RULE,
    &finished_tasks::RULE,
    &growing_container::RULE,
    &large_list::RULE,
    &large_temporary::RULE,
    &list_as_queue::RULE,
    &list_iterated_once::RULE,
    &list_membership::RULE,
    &missing_slots::RULE,
    &mutable_default::RULE,
    &needless_copy::RULE,
    &numeric_list::RULE,
    &record_dicts::RULE,
    &request_in_module::RULE,
    &sparse_container::RULE,
    &string_building::RULE,
    &unbounded_cache::RULE,
    &unclosed_resource::RULE,
];

/// The rule of that name; otherwise the names that come near it, the nearest first.
pub fn find(name: &str) -> Result<&'static Rule, Vec<&'static str>> {
    let wanted = name.to_lowercase().replace('_', "-");
    if let Some(rule) = RULES.iter().find(|rule| rule.name == wanted) {
        return Ok(rule);
    }
    let mut near: Vec<(usize, &'static str)> = RULES
        .iter()
        .map(|rule| (distance(&wanted, rule.name), rule.name))
        .filter(|&(distance, name)| distance <= name.len() / 3 || (!wanted.is_empty() && name.contains(&wanted)))
        .collect();
    near.sort_unstable();
    Err(near.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_rule_file_is_listed_under_its_own_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
        let mut files: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| fs::read_to_string(path).unwrap().contains("\npub const RULE: Rule"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-"))
            .collect();
        files.sort_unstable();
        let mut listed: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        listed.sort_unstable();
        assert_eq!(files, listed);
    }

    #[test]
    fn thresholds_name_their_rule_and_no_name_is_used_twice() {
        for rule in RULES {
            let mut names: Vec<&str> = rule.thresholds.iter().map(|threshold| threshold.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), rule.thresholds.len(), "thresholds of {}", rule.name);
            for threshold in rule.thresholds {
                assert_eq!(threshold.rule, rule.name);
                assert_eq!(
                    threshold.evidence_name,
                    format!("threshold_{}", threshold.name.replace('-', "_"))
                );
            }
        }
    }

    #[test]
    fn names_are_found_and_near_ones_suggested() {
        assert_eq!(find("large-list").map(|rule| rule.name), Ok("large-list"));
        assert_eq!(find("large_list").map(|rule| rule.name), Ok("large-list"));
        assert_eq!(
            find("growing-contaner").map(|rule| rule.name),
            Err(vec!["growing-container"])
        );
        assert_eq!(find("unbounded").map(|rule| rule.name), Err(vec!["unbounded-cache"]));
        assert_eq!(find("zebra").map(|rule| rule.name), Err(vec![]));
    }
}
