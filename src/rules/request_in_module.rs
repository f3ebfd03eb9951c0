//! Requests, responses or sessions of a web framework are kept by a module.
//!
//! # What it measures
//!
//! Objects of Flask, Werkzeug, Starlette, FastAPI and Django that belong to one request and hang on a module of the
//! program: from 10 000 on, or when they retain 1 MiB or more.
//!
//! # What it looks at
//!
//! Who holds each of them first, so that what it says is certain. Requests that are being served hang on a thread or a task
//! and are none of it.
//!
//! # Why it matters
//!
//! A request keeps its headers, its body, its user and all that was hung on it on the way. What a module keeps of it stays
//! when it is answered.
//!
//! # How to fix
//!
//! Keep the few values that are needed later, and not the request. What is needed while it is served belongs into
//! `flask.g`, `request.state` or a `contextvars.ContextVar` that is reset.
//!
//! Before:
//!
//! ```python
//! @app.before_request
//! def note():
//!     RECENT.append(flask.request._get_current_object())
//! ```
//!
//! After:
//!
//! ```python
//! @app.before_request
//! def note():
//!     RECENT.append((flask.request.method, flask.request.path))
//! ```

use super::finding::Finding;
use super::piles::{self, Piles};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::units;

pub const RULE: Rule = Rule {
    name: "request-in-module",
    source: include_str!("request_in_module.rs"),
    thresholds: &[&OBJECTS, &BYTES],
    find,
};

const OBJECTS: Threshold = Threshold {
    rule: "request-in-module",
    name: "objects",
    evidence_name: "threshold_objects",
    default: 10_000,
    unit: Unit::Items,
    meaning: "speak from this many on, or from `bytes`",
};

const BYTES: Threshold = Threshold {
    rule: "request-in-module",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on, or from `objects`",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let requests = evidence.heap.patterns.requests.iter();
    let own = requests.filter(|each| !each.subject.in_library);
    let all = piles::large(own, evidence, &OBJECTS, &BYTES);
    all.iter().map(|piles| finding(piles, evidence)).collect()
}

fn finding(piles: &Piles<'_>, evidence: &Evidence<'_>) -> Finding {
    let summary = format!(
        "{}: keeps {} {}, {} retained",
        piles.most.subject.path,
        units::count(piles.count),
        piles.most.type_name,
        units::bytes(piles.bytes),
    );
    let advice = "Keep the few values that are needed later, and not the object: it lives as long as the module does.";
    piles.finding(&RULE, evidence, summary, advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{Pile, Subject};
    use crate::rules::fake_heap::findings_of_patterns;

    fn found(retained_bytes: u64, in_library: bool) -> Vec<Finding> {
        let requests = vec![Pile {
            subject: Subject {
                path: "shop.RECENT".to_owned(),
                in_library,
                ..Subject::default()
            },
            first: "shop.RECENT[0]".to_owned(),
            type_name: "flask.wrappers.Request".to_owned(),
            count: 800,
            retained_bytes,
            ..Pile::default()
        }];
        findings_of_patterns(&RULE, |facts| facts.requests = requests)
    }

    #[test]
    fn what_the_programs_own_modules_keep_is_found() {
        assert_eq!(
            found(2 << 20, false)[0].summary,
            "shop.RECENT: keeps 800 flask.wrappers.Request, 2.0 MiB retained"
        );
        assert_eq!(found(2 << 20, true), []);
        assert_eq!(found(2 << 10, false), []);
    }
}
