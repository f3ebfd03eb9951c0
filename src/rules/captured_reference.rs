//! Something that is not made to keep data keeps a large object alive.
//!
//! # What it measures
//!
//! Objects that retain 1 MiB or more and are held by nothing but a variable of a closure, a default argument, an argument
//! of a `functools.partial` or the instance of a bound method; and exceptions held alike whose tracebacks retain as much.
//!
//! # What it looks at
//!
//! Whether every chain of references to the object passes through that one holder, which makes the finding `certain`. An
//! exception that is being handled keeps its traceback as a matter of course, and is no finding; neither is a variable that
//! a call which goes on uses itself, nor what a decorator remembers of a function that a module or class has by a name, nor
//! the instance of a method that it has so: these are meant to live. Containers that are defaults are left to
//! `mutable-default`.
//!
//! # Why it matters
//!
//! The variable is nowhere to be seen in the code that keeps it: a callback that needs one number of a table keeps the
//! table, and an exception in a list keeps all variables of all calls that it passed.
//!
//! # How to fix
//!
//! Hand over what is needed and not where it comes from: take the number out before the callback is made, bind a function
//! in place of a method, use a weak reference. Keep the text of an exception, or clear its frames with
//! `traceback.clear_frames(error.__traceback__)`.
//!
//! Before:
//!
//! ```python
//! def watcher(table):
//!     return lambda: print(len(table))
//! ```
//!
//! After:
//!
//! ```python
//! def watcher(table):
//!     size = len(table)
//!     return lambda: print(size)
//! ```

use super::alike::held_alike;
use super::finding::{Confidence, Fact, Finding, Location, Object, Severity};
use super::threshold::{Threshold, Unit};
use super::{Evidence, Rule};
use crate::heap::patterns::{Captor, Captured, KeptExceptions};
use crate::units;

pub const RULE: Rule = Rule {
    name: "captured-reference",
    source: include_str!("captured_reference.rs"),
    thresholds: &[&BYTES],
    find,
};

const BYTES: Threshold = Threshold {
    rule: "captured-reference",
    name: "bytes",
    evidence_name: "threshold_bytes",
    default: 1 << 20,
    unit: Unit::Bytes,
    meaning: "speak from this much retained on; less than 1 MiB is never looked at",
};

fn find(evidence: &Evidence<'_>) -> Vec<Finding> {
    let captured = evidence.heap.patterns.captured.iter();
    let own = captured.filter(|each| !each.held.subject.in_library);
    let large = own.filter(|each| each.held.subject.retained_bytes >= evidence.limit(&BYTES));
    let exceptions = evidence.heap.patterns.exceptions.iter();
    let exceptions = exceptions.filter(|each| !each.pile.subject.in_library);
    let mut findings: Vec<Finding> = large.map(|each| finding(each, evidence)).collect();
    findings.extend(of_exceptions(exceptions, evidence));
    findings
}

/// What exceptions keep, those that are held alike together.
fn of_exceptions<'a>(exceptions: impl Iterator<Item = &'a KeptExceptions>, evidence: &Evidence<'_>) -> Vec<Finding> {
    let alike = held_alike(exceptions, |each| &each.pile.first, |_| ());
    let findings = alike.into_iter().filter_map(|alike| {
        let retained = alike.sum(|each| each.pile.retained_bytes);
        let most = alike.heaviest(|each| each.pile.retained_bytes)?;
        (retained >= evidence.limit(&BYTES)).then(|| {
            let count = alike.sum(|each| each.pile.count);
            of_tracebacks(most, count, retained, evidence)
        })
    });
    findings.collect()
}

/// `count` exceptions such as `most`, without whose tracebacks `retained` bytes would go.
fn of_tracebacks(most: &KeptExceptions, count: u64, retained: u64, evidence: &Evidence<'_>) -> Finding {
    let KeptExceptions { pile, largest } = most;
    let such_as = largest.as_ref().map_or_else(String::new, |largest| {
        format!(", such as {} of {}()", largest.name, largest.function)
    });
    let (exceptions, whose) = match count {
        1 => ("exception", "whose traceback keeps"),
        _ => ("exceptions", "whose tracebacks keep"),
    };
    let facts = vec![
        ("captured_by", Fact::Text("tracebacks".to_owned())),
        ("exceptions", Fact::Number(count)),
        ("type", Fact::Text(pile.type_name.clone())),
        ("such_as", Fact::Text(pile.first.clone())),
    ];
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(retained),
        confidence: Confidence::Certain,
        summary: format!(
            "{}: {} {exceptions}, {whose} the local variables of calls that have ended{such_as}, {} retained",
            pile.subject.path,
            units::count(count),
            units::bytes(retained),
        ),
        advice: "Keep the text of the exception, or let go of its variables: \
                 traceback.clear_frames(error.__traceback__)."
            .to_owned(),
        location: (largest.as_ref()).and_then(|largest| Location::of(&largest.defined_at, &largest.function)),
        object: Object::of_subject(&pile.subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(retained),
    }
}

