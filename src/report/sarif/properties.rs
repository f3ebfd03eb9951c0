//! What a finding says that SARIF has no place for: object, numbers, confidence and saving, as in the JSON report.

use serde::Serialize;

use crate::rules::finding::{Confidence, Fact, Finding, Object, as_map};

#[derive(Serialize)]
pub(super) struct Properties<'a> {
    confidence: Confidence,
    #[serde(skip_serializing_if = "Option::is_none")]
    saving_bytes: Option<u64>,
    object: &'a Object,
    #[serde(serialize_with = "as_map")]
    evidence: &'a [(&'static str, Fact)],
}

impl Properties<'_> {
    pub(super) fn of(finding: &Finding) -> Properties<'_> {
        Properties {
            confidence: finding.confidence,
            saving_bytes: finding.saving_bytes,
            object: &finding.object,
            evidence: &finding.evidence,
        }
    }
}
