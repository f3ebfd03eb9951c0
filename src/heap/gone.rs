//! Types that are no longer there. Where a heap is read while its program goes on, what was taken for a type may be the
//! remains of one, under a name that nobody ever gave it; what seemed to be its objects is rejected.

use cpython::layout::Layout;
use cpython::memory::{ReadMemory, word_at};
use cpython::objects::types::{TypeInfo, flags, is_type};

use super::naming;
use super::survey::Survey;

/// More classes than any type inherits from.
const MOST_BASES: u64 = 4096;
/// What a type that is gone is called in the ownership tree.
const GONE: &str = "(gone)";

impl Survey<'_> {
    /// Looks at every type that has objects once more, in the memory as it is by now, and rejects the objects of those
    /// that are gone or have another name.
    pub fn reject_gone_types(&mut self, memory: &mut impl ReadMemory) {
        let layout = self.subject.layout;
        let types = &mut self.found.types;
        let mut rejected = 0;
        for index in 1..types.count() {
            let known = types.get_mut(index);
            if known.count == 0 {
                continue;
            }
            let address = known.info.of_type.address;
            // Seen alive before and after its name was read, it was alive meanwhile.
            memory.forget();
            let name = name_if_alive(memory, layout, address);
            memory.forget();
            if name.as_deref() != Some(&*known.name) || !is_alive(memory, layout, address) {
                rejected += known.count;
                known.withdraw(GONE);
            }
        }
        self.found.rejected += rejected;
    }
}

fn name_if_alive<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Option<String> {
    if !is_alive(memory, layout, address) {
        return None;
    }
    let info = TypeInfo::read(memory, layout, address).ok()?;
    Some(naming::type_name(memory, layout, &info))
}

/// Whether a type that is in use stands at `address`: its `__mro__` is a living tuple that begins with the type itself.
/// CPython lets go of the tuple before the type's names (`type_clear`, typeobject.c).
fn is_alive<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> bool {
    let alive = |memory: &mut M, address: u64| {
        let head = memory.read(address, 16).ok()?;
        let type_address = word_at(head, layout.object.ob_type);
        (word_at(head, layout.object.refcnt) as u32 != 0).then_some(type_address)
    };
    let first_base = |memory: &mut M| {
        alive(memory, address)?;
        let mro = memory.word(address + layout.types.mro).ok()?;
        let type_of_mro = alive(memory, mro)?;
        let tp_flags = memory.word(type_of_mro.wrapping_add(layout.types.flags)).ok()?;
        let count = memory.word(mro + layout.object.ob_size).ok()?;
        let is_tuple = tp_flags & flags::TUPLE_SUBCLASS != 0 && (1..=MOST_BASES).contains(&count);
        is_tuple.then(|| memory.word(mro + layout.tuple.items).ok())?
    };
    is_type(memory, layout, address) && first_base(memory) == Some(address)
}
