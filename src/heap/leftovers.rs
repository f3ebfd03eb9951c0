//! What running calls have left on their value stacks. How many slots of a stack are in use only the machine's registers
//! know, so that a slot may hold a value, or a pointer that this call or an earlier one owns no more. Reference counts tell:
//! an object has as many references as it counts, and where others explain the whole count a slot is none of them.

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use rustc_hash::FxHashMap;

use super::found::Found;
use super::holders::Rows;
use super::objects::HEAP;

/// What counts references in the first word of an object; newer releases have flags above it.
pub const REFERENCE_COUNT: u64 = (1 << 32) - 1;
/// Places of the sieve that keeps most targets out of the table.
const SIEVE: usize = 1 << 14;

/// Makes rows of all targets, and decides which words on value stacks are references.
pub fn resolve<M: ReadMemory>(memory: &mut M, layout: &Layout, found: &mut Found, rows: &Rows) {
    found.objects.resolve(&found.spots, rows.count, &rows.held);
    let running = (0..rows.count as u32).chain(found.running.iter().copied());
    let open: Vec<(usize, u32)> = running.flat_map(|row| found.objects.perhaps_left(row)).collect();
    if open.is_empty() {
        return;
    }
    let known = count(found.objects.sure_targets(), open.iter().map(|&(_, target)| target));
    for (number, target) in open {
        let counter = found.address_of(target).wrapping_add(layout.object.refcnt);
        // Where no count can be read the object stays held.
        let references = memory.word(counter).map_or(u64::MAX, |word| word & REFERENCE_COUNT);
        let is_explained = known.get(&target).is_some_and(|&known| known >= references);
        found.objects.decide(number, target == HEAP || is_explained);
    }
}

/// How many of `targets` are each of the `wanted` rows.
pub fn count(targets: impl Iterator<Item = u32>, wanted: impl Iterator<Item = u32>) -> FxHashMap<u32, u64> {
    let mut counts: FxHashMap<u32, u64> = wanted.map(|row| (row, 0)).collect();
    let mut sieve = [false; SIEVE];
    for &row in counts.keys() {
        sieve[row as usize % SIEVE] = true;
    }
    for target in targets.filter(|&target| sieve[target as usize % SIEVE]) {
        if let Some(count) = counts.get_mut(&target) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_counted() {
        let targets = [3, 3 + SIEVE as u32, 4, 3].into_iter();
        let counts = count(targets, [3, 9].into_iter());
        assert_eq!((counts.get(&3), counts.get(&9), counts.len()), (Some(&2), Some(&0), 2));
    }
}
