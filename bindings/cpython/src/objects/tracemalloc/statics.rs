//! Finds tables that only static variables without a name point at, by what they are.

use std::ops::Range;

use super::{LEAST_A_TRACE, MOST_DOMAINS, TRACE_SIZE, Tables, Untold, Whereabouts, domain_of, trace};
use crate::layout::Layout;
use crate::memory::{ReadMemory, word_at};
use crate::objects::hashtable::Table;

/// Data is read a page at a time: not every page of a segment need be there.
const PAGE: u64 = 4096;
/// The C library aligns what it gives.
const ALIGNMENT: u64 = 16;
/// Nothing of the program's own lies below.
const LOWEST: u64 = 1 << 16;
/// User addresses end here.
const HIGHEST: u64 = 1 << 47;
/// No program has traced more.
const MOST_BYTES: u64 = 1 << 40;

/// The tables of traces and of domains: the only ones of which all is as it has to be.
pub(super) fn find<M: ReadMemory>(memory: &mut M, layout: &Layout, at: &Whereabouts) -> Result<Tables, Untold> {
    let mut tables = Vec::new();
    for word in pointers(memory, at) {
        if let Ok(table) = Table::read(memory, layout, word)
            && (1..=at.mapped / LEAST_A_TRACE).contains(&table.count)
            && table.has_functions_in(memory, layout, &at.image)
        {
            tables.push(table);
        }
    }
    let mut traces = tables.iter().filter(|table| has_traces(memory, layout, table));
    let (Some(&first), None) = (traces.next(), traces.next()) else {
        return Err(Untold::NotFound);
    };
    let domains = tables
        .iter()
        .find(|table| has_domains(memory, layout, table, &at.image));
    Ok(Tables {
        traces: first,
        domains: domains.copied(),
    })
}

/// What the interpreter's variables point at outside of its image, each address once and in order.
fn pointers<M: ReadMemory>(memory: &mut M, at: &Whereabouts) -> Vec<u64> {
    let is_own = |word: u64| at.image.iter().any(|range| range.contains(&word));
    let mut found = Vec::new();
    for_each_word(memory, &at.data, |_, word| {
        if (LOWEST..HIGHEST).contains(&word) && word.is_multiple_of(ALIGNMENT) && !is_own(word) {
            found.push(word);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

fn for_each_word<M: ReadMemory>(memory: &mut M, ranges: &[Range<u64>], mut see: impl FnMut(u64, u64)) {
    for range in ranges {
        let mut at = range.start.next_multiple_of(8);
        while at < range.end {
            let length = (PAGE - at % PAGE).min(range.end - at);
            if let Ok(bytes) = memory.read(at, length as usize) {
                for (place, word) in bytes.chunks_exact(8).enumerate() {
                    see(at + 8 * place as u64, word_at(word, 0));
                }
            }
            at += length;
        }
    }
}

/// Whether keys are pointers with their hashes, and values traces; in 3.8 the table itself says how long these are.
fn has_traces<M: ReadMemory>(memory: &mut M, layout: &Layout, table: &Table) -> bool {
    if table.data_size.is_some_and(|size| size != TRACE_SIZE) {
        return false;
    }
    let entries = table.sample(memory, layout).unwrap_or_default();
    !entries.is_empty() && entries.iter().all(|entry| trace(memory, entry, None).is_ok())
}

/// Whether all keys are numbers, and all values tables.
fn has_domains<M: ReadMemory>(memory: &mut M, layout: &Layout, table: &Table, code: &[Range<u64>]) -> bool {
    if table.data_size.is_some() {
        return false;
    }
    let entries = table.entries(memory, layout, MOST_DOMAINS).unwrap_or_default();
    let is_domain = |entry: &_| {
        domain_of(entry).is_ok()
            && Table::read(memory, layout, entry.value).is_ok_and(|table| table.has_functions_in(memory, layout, code))
    };
    !entries.is_empty() && entries.iter().all(is_domain)
}

/// Whether a variable counts as many `bytes`, and the peak of that, which stands beside it.
///
/// The compiler puts the two variables, which are declared together, next to each other and to the pointer at the table
/// of `traces`; in which order is up to it. What stands on the other side is a pointer.
pub(super) fn counts<M: ReadMemory>(memory: &mut M, at: &Whereabouts, traces: u64, bytes: u64) -> (bool, Option<u64>) {
    let (mut counted, mut pointer) = (Vec::new(), None);
    for_each_word(memory, &at.data, |address, word| {
        if word == bytes {
            counted.push(address);
        } else if word == traces {
            pointer = Some(address);
        }
    });
    let distance = |address: &u64| pointer.map_or(0, |pointer: u64| pointer.abs_diff(*address));
    let nearest = counted.iter().copied().min_by_key(distance);
    let peak = nearest.and_then(|counted| {
        let beside = [counted.wrapping_sub(8), counted.wrapping_add(8)];
        let mut peaks = beside.into_iter().filter_map(|address| {
            let word = memory.word(address).ok()?;
            let is_pointer = word.is_multiple_of(ALIGNMENT) && memory.byte(word).is_ok();
            ((bytes..MOST_BYTES).contains(&word) && !is_pointer).then_some(word)
        });
        peaks.next().filter(|_| peaks.next().is_none())
    });
    (nearest.is_some(), peak)
}
