//! The shared memory that the recorder writes to: an area of the file that the profiler made.

use std::ptr::null_mut;
use std::sync::atomic::Ordering::{self, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use recording::form::{
    AREA_BYTES, AREAS, AreaHead, BLOCKS, BLOCKS_AT, Block, Counters, FileHead, Frame, HEAD_BYTES, MAGIC, Room, SLOTS,
    SLOTS_AT, STACKLESS, Slot, Stack, TALLIES, TALLIES_AT, Tally, VERSION, process,
};

use crate::claim::{Areas, claim, is_left};
use crate::shared_file::SharedFile;
use crate::{environment, facts, system};

/// The area of this process; null when nothing is recorded.
static AREA: AtomicPtr<u8> = AtomicPtr::new(null_mut());
/// The page that the file begins with; null before it was mapped.
static FILE: AtomicPtr<u8> = AtomicPtr::new(null_mut());
/// Its number plus one.
static NUMBER: AtomicUsize = AtomicUsize::new(0);
/// See `FileHead::sample_bytes`.
static SAMPLE_BYTES: AtomicU64 = AtomicU64::new(0);
/// See `FileHead::seed`.
static SEED: AtomicU64 = AtomicU64::new(0);

/// The shared memory of this process. It stays mapped for as long as the process lives.
#[derive(Clone, Copy)]
pub struct Area(*mut u8);

impl Area {
    /// `None` when nothing is recorded.
    #[inline]
    pub fn get() -> Option<Area> {
        let start = AREA.load(Ordering::Acquire);
        (!start.is_null()).then_some(Area(start))
    }

    pub fn head(self) -> &'static AreaHead {
        // SAFETY: an area begins with its head, and any bytes are a valid one.
        unsafe { &*self.0.cast() }
    }

    pub fn slots(self) -> &'static [Slot; SLOTS] {
        // SAFETY: the form has this table here, within the area; any bytes are valid atomics.
        unsafe { &*self.0.add(SLOTS_AT).cast() }
    }

    pub fn blocks(self) -> &'static [Block; BLOCKS] {
        // SAFETY: as for `slots`.
        unsafe { &*self.0.add(BLOCKS_AT).cast() }
    }

    pub fn stacks(self) -> &'static [Stack] {
        let room = room();
        // SAFETY: as for `slots`; so much of the area is mapped.
        unsafe { std::slice::from_raw_parts(self.0.add(room.stacks_at).cast(), room.stacks) }
    }

    pub fn frames(self) -> &'static [Frame] {
        let room = room();
        // SAFETY: as for `stacks`.
        unsafe { std::slice::from_raw_parts(self.0.add(room.frames_at).cast(), room.frames) }
    }

    /// Empty unless every block is recorded.
    #[inline]
    pub fn tallies(self) -> &'static [Tally] {
        if sample_bytes() != 0 {
            return &[];
        }
        // SAFETY: as for `stacks`.
        unsafe { std::slice::from_raw_parts(self.0.add(TALLIES_AT).cast(), TALLIES) }
    }

    /// Writes bytes of texts, of which the reader takes notice when a row speaks of them.
    pub fn write_text(self, offset: usize, text: &[u8]) {
        let room = room();
        // Callers have asked for the room: what does not fit is a mistake of the recorder's own.
        debug_assert!(offset + text.len() <= room.text_bytes);
        // SAFETY: the bytes lie within the table, which only the holder of the lock writes.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), self.0.add(room.text_at + offset), text.len()) };
    }

    /// Makes all tables zero but for the counters of threads, and gives back the room that they took.
    fn clear_tables(self) {
        // SAFETY: these are whole pages of the area, where this process has written nothing yet.
        unsafe { system::clear(self.0.add(BLOCKS_AT), room().end - BLOCKS_AT) };
    }
}

/// How long this recording's tables are.
pub fn room() -> Room {
    Room::of(sample_bytes())
}

/// Claims an area of the file, for this process to be recorded. What is wrong there is nothing that the program could do
/// anything about: it goes on unrecorded, and the profiler says so.
pub fn begin(parent: usize) {
    let file = environment::memory().and_then(SharedFile::open).or_else(inherited);
    let area = file.and_then(|file| begin_in(&file, parent));
    if area.is_none() {
        NUMBER.store(0, Ordering::Relaxed);
    }
    AREA.store(area.unwrap_or(null_mut()), Ordering::Release);
}

/// In a child made by `fork`: what its parent has mapped of the file leads to all of it where the child may not open it, as
/// another user, or cannot, since it has as many files open as it may.
fn inherited() -> Option<SharedFile> {
    let head = FILE.load(Relaxed);
    (!head.is_null()).then_some(SharedFile::Mapped(head))
}

/// The number of this process's area plus one; 0 when it has none.
pub fn number() -> usize {
    NUMBER.load(Ordering::Relaxed)
}

/// One sample is taken in so many bytes; 0 when every block is.
#[inline]
pub fn sample_bytes() -> u64 {
    SAMPLE_BYTES.load(Ordering::Relaxed)
}

/// What chance begins with; 0 when that is left to the recorder.
pub fn seed() -> u64 {
    SEED.load(Ordering::Relaxed)
}

