//! The rows of a recording, from bytes to data.

use std::mem::{offset_of, size_of};

use super::{Area, Call, Dropped, ReadFile, SampledBlock, StackRow, Thread};
use crate::form::{
    AREA_BYTES, AREAS, AreaHead, BLOCKS, BLOCKS_AT, Block, Domain, Frame, HEAD_BYTES, LENGTH_BITS, LONGEST_TEXT, Room,
    SLOTS, SLOTS_AT, Slot, Stack, Stacks, TALLIES, TALLIES_AT, Tally,
};
use crate::tallies::tallied;
use crate::totals::{counters, thread};
use crate::weight::Weight;

/// The area with this number; `None` when its process has not begun.
pub fn area(file: &mut impl ReadFile, room: Room, number: usize) -> Option<Area> {
    let start = HEAD_BYTES + number * AREA_BYTES;
    let head = file.read(start, size_of::<AreaHead>());
    let of_head = |offset: usize| word(&head, offset);
    let process = of_head(offset_of!(AreaHead, process));
    if process == 0 {
        return None;
    }
    let mut table = |at: usize, used: usize, most: usize, row: usize| {
        let rows = bounded(of_head(used), most);
        file.read(start + at, rows * row)
    };
    let slots = table(SLOTS_AT, offset_of!(AreaHead, slots_used), SLOTS, size_of::<Slot>());
    let blocks = table(BLOCKS_AT, offset_of!(AreaHead, blocks_used), BLOCKS, size_of::<Block>());
    let stacks = table(
        room.stacks_at,
        offset_of!(AreaHead, stacks_used),
        room.stacks,
        size_of::<Stack>(),
    );
    let frames = table(
        room.frames_at,
        offset_of!(AreaHead, frames_used),
        room.frames,
        size_of::<Frame>(),
    );
    let texts = table(room.text_at, offset_of!(AreaHead, text_used), room.text_bytes, 1);
    let tallies = table(
        TALLIES_AT,
        offset_of!(AreaHead, tallies_used),
        TALLIES,
        size_of::<Tally>(),
    );
    // What no thread of its own counted stands in the last slot.
    let last = file.read(start + SLOTS_AT + (SLOTS - 1) * size_of::<Slot>(), size_of::<Slot>());
    let threads = rows::<Slot>(&slots).take(SLOTS - 1).map(thread);
    let shared = rows::<Slot>(&last).map(|row| Thread {
        id: None,
        ..thread(row)
    });
    let peak = of_head(offset_of!(AreaHead, peak));
    let hooked = of_head(offset_of!(AreaHead, hooked));
    let domains = Domain::ALL.into_iter();
    let [_, _, _, _, _, python @ ..] = of_head(offset_of!(AreaHead, python)).to_be_bytes();
    let command = text(&texts, of_head(offset_of!(AreaHead, command)));
    let words = command.split_terminator('\0').map(str::to_owned);
    Some(Area {
        process,
        number,
        serial: of_head(offset_of!(AreaHead, serial)),
        python: Some(python).filter(|&[major, ..]| major > 0),
        started: of_head(offset_of!(AreaHead, started)) as f64 / 1e9,
        executable: text(&texts, of_head(offset_of!(AreaHead, executable))),
        command: words.collect(),
        earlier: Domain::ALL.map(|domain| counters(&head, offset_of!(AreaHead, earlier), domain)),
        earlier_processes: of_head(offset_of!(AreaHead, earlier_processes)),
        parent: bounded(of_head(offset_of!(AreaHead, parent)), AREAS).checked_sub(1),
        hooked: domains.filter(|&domain| hooked >> domain as u32 & 1 == 1).collect(),
        stacks: *Stacks::ALL
            .get(bounded(of_head(offset_of!(AreaHead, stacks)), Stacks::ALL.len()))
            .unwrap_or(&Stacks::Unknown),
        threads: threads.chain(shared).collect(),
        now: of_head(offset_of!(AreaHead, now)),
        peak_bytes: of_head(offset_of!(AreaHead, peak_bytes)),
        blocks: rows::<Block>(&blocks).filter_map(|row| block(row, peak)).collect(),
        tallies: rows::<Tally>(&tallies).filter_map(|row| tallied(row, peak)).collect(),
        stack_rows: rows::<Stack>(&stacks).enumerate().map(stack).collect(),
        rest: weight_of(head.get(offset_of!(AreaHead, rest)..).unwrap_or_default()),
        frames: rows::<Frame>(&frames).map(|row| call(row, &texts)).collect(),
        dropped: Dropped {
            blocks: of_head(offset_of!(AreaHead, blocks_dropped)),
            stacks: of_head(offset_of!(AreaHead, stacks_dropped)),
            mappings: of_head(offset_of!(AreaHead, mappings_dropped)),
        },
    })
}

