//! Objects in made-up memory.

#![allow(dead_code, reason = "each test uses a part")]

use super::Fake;

/// An object of this type, with words at positions behind its head.
pub fn object(memory: &mut Fake, type_address: u64, length: usize, words: &[(u64, u64)]) -> u64 {
    let address = memory.block(length + 64) + 64;
    memory.word(address, 1);
    memory.word(address + 8, type_address);
    for &(position, value) in words {
        memory.word(address + position, value);
    }
    address
}

/// A block of these words.
pub fn words(memory: &mut Fake, values: &[u64]) -> u64 {
    let address = memory.block(8 * values.len());
    for (index, &value) in values.iter().enumerate() {
        memory.word(address + 8 * index as u64, value);
    }
    address
}

/// The keys of a dict with eight slots, entries of `kind` (0 general, 1 text, 2 shared) as 3.11 and later have them, or of
/// the only kind that there was before.
pub fn keys(memory: &mut Fake, minor: u8, kind: u8, holders: u64, free: u64, entries: &[(u64, u64)]) -> u64 {
    let entry = if minor <= 10 || kind == 0 { 24 } else { 16 };
    let head = if minor <= 10 { 40 } else { 32 };
    let address = memory.block(head + 8 + 5 * entry);
    memory.word(address, holders);
    if minor <= 10 {
        memory.word(address + 8, 8);
        memory.word(address + 24, free);
        memory.word(address + 32, entries.len() as u64);
    } else {
        memory.put(address + 8, &[3, 3, kind]);
        memory.word(address + 16, free);
        memory.word(address + 24, entries.len() as u64);
    }
    for (index, &(key, value)) in entries.iter().enumerate() {
        let at = address + (head + 8 + index * entry) as u64 + (entry as u64 - 16);
        memory.word(at, key);
        memory.word(at + 8, value);
    }
    address
}
