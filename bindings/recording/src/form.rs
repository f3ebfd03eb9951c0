//! Where everything stands in the shared memory, as structures of atomic words. A new file is all zero, which is valid.
//!
//! The file is a [`FileHead`] and [`AREAS`] areas of [`AREA_BYTES`] each. An area is an [`AreaHead`], [`SLOTS`] counters of
//! threads, and tables of blocks, stacks, frames and texts, one after the other. Where every block is recorded there are
//! longer tables behind these ([`Room`]), with one of tallies. What is never written takes no memory: a recording grows by
//! using its tables.

use std::ffi::CStr;
use std::mem::size_of;
use std::sync::atomic::{AtomicI64, AtomicU64};

/// What the file begins with.
pub const MAGIC: u64 = u64::from_le_bytes(*b"pymemrec");
/// Changes with every change of the form.
pub const VERSION: u64 = 4;
/// Where the recorder is told the path of the file.
pub const ENVIRONMENT: &CStr = c"PYMEMSCOPE_RECORDING";
/// What the file of the recorder's library is called, which has no path either.
pub const LIBRARY_NAME: &CStr = c"pymemscope-recorder";
/// What the file of the shared memory is called. It has no path; what has it mapped shows this name.
pub const FILE_NAME: &CStr = c"pymemscope-recording";
/// One block is sampled in so many bytes.
pub const SAMPLE_BYTES: u64 = 512 << 10;

/// Processes of one recording at the same time; further ones are counted and not recorded.
pub const AREAS: usize = 1024;
/// Threads of one process that have counters of their own at the same time; further ones share the last.
pub const SLOTS: usize = 512;
/// Sampled blocks that are alive or were at the peak.
pub const BLOCKS: usize = 1 << 17;
/// Stacks that blocks were allocated with, by domain, where every block is recorded.
pub const TALLIES: usize = 1 << 21;
/// Longer texts are cut.
pub const LONGEST_TEXT: usize = 1024;
/// Deeper calls are left out of stacks, from the outermost on.
pub const MOST_CALLS: usize = 256;

/// Who gave out a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// `PyMem_RawMalloc` and its kin.
    Raw,
    /// `PyMem_Malloc`.
    Mem,
    /// `PyObject_Malloc`.
    Object,
    /// `malloc`, called by anything but CPython's allocators.
    C,
    /// `mmap` of anonymous memory, called by anything but these.
    Mapped,
}

impl Domain {
    pub const ALL: [Domain; 5] = [Domain::Raw, Domain::Mem, Domain::Object, Domain::C, Domain::Mapped];