fn finding(captured: &Captured, evidence: &Evidence<'_>) -> Finding {
    let (subject, keeper) = (&captured.held.subject, &captured.keeper);
    let facts = vec![
        ("captured_by", Fact::Text(captor(captured.captor).to_owned())),
        ("function", Fact::Text(keeper.function.clone())),
        ("name", Fact::Text(keeper.name.clone())),
    ];
    let kind = subject
        .type_name
        .strip_prefix("builtins.")
        .unwrap_or(&subject.type_name);
    let of = match keeper.function.as_str() {
        "" => String::new(),
        function => format!(" of {function}"),
    };
    Finding {
        rule: RULE.name,
        severity: Severity::of_saving(subject.retained_bytes),
        confidence: Confidence::Certain,
        summary: format!(
            "{}: {kind} that only {} {}{of} keeps alive, {} retained",
            subject.path,
            captor(captured.captor),
            keeper.name,
            units::bytes(subject.retained_bytes),
        ),
        advice: advice(captured.captor).to_owned(),
        location: Location::of(&keeper.defined_at, &keeper.function),
        object: Object::of_subject(subject),
        evidence: evidence.beside_thresholds(&RULE, facts),
        saving_bytes: Some(subject.retained_bytes),
    }
}

fn captor(captor: Captor) -> &'static str {
    match captor {
        Captor::Closure => "the closure variable",
        Captor::Default => "the default of the parameter",
        Captor::Partial => "the partial's",
        Captor::Method => "the bound method's",
    }
}

fn advice(captor: Captor) -> &'static str {
    match captor {
        Captor::Closure => {
            "Take what the inner function needs of it into a variable of its own before the function is made, or del the \
             variable that is not needed any more."
        }
        Captor::Default => {
            "Pass it as an argument, or load it when it is needed: a default lives as long as the function."
        }
        Captor::Partial => "Bind what the function needs of it, and not all of it.",
        Captor::Method => {
            "Hand over a function of the values that it needs, or weakref.WeakMethod, in place of a method that keeps its \
             instance."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::patterns::{HeldAlone, Keeper, Pile, Subject};
    use crate::rules::fake_heap::findings_of_patterns;

    fn captured(captor: Captor) -> Captured {
        let subject = Subject {
            path: "jobs.QUEUE[0].table".to_owned(),
            type_name: "builtins.list".into(),
            retained_bytes: 3 << 20,
            ..Subject::default()
        };
        Captured {
            held: HeldAlone { subject, holder: 0 },
            captor,
            keeper: Keeper {
                function: "jobs.watcher.<locals>.show".to_owned(),
                defined_at: Some(("/srv/jobs.py".to_owned(), 9)),
                name: "table".to_owned(),
            },
        }
    }

    fn found(captured: Captured) -> Vec<Finding> {
        findings_of_patterns(&RULE, |facts| facts.captured = vec![captured])
    }

    #[test]
    fn what_a_closure_keeps_is_named() {
        let found = found(captured(Captor::Closure));
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "jobs.QUEUE[0].table: list that only the closure variable table of jobs.watcher.<locals>.show keeps alive, \
             3.0 MiB retained"
        );
        assert_eq!(finding.saving_bytes, Some(3 << 20));
        assert_eq!(finding.location.as_ref().map(|location| location.line), Some(9));
    }

    #[test]
    fn exceptions_that_are_held_alike_are_one_finding() {
        let kept = |place: u32, count| KeptExceptions {
            pile: Pile {
                subject: Subject {
                    path: format!("jobs.FAILED['{place}']"),
                    ..Subject::default()
                },
                first: format!("jobs.FAILED['{place}'][0]"),
                type_name: "builtins.KeyError".to_owned(),
                count,
                retained_bytes: count << 19,
                ..Pile::default()
            },
            largest: Some(Keeper {
                function: "parse".to_owned(),
                defined_at: Some(("/srv/jobs.py".to_owned(), 4)),
                name: "rows".to_owned(),
            }),
        };
        let found = findings_of_patterns(&RULE, |facts| facts.exceptions = vec![kept(1, 1), kept(2, 3)]);
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            finding.summary,
            "jobs.FAILED['2']: 4 exceptions, whose tracebacks keep the local variables of calls that have ended, such as \
             rows of parse(), 2.0 MiB retained"
        );
        assert_eq!(finding.saving_bytes, Some(2 << 20));
        let little = findings_of_patterns(&RULE, |facts| facts.exceptions = vec![kept(1, 1)]);
        assert_eq!(little, []);
    }

    #[test]
    fn what_a_library_keeps_is_its_own() {
        let mut library = captured(Captor::Method);
        library.held.subject.in_library = true;
        assert_eq!(found(library), []);
    }
}
