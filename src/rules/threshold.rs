//! The figures from which rules speak: each has a default, each can be set on the command line and by a project.

use super::Rule;
use super::catalogue::find;
use super::finding::Fact;
use super::selection::unknown;
use crate::spelling::nearest;

/// A figure that what was measured is held against.
#[derive(Debug)]
pub struct Threshold {
    /// The rule's name.
    pub rule: &'static str,
    pub name: &'static str,
    /// Under what name it stands beside a finding's evidence.
    pub evidence_name: &'static str,
    pub default: u64,
    pub unit: Unit,
    /// What it does, as half a sentence.
    pub meaning: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Items,
    Bytes,
    Percent,
}

/// The thresholds as they were set; all others have their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thresholds {
    set: Vec<(&'static str, &'static str, u64)>,
}

impl Thresholds {
    pub fn of(&self, threshold: &Threshold) -> u64 {
        let set = self
            .set
            .iter()
            .rev()
            .find(|(rule, name, _)| (*rule, *name) == (threshold.rule, threshold.name));
        set.map_or(threshold.default, |&(_, _, value)| value)
    }

    /// The threshold as a piece of evidence.
    pub fn fact(&self, threshold: &Threshold) -> (&'static str, Fact) {
        (threshold.evidence_name, Fact::Number(self.of(threshold)))
    }

    /// Takes `growing-container.items=50000`, or says what is wrong with it.
    pub fn set(&mut self, typed: &str) -> Result<(), String> {
        let malformed = || format!("'{typed}' does not read RULE.NAME=VALUE, as in growing-container.items=50000");
        let (full_name, value) = typed.split_once('=').ok_or_else(malformed)?;
        let (rule_name, name) = full_name.split_once('.').ok_or_else(malformed)?;
        self.set_one(rule_name, name, value)
    }

    /// Takes the value of one threshold of a rule, or says what is wrong with it.
    pub fn set_one(&mut self, rule_name: &str, name: &str, value: &str) -> Result<(), String> {
        let rule = find(rule_name).map_err(|near| unknown(rule_name, &near))?;
        let known = rule.thresholds.iter().find(|threshold| threshold.name == name);
        let threshold = known.ok_or_else(|| no_threshold(rule, name))?;
        let value = parse_value(value, threshold.unit).ok_or_else(|| match threshold.unit {
            Unit::Items => format!("'{value}' is not a number of items"),
            Unit::Bytes => format!("'{value}' is not a number of bytes, as in 1048576, 64KiB, 1MiB or 2GiB"),
            Unit::Percent => format!("'{value}' is not a percentage, as in 5 or 5%"),
        })?;
        self.set.push((threshold.rule, threshold.name, value));
        Ok(())
    }
}

fn no_threshold(rule: &Rule, name: &str) -> String {
    let names: Vec<&str> = rule.thresholds.iter().map(|threshold| threshold.name).collect();
    let meant = nearest(name, names.iter().copied());
    format!(
        "{} has no threshold '{name}'; it has {}{}",
        rule.name,
        names.join(", "),
        meant.map_or_else(String::new, |near| format!("; did you mean {near}?"))
    )
}

fn parse_value(text: &str, unit: Unit) -> Option<u64> {
    let text = text.trim();
    let digits_end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at(digits_end);
    let number: u64 = digits.parse().ok()?;
    let factor: u64 = match (unit, suffix.trim()) {
        (Unit::Percent, "" | "%") if number > 100 => return None,
        (_, "") | (Unit::Bytes, "B") | (Unit::Percent, "%") => 1,
        (Unit::Bytes, "KiB") => 1 << 10,
        (Unit::Bytes, "MiB") => 1 << 20,
        (Unit::Bytes, "GiB") => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::growing_container::{BYTES, ITEMS};
    use crate::rules::list_membership;

    #[test]
    fn the_last_setting_counts() {
        let mut thresholds = Thresholds::default();
        assert_eq!(thresholds.of(&ITEMS), ITEMS.default);
        thresholds.set("growing-container.items=5").unwrap();
        thresholds.set("growing-container.items=7").unwrap();
        thresholds.set("growing-container.bytes=2MiB").unwrap();
        thresholds.set("list-membership.share=7%").unwrap();
        assert_eq!(thresholds.of(&list_membership::SHARE), 7);
        assert_eq!((thresholds.of(&ITEMS), thresholds.of(&BYTES)), (7, 2 << 20));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let refusal = |typed: &str| Thresholds::default().set(typed).unwrap_err();
        assert!(refusal("items=5").contains("RULE.NAME=VALUE"));
        assert!(refusal("growing-container.items").contains("RULE.NAME=VALUE"));
        assert!(refusal("growing.items=5").contains("no rule 'growing'; did you mean growing-container?"));
        assert!(refusal("growing-container.size=5").contains("it has items, bytes"));
        assert!(refusal("growing-container.items=5MiB").contains("number of items"));
        assert!(refusal("list-membership.share=101").contains("percentage"));
        assert!(refusal("growing-container.bytes=many").contains("number of bytes"));
        assert!(refusal("growing-container.bytes=99999999999GiB").contains("number of bytes"));
    }
}