    /// The domain with this number in [`Domain::ALL`].
    pub fn numbered(number: u64) -> Option<Domain> {
        Domain::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// What the file begins with. The profiler writes the first three and `seed` before anybody else sees it.
#[repr(C)]
#[derive(Debug)]
pub struct FileHead {
    pub magic: AtomicU64,
    pub version: AtomicU64,
    /// [`SAMPLE_BYTES`] unless told; 0 when every block is recorded.
    pub sample_bytes: AtomicU64,
    /// How many areas were ever used; no more than [`AREAS`] are.
    pub claimed: AtomicU64,
    /// What chance begins with in each thread; 0 when that is to be another number each time.
    pub seed: AtomicU64,
    /// Counts the processes that got an area, each program that one executes for itself.
    pub serial: AtomicU64,
    /// Processes that found no area.
    pub unrecorded: AtomicU64,
    /// The [`process`] that recorded first: the program that is looked at.
    pub program: AtomicU64,
    /// Set by the profiler when it has taken notice of `program`.
    pub attended: AtomicU64,
}

/// A process in one word: its number, and the inode of the namespace that it has this number in.
pub const fn process(namespace: u32, pid: u32) -> u64 {
    (namespace as u64) << 32 | pid as u64
}

/// The number of such a process in its namespace.
pub const fn pid(process: u64) -> u32 {
    process as u32
}

/// What is counted of one domain, by one thread.
#[repr(C)]
#[derive(Debug)]
pub struct Counters {
    /// Bytes as they were asked for.
    pub requested: AtomicU64,
    /// Bytes that the blocks occupied, without what the allocator keeps for itself.
    pub allocated: AtomicU64,
    pub blocks: AtomicU64,
    /// Of what `allocated` counts, and of blocks that were there before the recording.
    pub freed: AtomicU64,
    pub freed_blocks: AtomicU64,
}

/// The counters of a thread, which alone writes them; those of the last slot anybody may write.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Slot {
    /// Bytes to be allocated until the recorder looks up.
    pub countdown: AtomicI64,
    pub counters: [Counters; Domain::ALL.len()],
    /// The system's number of the thread; 0 when it is free. A thread that gets a slot after another counts on.
    pub owner: AtomicU64,
    /// Bytes from the next look to the next sample.
    pub further: AtomicI64,
    /// The state of the thread's random numbers.
    pub random: AtomicU64,
}

/// What an area begins with.
///
/// When its process has ended, another one may take the area. Its threads count on from where the counters stand, so that
/// nothing that was counted can be lost; `earlier` says what of it the processes before have counted.
#[repr(C)]
#[derive(Debug)]
pub struct AreaHead {
    /// Whose it is ([`process`]); 0 before the first.
    pub process: AtomicU64,
    /// By [`FileHead::serial`]; published last, and 0 while the area changes hands.
    pub serial: AtomicU64,
    /// What the counters stood at when the process came, by domain, and how many had the area before.
    pub earlier: [Counters; Domain::ALL.len()],
    pub earlier_processes: AtomicU64,
    /// The interpreter's version: major, minor and micro, a byte each, the last lowest.
    pub python: AtomicU64,
    /// Nanoseconds since 1970 when the recording began.
    pub started: AtomicU64,
    /// Texts: the file that is executed, and the words of the command line, each with a zero behind it.
    pub executable: AtomicU64,
    pub command: AtomicU64,
    /// The number of its parent's area plus one, for a process made by `fork`.
    pub parent: AtomicU64,
    /// Which of CPython's domains are hooked, a bit each.
    pub hooked: AtomicU64,
    /// Whether stacks can be read: see [`Stacks`].
    pub stacks: AtomicU64,
    /// Counts what happened to sampled blocks.
    pub now: AtomicU64,
    /// When most was alive, by `now`, and what was alive then, in bytes. Where every block is recorded, how many peaks there
    /// were, each higher than the one before.
    pub peak: AtomicU64,
    pub peak_bytes: AtomicU64,
    /// What is alive of all blocks, where every one is recorded.
    pub alive_bytes: AtomicU64,
    /// Rows of the tables that were ever used.
    pub slots_used: AtomicU64,
    pub blocks_used: AtomicU64,
    pub stacks_used: AtomicU64,
    pub frames_used: AtomicU64,
    pub text_used: AtomicU64,
    pub tallies_used: AtomicU64,
    /// What found no room: sampled blocks, and stacks of samples, which then count as [`REST`].
    pub blocks_dropped: AtomicU64,
    pub stacks_dropped: AtomicU64,
    pub mappings_dropped: AtomicU64,
}

/// Whether an interpreter's stacks can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stacks {
    /// Its interpreter has not started.
    Waiting,
    Read,
    /// It is none that is known.
    Unknown,
}

impl Stacks {
    pub const ALL: [Stacks; 3] = [Stacks::Waiting, Stacks::Read, Stacks::Unknown];
}

/// A sampled block. It was there at the peak when `birth` is not after it and `death` is 0 or after it.
#[repr(C)]
#[derive(Debug)]
pub struct Block {
    /// 0 before the row is used for the first time.
    pub address: AtomicU64,
    pub size: AtomicU64,
    /// The number of its stack; 0 when that is not known.
    pub stack: AtomicU64,
    pub domain: AtomicU64,
    /// By `now`; published last, and 0 while the row is written.
    pub birth: AtomicU64,
    /// 0 while it is alive.
    pub death: AtomicU64,
}

/// A stack: a call, and the stack of its caller. The row with number `n` stands at `n - 1`.
#[repr(C)]
#[derive(Debug)]
pub struct Stack {
    /// The caller's number; 0 for the outermost call.
    pub parent: AtomicU64,
    /// The number of its frame; published last.
    pub frame: AtomicU64,
    /// What all samples of it stand for ([`crate::weight`]), as bits of `f64`.
    pub blocks: AtomicU64,
    pub bytes: AtomicU64,
    pub variance: AtomicU64,
    pub seen: AtomicU64,
}

