//! Tasks and futures that are done, and still held.

use cpython::memory::ReadMemory;
use cpython::objects::blocks;
use rustc_hash::FxHashMap;

use super::Sight;
use super::piles::Pile;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::names::Form;
use crate::heap::naming;

/// The types that are futures.
pub const TYPES: [&str; 3] = ["_asyncio.Task", "_asyncio.Future", "concurrent.futures._base.Future"];
/// Fewer in one place are not described.
const FEWEST: usize = 100;

pub(super) fn gather<M: ReadMemory>(sight: &mut Sight<M>, futures: &[u32]) -> Vec<Pile> {
    if futures.len() < FEWEST {
        return Vec::new();
    }
    let outcomes = ["result", "exception"].map(|name| sight.member(name));
    let mut states = States::default();
    let mut done = Vec::new();
    for &row in futures {
        let mut references = sight.found.objects.references(row).iter();
        if references.any(|each| outcomes.contains(&each.label)) || states.is_done(sight, row) {
            done.push(row);
        }
    }
    let mut piles = sight.piles(&done, FEWEST);
    for pile in &mut piles {
        let lowest = sight.lowest(pile.rows.iter().copied());
        let each = lowest.map_or(0, |row| weak_reference_bytes(sight, row));
        pile.container_bytes = pile.container_bytes.saturating_add(each.saturating_mul(pile.count));
    }
    piles
}

/// What goes with a task besides: the weak reference by which `asyncio` knows it, where it knows tasks by such.
fn weak_reference_bytes<M: ReadMemory>(sight: &mut Sight<M>, row: u32) -> u64 {
    let of_type = sight.found.types.get(sight.found.objects.type_of(row));
    let (at, task_type) = (sight.layout, of_type.info.of_type.address);
    let mut word = |address: u64| sight.memory.word(address).unwrap_or(0);
    let offset = word(task_type.wrapping_add(at.types.weaklistoffset));
    // A negative offset, or none, says that there is no such list behind the object's head.
    if offset as i64 <= 0 {
        return 0;
    }
    let reference = word(sight.found.address_of(row).wrapping_add(offset));
    if reference == 0 {
        return 0;
    }
    let reference_type = word(reference.wrapping_add(at.object.ob_type));
    let size = word(reference_type.wrapping_add(at.types.basicsize));
    blocks::small(at.object.gc_head.saturating_add(size))
}

/// Reads `_state`, which tells of `concurrent.futures` whether they are done, once for each text that it may be.
#[derive(Default)]
struct States {
    /// By the number of a name whether it is `_state`.
    names: FxHashMap<u32, bool>,
    /// By row whether the text there says that a future is done.
    done: FxHashMap<u32, bool>,
}

impl States {
    fn is_done<M: ReadMemory>(&mut self, sight: &mut Sight<M>, future: u32) -> bool {
        let mut holders = vec![future];
        holders.extend(
            sight
                .items(future)
                .into_iter()
                .filter(|(_, label)| *label == Label::NAMESPACE)
                .map(|(row, _)| row),
        );
        for holder in holders {
            for place in 0..sight.found.objects.references(holder).len() {
                let reference = sight.found.objects.references(holder)[place];
                let is_named = matches!(reference.label.kind(), LabelKind::Value | LabelKind::Attribute);
                if is_named && self.is_state(sight, reference.label) {
                    return self.says_done(sight, reference.target);
                }
            }
        }
        false
    }

    fn is_state<M: ReadMemory>(&mut self, sight: &mut Sight<M>, label: Label) -> bool {
        let known = self.names.get(&label.number()).copied();
        let is_state = known.unwrap_or_else(|| sight.name(label, Form::Name) == "_state");
        self.names.insert(label.number(), is_state);
        is_state
    }

    fn says_done<M: ReadMemory>(&mut self, sight: &mut Sight<M>, text: u32) -> bool {
        let address = sight.found.address_of(text);
        *self.done.entry(text).or_insert_with(|| {
            let state = naming::str_at(sight.memory, sight.layout, address);
            matches!(state.as_deref(), Some("FINISHED" | "CANCELLED_AND_NOTIFIED"))
        })
    }
}