fn begin_in(file: &SharedFile, parent: usize) -> Option<*mut u8> {
    let file = File {
        head: map_head(file)?,
        file,
        namespace: facts::namespace(),
    };
    if file.head.magic.load(Relaxed) != MAGIC || file.head.version.load(Relaxed) != VERSION {
        return None;
    }
    let serial = file.head.serial.fetch_add(1, Relaxed) + 1;
    // SAFETY: the call has no arguments and cannot fail.
    let mine = process(file.namespace, unsafe { system::getpid() } as u32);
    // A program that executes another one is looked at further: nothing that others counted is to stand beside that.
    let is_program = mine == file.head.program.load(Relaxed);
    let fresh = is_program.then(|| file.fresh(mine)).flatten();
    let claimed = fresh.or_else(|| claim(&file, mine, serial as usize));
    SAMPLE_BYTES.store(file.head.sample_bytes.load(Relaxed), Relaxed);
    SEED.store(file.head.seed.load(Relaxed), Relaxed);
    let area = claimed.and_then(|number| file.file.map(room().end, place(number)));
    let (Some(number), Some(start)) = (claimed, area) else {
        file.head.unrecorded.fetch_add(1, Relaxed);
        return None;
    };
    NUMBER.store(number + 1, Relaxed);
    let area = Area(start);
    let head = area.head();
    head.serial.store(0, Relaxed);
    succeed(area);
    // All others come behind it.
    head.stacks_used.store(STACKLESS, Relaxed);
    head.parent.store(parent as u64, Relaxed);
    facts::describe(area);
    head.serial.store(serial, Ordering::Release);
    if file.head.program.compare_exchange(0, mine, Relaxed, Relaxed).is_ok() {
        facts::wait_to_be_attended(&file.head.attended);
    }
    Some(start)
}

/// Maps the page that the file begins with, if that was not done before; it stays.
fn map_head(file: &SharedFile) -> Option<&'static FileHead> {
    let head = match file {
        SharedFile::Mapped(head) => *head,
        SharedFile::Open(_) => file.map(HEAD_BYTES, 0)?,
    };
    FILE.store(head, Relaxed);
    // SAFETY: the profiler has given the file its full length before it named it to anybody, and any bytes are a valid head.
    Some(unsafe { &*head.cast::<FileHead>() })
}

/// Where the area with this number begins in the file.
fn place(number: usize) -> usize {
    HEAD_BYTES + number * AREA_BYTES
}

/// The file while an area of it is claimed.
struct File<'a> {
    head: &'static FileHead,
    file: &'a SharedFile,
    namespace: u32,
}

impl Areas for File<'_> {
    fn used(&self) -> usize {
        (self.head.claimed.load(Relaxed) as usize).min(AREAS)
    }

    fn fresh(&self, mine: u64) -> Option<usize> {
        if self.used() == AREAS {
            return None;
        }
        let number = self.head.claimed.fetch_add(1, Relaxed) as usize;
        (number < AREAS && self.hand_over(number, 0, mine)).then_some(number)
    }

    fn owner(&self, number: usize) -> u64 {
        self.with_head(number, |head| head.process.load(Relaxed)).unwrap_or(0)
    }

    fn is_over(&self, owner: u64) -> bool {
        // SAFETY: the call has no arguments and cannot fail.
        let mine = process(self.namespace, unsafe { system::getpid() } as u32);
        is_left(owner, mine, self.head.program.load(Relaxed), facts::has_ended)
    }

    fn hand_over(&self, number: usize, owner: u64, mine: u64) -> bool {
        let exchange = |head: &AreaHead| head.process.compare_exchange(owner, mine, Relaxed, Relaxed).is_ok();
        self.with_head(number, exchange).unwrap_or(false)
    }
}

impl File<'_> {
    /// Looks at what an area begins with.
    fn with_head<R>(&self, number: usize, look: impl FnOnce(&AreaHead) -> R) -> Option<R> {
        let page = self.file.map(HEAD_BYTES, place(number))?;
        // SAFETY: an area begins with its head.
        let seen = look(unsafe { &*page.cast::<AreaHead>() });
        // SAFETY: the page was mapped above, and nobody knows of it.
        unsafe { system::unmap(page, HEAD_BYTES) };
        Some(seen)
    }
}

/// Empties the tables that a process before has left, and notes what it counted.
fn succeed(area: Area) {
    let head = area.head();
    let slots = area.slots();
    if head.started.load(Relaxed) == 0 {
        return;
    }
    let used = (head.slots_used.load(Relaxed) as usize).min(SLOTS - 1);
    head.earlier_processes.fetch_add(1, Relaxed);
    for (number, earlier) in head.earlier.iter().enumerate() {
        let all = slots[..used].iter().chain(&slots[SLOTS - 1..]);
        let sum = |of: fn(&Counters) -> &AtomicU64| {
            let counted = all.clone().map(|slot| of(&slot.counters[number]).load(Relaxed));
            counted.fold(0, u64::wrapping_add)
        };
        earlier.requested.store(sum(|counters| &counters.requested), Relaxed);
        earlier.allocated.store(sum(|counters| &counters.allocated), Relaxed);
        earlier.blocks.store(sum(|counters| &counters.blocks), Relaxed);
        earlier.freed.store(sum(|counters| &counters.freed), Relaxed);
        earlier
            .freed_blocks
            .store(sum(|counters| &counters.freed_blocks), Relaxed);
    }
    for slot in &slots[..used] {
        slot.owner.store(0, Relaxed);
    }
    area.clear_tables();
    let emptied = [
        &head.hooked,
        &head.stacks,
        &head.peak,
        &head.peak_bytes,
        &head.alive_bytes,
        &head.blocks_used,
        &head.stacks_used,
        &head.frames_used,
        &head.text_used,
        &head.tallies_used,
        &head.blocks_dropped,
        &head.stacks_dropped,
        &head.mappings_dropped,
    ];
    for word in emptied {
        word.store(0, Relaxed);
    }
}
