//! Piles that are worth a finding: many objects of one type that are held alike, or few that keep much.

use super::alike::held_alike;
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::Threshold;
use super::{Evidence, Rule};
use crate::heap::patterns::Pile;

/// Piles that are held alike.
pub struct Piles<'a> {
    /// The one with most objects.
    pub most: &'a Pile,
    pub count: u64,
    /// What would be freed with all of them.
    pub bytes: u64,
}

/// Those with so many objects, or that keep so many bytes.
pub fn large<'a>(
    piles: impl IntoIterator<Item = &'a Pile>,
    evidence: &Evidence<'_>,
    fewest: &Threshold,
    least_bytes: &Threshold,
) -> Vec<Piles<'a>> {
    let mut large = Vec::new();
    for alike in held_alike(piles, |pile| &pile.first, |pile| pile.type_name.clone()) {
        let (count, bytes) = (alike.sum(|pile| pile.count), alike.sum(|pile| pile.retained_bytes));
        let is_large = count >= evidence.limit(fewest) || bytes >= evidence.limit(least_bytes);
        if let Some(most) = alike.heaviest(|pile| pile.count).filter(|_| is_large) {
            large.push(Piles { most, count, bytes });
        }
    }
    large
}

impl Piles<'_> {
    /// What `rule` says of them.
    pub fn finding(&self, rule: &Rule, evidence: &Evidence<'_>, summary: String, advice: &str) -> Finding {
        let facts = vec![
            ("objects", Fact::Number(self.count)),
            ("type", Fact::Text(self.most.type_name.clone())),
            ("such_as", Fact::Text(self.most.first.clone())),
        ];
        Finding {
            rule: rule.name,
            severity: Severity::Warning,
            confidence: Confidence::Certain,
            summary,
            advice: advice.to_owned(),
            location: None,
            object: Object::of_subject(&self.most.subject),
            evidence: evidence.beside_thresholds(rule, facts),
            saving_bytes: Some(self.bytes),
        }
    }
}