fn block(row: &[u8], peak: u64) -> Option<SampledBlock> {
    let birth = word(row, offset_of!(Block, birth));
    let death = word(row, offset_of!(Block, death));
    let is_alive = death == 0;
    let was_at_peak = birth <= peak && (is_alive || death > peak);
    if birth == 0 || !(is_alive || was_at_peak) {
        return None;
    }
    Some(SampledBlock {
        address: word(row, offset_of!(Block, address)),
        size: word(row, offset_of!(Block, size)),
        stack: word(row, offset_of!(Block, stack)),
        domain: Domain::numbered(word(row, offset_of!(Block, domain)))?,
        birth,
        is_alive,
        was_at_peak,
    })
}

fn stack((index, row): (usize, &[u8])) -> StackRow {
    let parent = word(row, offset_of!(Stack, parent));
    StackRow {
        // Callers come before the called: a chain of rows always ends.
        parent: if parent <= index as u64 { parent } else { 0 },
        frame: word(row, offset_of!(Stack, frame)),
        allocated: weight_of(row),
    }
}

/// What is summed up in the row of a stack.
fn weight_of(row: &[u8]) -> Weight {
    let sum = |offset: usize| Some(f64::from_bits(word(row, offset))).filter(|sum| sum.is_finite() && *sum > 0.0);
    Weight {
        blocks: sum(offset_of!(Stack, blocks)).unwrap_or_default(),
        bytes: sum(offset_of!(Stack, bytes)).unwrap_or_default(),
        variance: sum(offset_of!(Stack, variance)).unwrap_or_default(),
        seen: sum(offset_of!(Stack, seen)).unwrap_or_default(),
    }
}

fn call(row: &[u8], texts: &[u8]) -> Call {
    if word(row, offset_of!(Frame, whole)) != 1 {
        return Call::default();
    }
    let line = word(row, offset_of!(Frame, line)).checked_sub(1);
    Call {
        function: text(texts, word(row, offset_of!(Frame, function))),
        file: text(texts, word(row, offset_of!(Frame, file))),
        line: line.and_then(|line| u32::try_from(line).ok()),
    }
}

fn text(texts: &[u8], place: u64) -> String {
    let length = bounded(place & ((1 << LENGTH_BITS) - 1), LONGEST_TEXT);
    let offset = bounded(place >> LENGTH_BITS, texts.len());
    let bytes = texts.get(offset..).unwrap_or_default();
    String::from_utf8_lossy(&bytes[..length.min(bytes.len())]).into_owned()
}

fn rows<T>(table: &[u8]) -> impl Iterator<Item = &[u8]> {
    table.chunks_exact(size_of::<T>())
}

pub fn bounded(number: u64, most: usize) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).min(most)
}

/// The word at `offset`; zero when the bytes end before it.
pub fn word(bytes: &[u8], offset: usize) -> u64 {
    match bytes.get(offset..).and_then(|rest| rest.first_chunk()) {
        Some(&word) => u64::from_le_bytes(word),
        None => 0,
    }
}
