//! Ways to damage a program's memory: at places that matter, with values that tempt.

use std::collections::BTreeMap;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::runtime;

use crate::copy::Copy;

/// A small generator of random numbers (splitmix64), the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

/// Places of a healthy program by what stands there.
pub struct Places {
    /// Tracked objects by type, so that rare types are met as often as frequent ones.
    objects: Vec<Vec<u64>>,
    types: Vec<u64>,
    /// The runtime, its interpreters and threads: where they begin, and how many words count.
    structures: Vec<(u64, u64)>,
    /// Heads of the collector's lists.
    heads: Vec<u64>,
    layout: Layout,
}

impl Places {
    pub fn of(memory: &mut Copy, layout: &Layout, runtime: u64) -> Places {
        let interpreters = runtime::interpreters(memory, layout, runtime).unwrap();
        let mut structures = vec![(runtime, layout.runtime.size / 8)];
        for interpreter in &interpreters {
            structures.push((interpreter.address, layout.interpreter.size / 8));
            for thread in runtime::threads(memory, layout, interpreter.address).unwrap() {
                structures.push((thread, layout.thread.size / 8));
            }
        }
        let collectors = runtime::collectors(memory, layout, runtime, &interpreters).unwrap();
        let heads: Vec<u64> = collectors
            .iter()
            .flat_map(|collector| collector.heads(layout))
            .collect();
        let mut by_type: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for &head in &heads {
            let mut node = memory.word(head).unwrap() & !layout.object.gc_bits;
            while node != head {
                let object = node + layout.object.gc_head;
                let type_of = memory.word(object + layout.object.ob_type).unwrap();
                by_type.entry(type_of).or_default().push(object);
                node = memory.word(node).unwrap() & !layout.object.gc_bits;
            }
        }
        Places {
            types: by_type.keys().copied().collect(),
            objects: by_type.into_values().collect(),
            structures,
            heads,
            layout: *layout,
        }
    }

    fn object(&self, random: &mut Random) -> u64 {
        let alike = random.one_of(&self.objects);
        *random.one_of(alike)
    }

    /// Damages one place.
    pub fn damage(&self, memory: &mut Copy, random: &mut Random) {
        let place = self.place(memory, random);
        match random.below(40) {
            0 => memory.lose(place),
            1 => {
                let page = place & !4095;
                memory.write(page, &[0; 4096]);
            }
            2..=7 => {
                if let Ok(byte) = memory.byte(place) {
                    let flipped = byte ^ 1 << random.below(8);
                    memory.write(place, &[flipped]);
                }
            }
            8..=11 => {
                let half = [0, 1, 7, 0x7fff_ffff, 0xffff_ffff, 0x0100_0000][random.below(6) as usize];
                memory.write(place & !3, &u32::to_le_bytes(half));
            }
            _ => {
                let value = self.value(memory, random, place);
                memory.write(place & !7, &value.to_le_bytes());
            }
        }
    }

    /// Somewhere that somebody reads.
    fn place(&self, memory: &mut Copy, random: &mut Random) -> u64 {
        match random.below(16) {
            0 | 1 => {
                let (start, words) = *random.one_of(&self.structures);
                // Most of an interpreter is caches: what is read stands at the beginning, or in lists of its own.
                let words = if random.below(2) == 0 { words.min(64) } else { words };
                start + 8 * random.below(words)
            }
            2 => *random.one_of(&self.heads) + 8 * random.below(2),
            3 => *random.one_of(&self.types) + 8 * random.below(self.layout.types.heap_size / 8 + 8),
            4 => self.object(random) - 8 * random.below(5),
            5..=8 => self.object(random) + 8 * random.below(12),
            _ => {
                // What an object points at: its tables, frames, blocks, other objects; and what these point at.
                let mut at = self.object(random) + 8 * random.below(14);
                for _ in 0..=random.below(2) {
                    at = match memory.word(at & !7) {
                        Ok(target) => target.wrapping_add(8 * random.below(10)),
                        Err(_) => at,
                    };
                }
                at.wrapping_add(random.below(8))
            }
        }
    }

    /// Something that a careless reader would follow, multiply or count to.
    fn value(&self, memory: &mut Copy, random: &mut Random, place: u64) -> u64 {
        match random.below(12) {
            0 => 0,
            1 => random.below(1000),
            2 => 1 << random.below(64),
            3 => (1u64 << random.below(64)).wrapping_sub(1 + random.below(16)),
            4 => u64::MAX - random.below(64),
            5 => place & !7,
            6 => place.wrapping_sub(8 * random.below(64)) & !7,
            7 => *random.one_of(&self.types),
            8 => self.object(random) + random.below(32),
            9 => random.next(),
            10 => memory.word(place & !7).unwrap_or(0).wrapping_add(8 << random.below(20)),
            _ => self.object(random),
        }
    }
}
