//! Exceptions that are kept, and with their tracebacks the variables of all calls that they ended.

use cpython::memory::ReadMemory;
use cpython::objects::content::Content;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Sight;
use super::functions::Keeper;
use super::futures::TYPES;
use super::piles::Pile;
use crate::heap::facts::short_name;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Form;
use crate::heap::naming;
use crate::heap::objects::{HEAP, NO_OBJECT};

/// Tracebacks that keep less are not looked at, in bytes.
const LEAST_BYTES: u64 = 4 << 10;
/// A traceback is no longer than this, and no longer is a chain of exceptions that were raised while others were handled.
const LONGEST: usize = 10_000;

/// Exceptions of one type that are held alike. The pile's subject is their nearest holder that has a name of its own, and
/// what it retains is what their tracebacks do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptExceptions {
    pub pile: Pile,
    /// The largest variable in the traceback of the first of them, and its function.
    pub largest: Option<Keeper>,
}

/// How exceptions and tracebacks hold each other.
struct Members {
    traceback: Label,
    /// The exceptions during whose handling, or from which, another one was raised.
    earlier: [Label; 2],
    next: Label,
    frame: Label,
}

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, tracebacks: &[u32]) -> Vec<KeptExceptions> {
    let members = Members {
        traceback: sight.member("traceback"),
        earlier: ["context", "cause"].map(|name| sight.member(name)),
        next: sight.member("tb_next"),
        frame: sight.member("tb_frame"),
    };
    let mut tracebacks_of: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for &row in tracebacks {
        if sight.owned.kept(row) >= LEAST_BYTES && sight.owned.owner(row).label != members.next {
            let exception = exception_of(sight, &members, row);
            if !is_in_use(sight, exception) {
                tracebacks_of.entry(exception).or_default().push(row);
            }
        }
    }
    let mut exceptions: Vec<u32> = tracebacks_of.keys().copied().collect();
    exceptions.sort_unstable();
    let piles = sight.piles(&exceptions, 1);
    let kept = piles.into_iter().map(|mut pile| {
        let of_first = sight.representative(&pile.rows).and_then(|row| tracebacks_of.get(&row));
        let of_first = of_first.and_then(|tracebacks| sight.lowest(tracebacks.iter().copied()));
        let largest = of_first.and_then(|row| largest_variable(sight, &members, row));
        let tracebacks = pile.rows.iter().filter_map(|row| tracebacks_of.get(row));
        pile.rows = tracebacks.flatten().copied().collect();
        // The exceptions may stay where they are.
        pile.container_bytes = 0;
        let holder = sight.named_holder(pile.subject.row);
        let length = sight.found.objects.references(holder).len();
        pile.subject = sight.subject(holder, length as u64);
        KeptExceptions { pile, largest }
    });
    kept.collect()
}

/// The exception that was met first of all whose tracebacks hang together with this one; the traceback where none holds it.
fn exception_of<M>(sight: &Sight<M>, members: &Members, traceback: u32) -> u32 {
    let holder = sight.owned.owner(traceback);
    if holder.label != members.traceback {
        return traceback;
    }
    let mut exception = holder.parent;
    for _ in 0..LONGEST {
        let holder = sight.owned.owner(exception);
        if !members.earlier.contains(&holder.label) {
            break;
        }
        exception = holder.parent;
    }
    exception
}

/// Whether a call that goes on handles the exception, or a future has it for who awaits it.
fn is_in_use<M: ReadMemory>(sight: &Sight<M>, exception: u32) -> bool {
    let mut holder = sight.owned.owner(exception);
    if sight.owned.is_namespace(holder.parent) {
        holder = sight.owned.owner(holder.parent);
    }
    let type_of = sight.found.objects.type_of(holder.parent);
    let is_of_call = || {
        let content = sight.content(holder.parent);
        matches!(content, Content::Frame | Content::Generator | Content::Coroutine)
    };
    sight.owned.owner(exception).label.kind() == LabelKind::Local
        || holder.parent == HEAP
        || type_of == NO_OBJECT
        || is_of_call()
        || TYPES.contains(&&*sight.found.types.get(type_of).name)
}

fn largest_variable<M: ReadMemory>(sight: &mut Sight<M>, members: &Members, first: u32) -> Option<Keeper> {
    let mut largest: Option<(u64, u32, Label)> = None;
    let mut traceback = Some(first);
    for _ in 0..LONGEST {
        let Some(row) = traceback else { break };
        let parts = sight.items(row);
        let part = |wanted: Label| parts.iter().find(|(_, label)| *label == wanted).map(|&(row, _)| row);
        let frame = part(members.frame);
        for reference in frame.map_or(&[][..], |frame| sight.found.objects.references(frame)) {
            let is_leaf = reference.target as usize >= sight.found.objects.holders();
            let bytes = match is_leaf {
                true => sight.found.objects.bytes(reference.target),
                false => sight.owned.kept(reference.target),
            };
            let is_larger = largest.is_none_or(|(known, ..)| bytes > known);
            if reference.label.kind() == LabelKind::Local && reference.target != HEAP && is_larger {
                largest = frame.map(|frame| (bytes, frame, reference.label));
            }
        }
        traceback = part(members.next).filter(|&next| is_traceback(sight, next));
    }
    let (_, frame, label) = largest?;
    let of_frame = sight.items(frame).into_iter().map(|(row, _)| row);
    let code = of_frame.into_iter().find(|&row| sight.content(row) == Content::Code)?;
    let code = sight.found.address_of(code);
    Some(Keeper {
        function: naming::function_of(sight.memory, sight.layout, code)
            .trim_end_matches("()")
            .to_owned(),
        defined_at: naming::definition(sight.memory, sight.layout, code),
        name: sight.name(label, Form::Name),
    })
}

fn is_traceback<M>(sight: &Sight<M>, row: u32) -> bool {
    let name = &*sight.found.types.get(sight.found.objects.type_of(row)).name;
    short_name(name) == "traceback"
}
