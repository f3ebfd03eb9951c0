//! Rules that could not be asked, because what they need was never looked at.

use serde::{Serialize, Serializer};

use super::{
    Evidence, Rule, counting_dict, django_values_list, growing_container, list_as_queue, list_membership,
    string_building,
};

/// A rule that says nothing, whatever the program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NotJudged {
    pub rule: &'static str,
    pub reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It judges by the lines that run.
    NoLooks,
    /// It judges by what changes from one snapshot to the next.
    OneSnapshot,
}

impl Reason {
    pub const ALL: [Reason; 2] = [Reason::NoLooks, Reason::OneSnapshot];

    pub fn text(self) -> &'static str {
        match self {
            Reason::NoLooks => "nobody looked which lines run",
            Reason::OneSnapshot => "there is one snapshot only",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// The rules that judge by looks at the running program.
const BY_LINES: [&Rule; 5] = [
    &counting_dict::RULE,
    &django_values_list::RULE,
    &list_as_queue::RULE,
    &list_membership::RULE,
    &string_building::RULE,
];

/// Those of the rules that this evidence cannot answer.
pub fn not_judged(rules: &[&Rule], evidence: &Evidence<'_>) -> Vec<NotJudged> {
    let busy = &evidence.heap.patterns.busy;
    without(rules, busy.looks > 0 || busy.samples > 0, evidence.growth.intervals > 0)
}

fn without(rules: &[&Rule], has_looks: bool, has_intervals: bool) -> Vec<NotJudged> {
    let reason = |name: &str| {
        let by_lines = BY_LINES.iter().any(|rule| rule.name == name);
        let by_growth = name == growing_container::RULE.name;
        match () {
            () if by_lines && !has_looks => Some(Reason::NoLooks),
            () if by_growth && !has_intervals => Some(Reason::OneSnapshot),
            () => None,
        }
    };
    let reasons = rules.iter().map(|rule| (rule.name, reason(rule.name)));
    reasons
        .filter_map(|(rule, reason)| Some(NotJudged { rule, reason: reason? }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::catalogue::RULES;

    fn names(has_looks: bool, has_intervals: bool) -> Vec<&'static str> {
        let all = without(RULES, has_looks, has_intervals).into_iter();
        all.map(|each| each.rule).collect()
    }

    #[test]
    fn rules_that_need_time_are_named_where_there_was_none() {
        assert_eq!(names(true, true), [] as [&str; 0]);
        assert_eq!(names(true, false), ["growing-container"]);
        assert_eq!(
            names(false, true),
            [
                "counting-dict",
                "django-values-list",
                "list-as-queue",
                "list-membership",
                "string-building"
            ]
        );
        assert_eq!(names(false, false).len(), 6);
    }

    #[test]
    fn every_rule_that_asks_for_lines_is_one_of_these() {
        for rule in RULES {
            let asks = rule.page().contains("which line") || rule.page().contains("Which instruction runs");
            assert_eq!(
                asks,
                BY_LINES.iter().any(|each| each.name == rule.name),
                "{}",
                rule.name
            );
        }
    }
}
