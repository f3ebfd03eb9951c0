//! A context variable keeps objects alive in the contexts of tasks that have long gone on to something else.
//!
//! # What it measures
//!
//! Values of one `contextvars.ContextVar` that nothing but contexts keeps: from 10 000 on, or when they retain 1 MiB or
//! more.
//!
//! # What it looks at
//!
//! The variables of all contexts, how many references there are to each value, and who runs in the contexts. What
//! something else holds as well is none of it, nor what is in a thread's own context, nor what a task has whose code may ask
//! for it: one of its calls under way names the variable, or a function that uses it, or has what will reset it. That is
//! how requests that are being served differ from tasks that were started meanwhile. A variable with fewer than 100 such
//! values is not looked at. It is `likely`: code may come by the variable in other ways.
//!
//! # Why it matters
//!
//! A task, a callback and a timer copy the context in which they are made, with all values of that moment, and keep it for
//! as long as they live. A background task that is started while a request is served keeps that request.
//!
//! # How to fix
//!
//! Reset the variable before what lives longer is started, or start it in a context of its own. Keep the few values in the
//! variable that are needed, and not the request.
//!
//! Before:
//!
//! ```python
//! async def handle(request):
//!     CURRENT.set(request)
//!     WATCHERS.append(asyncio.create_task(watch(request.user)))
//! ```
//!
//! After:
//!
//! ```python
//! async def handle(request):
//!     token = CURRENT.set(request)
//!     user = request.user
//!     CURRENT.reset(token)
//!     WATCHERS.append(asyncio.create_task(watch(user)))
//! ```

use super::finding::{Confidence, Fact, Finding, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::ContextValues;
use crate::units;

pub const RULE: Rule = Rule {
    name: "context-variable",
    source: include_str!("context_variable.rs"),
    thresholds: &[&OBJECTS, &BYTES],
    find,
};

const OBJECTS: Threshold = Threshold {
    rule: "context-variable",
    name: "objects",
    evidence_name: "threshold_objects",
    default: 10_000,
    unit: Unit::Items,
    meaning: "speak from this many on, or from `bytes`; fewer than 100 are never counted",
};

const BYTES: Threshold = Threshold {
    rule: "context-variable",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on, or from `objects`",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let is_much = |values: &&ContextValues| {
        values.pile.count >= evidence.limit(&OBJECTS) || values.pile.retained_bytes >= evidence.limit(&BYTES)
    };
    let variables = evidence.heap.patterns.contexts.iter().filter(is_much);
    variables.map(|values| finding(values, evidence)).collect()
}

fn finding(values: &ContextValues, evidence: &Evidence<'_>) -> Finding {
    let facts = vec![
        ("variable", Fact::Text(values.name.clone())),
        ("objects", Fact::Number(values.pile.count)),
        ("type", Fact::Text(values.pile.type_name.clone())),
        ("such_as", Fact::Text(values.pile.first.clone())),
        ("held_by", Fact::Text(values.held_by.clone())),
    ];
    let held_by = match values.held_by.as_str() {
        "" => String::new(),
        whose => format!(" {whose}"),
    };
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(values.pile.retained_bytes),
        confidence: Confidence::Likely,
        summary: format!(
            "ContextVar '{}': {} {} that only the contexts{held_by} keep, {} retained; it is {}",
            values.name,
            units::count(values.pile.count),
            values.pile.type_name,
            units::bytes(values.pile.retained_bytes),
            values.pile.subject.path,
        ),
        advice: advice(&values.held_by).to_owned(),
        location: None,
        object: Object::of_subject(&values.pile.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(values.pile.retained_bytes),
    }
}

/// Contexts are copied for tasks and callbacks, and by hand.
fn advice(held_by: &str) -> &'static str {
    if held_by.starts_with("in ") {
        "Let go of contexts that nothing will run in any more, and keep in the variable only the few values that are \
         needed: what copies the context (copy_context()) keeps all of them."
    } else {
        "Reset it before a task or a callback is made that lives longer, which copies the context with all values: \
         variable.reset(token). Or keep in it only the few values that are needed."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{Pile, Subject};
    use crate::rules::fake_heap::findings_of_patterns;

    fn found(count: u64, retained_bytes: u64) -> Vec<Finding> {
        let values = ContextValues {
            pile: Pile {
                subject: Subject {
                    path: "shop.CURRENT".to_owned(),
                    ..Subject::default()
                },
                type_name: "shop.Request".to_owned(),
                count,
                retained_bytes,
                ..Pile::default()
            },
            name: "current_request".to_owned(),
            held_by: "of tasks in beat()".to_owned(),
        };
        findings_of_patterns(&RULE, |facts| facts.contexts = vec![values])
    }

    #[test]
    fn the_variable_is_named_first() {
        assert_eq!(
            found(2_000, 3 << 20)[0].summary,
            "ContextVar 'current_request': 2 000 shop.Request that only the contexts of tasks in beat() keep, 3.0 MiB \
             retained; it is shop.CURRENT"
        );
        assert_eq!(found(10_000, 1).len(), 1);
        assert_eq!(found(9_999, (1 << 20) - 1), []);
    }
}