/// The number of the row that takes the place of all stacks for which there is no room: the first one, which has no frame.
pub const REST: u64 = 1;

/// The number of the row for what all samples stand for that have no stack, and whose blocks have the number 0: the second one,
/// which has no frame either.
pub const STACKLESS: u64 = 2;

/// A line of a function. The row with number `n` stands at `n - 1`.
#[repr(C)]
#[derive(Debug)]
pub struct Frame {
    pub function: AtomicU64,
    pub file: AtomicU64,
    /// The line plus one; 0 where instructions belong to none.
    pub line: AtomicU64,
    /// 1 when the others are there.
    pub whole: AtomicU64,
}

/// What is counted of the blocks of one stack and domain, where every block is recorded.
///
/// Nothing is copied at a new peak: a row that changes afterwards first says what it was then.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Tally {
    /// The number of the stack, 0 when it is not known, and above it that of the domain: see [`whose`].
    pub whose: AtomicU64,
    /// All that was ever allocated.
    pub blocks: AtomicU64,
    pub bytes: AtomicU64,
    pub alive_blocks: AtomicU64,
    pub alive_bytes: AtomicU64,
    /// What was alive at the peak, when `as_of` is that peak's number; else that is what is alive now.
    pub peak_blocks: AtomicU64,
    pub peak_bytes: AtomicU64,
    pub as_of: AtomicU64,
}

/// The word [`Tally::whose`].
pub const fn whose(stack: u32, domain: Domain) -> u64 {
    (domain as u64) << 32 | stack as u64
}

/// A text in the table of texts: its offset and, in the lowest [`LENGTH_BITS`] bits, its length.
pub const fn text(offset: usize, length: usize) -> u64 {
    (offset as u64) << LENGTH_BITS | length as u64
}

/// Enough for [`LONGEST_TEXT`].
pub const LENGTH_BITS: u32 = 16;

/// The bytes of the file's head, with what makes areas begin at a page.
pub const HEAD_BYTES: usize = 4096;
/// Where the tables begin in an area that are there in any recording.
pub const SLOTS_AT: usize = 4096;
pub const BLOCKS_AT: usize = SLOTS_AT + SLOTS * size_of::<Slot>();
const SAMPLED_AT: usize = BLOCKS_AT + BLOCKS * size_of::<Block>();
/// Where those do that are there when every block is recorded.
pub const TALLIES_AT: usize = Room::SAMPLED.end;
const EXACT_AT: usize = TALLIES_AT + TALLIES * size_of::<Tally>();
pub const AREA_BYTES: usize = Room::EXACT.end;
pub const FILE_BYTES: usize = HEAD_BYTES + AREAS * AREA_BYTES;

/// The tables of stacks, frames and texts, which are longer where every block is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub stacks: usize,
    pub stacks_at: usize,
    pub frames: usize,
    pub frames_at: usize,
    pub text_bytes: usize,
    pub text_at: usize,
    /// Up to here an area is used.
    pub end: usize,
}

impl Room {
    pub const SAMPLED: Room = Room::from(SAMPLED_AT, 1 << 16, 1 << 15, 4 << 20);
    pub const EXACT: Room = Room::from(EXACT_AT, 1 << 22, 1 << 18, 64 << 20);

    /// Of a recording with these [`FileHead::sample_bytes`].
    pub const fn of(sample_bytes: u64) -> Room {
        if sample_bytes == 0 { Room::EXACT } else { Room::SAMPLED }
    }

    const fn from(start: usize, stacks: usize, frames: usize, text_bytes: usize) -> Room {
        let frames_at = start + stacks * size_of::<Stack>();
        let text_at = frames_at + frames * size_of::<Frame>();
        Room {
            stacks,
            stacks_at: start,
            frames,
            frames_at,
            text_bytes,
            text_at,
            end: (text_at + text_bytes).next_multiple_of(4096),
        }
    }
}

/// A sampled recording of one process stays below this.
const _: () = assert!(Room::SAMPLED.end < 64 << 20);
const _: () = assert!(size_of::<FileHead>() <= HEAD_BYTES && size_of::<AreaHead>() <= SLOTS_AT);
const _: () = assert!(LONGEST_TEXT < 1 << LENGTH_BITS && size_of::<Slot>().is_multiple_of(64));
