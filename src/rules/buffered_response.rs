//! The body of a response stands whole in memory.
//!
//! # What it measures
//!
//! Responses of Flask, Starlette, FastAPI and Django whose body takes 1 MiB or more.
//!
//! # What it looks at
//!
//! The texts that the response has for its body, so that what it says is certain. The saving is the body but for one piece
//! of 64 KiB.
//!
//! # Why it matters
//!
//! Every request that is answered at the same time has a body of its own, and it stays until the slowest client has taken
//! it.
//!
//! # How to fix
//!
//! Send it in pieces: a generator as the response in Flask, `StreamingResponse` or `FileResponse` in Starlette and FastAPI,
//! `StreamingHttpResponse` or `FileResponse` in Django.
//!
//! Before:
//!
//! ```python
//! return flask.Response("".join(lines()))
//! ```
//!
//! After:
//!
//! ```python
//! return flask.Response(lines())
//! ```

use super::alike::{Alike, held_alike};
use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::BufferedBody;
use crate::units;

pub const RULE: Rule = Rule {
    name: "buffered-response",
    source: include_str!("buffered_response.rs"),
    thresholds: &[&BYTES],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "buffered-response",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from a body of this many bytes on; less than 1 MiB is never looked at",
};

/// What is in memory of a body that is sent in pieces.
const PIECE: u64 = 64 << 10;

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let bodies = evidence.heap.patterns.bodies.iter();
    let large = bodies.filter(|each| each.body_bytes >= evidence.limit(&BYTES));
    held_alike(large, |each| &each.subject.path, |each| each.subject.type_name.clone())
        .iter()
        .filter_map(|alike| finding(alike, evidence))
        .collect()
}

fn finding(alike: &Alike<'_, BufferedBody>, evidence: &Evidence<'_>) -> Option<Finding> {
    let most = alike.heaviest(|each| each.body_bytes)?;
    let saving = alike.sum(|each| each.body_bytes.saturating_sub(PIECE));
    let facts = vec![
        ("body_bytes", Fact::Number(alike.sum(|each| each.body_bytes))),
        ("responses", Fact::Number(alike.all.len() as u64)),
    ];
    Some(Finding {
        rule: RULE.name,
        severity: Severity::of_saving(saving),
        confidence: Confidence::Certain,
        summary: format!(
            "{}: {} with a body of {} in memory",
            most.subject.path,
            most.subject.type_name,
            units::bytes(most.body_bytes),
        ),
        advice:
            "Send it in pieces: a generator as the response, StreamingResponse, StreamingHttpResponse or FileResponse."
                .to_owned(),
        location: None,
        object: Object::of_subject(&most.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(saving),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::Subject;
    use crate::rules::fake_heap::findings_of_patterns;

    #[test]
    fn the_saving_leaves_one_piece() {
        let body = |body_bytes| BufferedBody {
            subject: Subject {
                path: "thread MainThread > serve() at app.py:7 > response".to_owned(),
                type_name: "flask.wrappers.Response".into(),
                ..Subject::default()
            },
            body_bytes,
        };
        let found = findings_of_patterns(&RULE, |facts| facts.bodies = vec![body(3 << 20)]);
        assert_eq!(found[0].saving_bytes, Some((3 << 20) - (64 << 10)));
        assert!(
            found[0]
                .summary
                .ends_with("flask.wrappers.Response with a body of 3.0 MiB in memory"),
            "{}",
            found[0].summary
        );
    }
}
