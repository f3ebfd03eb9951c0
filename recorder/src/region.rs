//! The shared memory that the recorder writes to: an area of the file that the profiler made.

use std::ffi::CStr;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use recording::form::{
    AREA_BYTES, AREAS, AreaHead, BLOCKS, BLOCKS_AT, Block, ENVIRONMENT, FileHead, Frame, HEAD_BYTES, MAGIC, Room,
    SLOTS, SLOTS_AT, Slot, Stack, TALLIES, TALLIES_AT, Tally, VERSION,
};

use crate::system;

/// The area of this process; null when nothing is recorded.
static AREA: AtomicPtr<u8> = AtomicPtr::new(null_mut());
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
}

/// How long this recording's tables are.
pub fn room() -> Room {
    Room::of(sample_bytes())
}

/// Whether the program was started by somebody who wants a recording.
pub fn is_wanted() -> bool {
    path().is_some()
}

/// Opens the file and claims an area of it, for this process to be recorded. What is wrong there is nothing that the
/// program could do anything about: it goes on unrecorded, and the profiler says so.
pub fn begin(parent: usize) {
    let Some(area) = path().and_then(|path| open(path, parent)) else {
        AREA.store(null_mut(), Ordering::Release);
        NUMBER.store(0, Ordering::Relaxed);
        return;
    };
    AREA.store(area, Ordering::Release);
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

fn path() -> Option<&'static CStr> {
    // SAFETY: the environment is looked at before the program has threads, or in a child that has one alone.
    let value = unsafe { system::getenv(ENVIRONMENT.as_ptr()) };
    // SAFETY: a variable's value is a C string; it is copied from before anybody could change it.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
}

fn open(path: &CStr, parent: usize) -> Option<*mut u8> {
    // SAFETY: the path is a C string.
    let file = unsafe { system::open(path.as_ptr(), system::O_RDWR | system::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    let area = claim(file, parent);
    // SAFETY: this is our own descriptor; mappings stay.
    unsafe { system::close(file) };
    area
}

fn claim(file: i32, parent: usize) -> Option<*mut u8> {
    let head = system::map(HEAD_BYTES, system::MAP_SHARED, file, 0)?.cast::<FileHead>();
    // SAFETY: the profiler has given the file its full length before it named it to anybody.
    let head = unsafe { &*head };
    if head.magic.load(Ordering::Relaxed) != MAGIC || head.version.load(Ordering::Relaxed) != VERSION {
        return None;
    }
    let number = head.claimed.fetch_add(1, Ordering::Relaxed) as usize;
    if number >= AREAS {
        return None;
    }
    SAMPLE_BYTES.store(head.sample_bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    SEED.store(head.seed.load(Ordering::Relaxed), Ordering::Relaxed);
    let area = system::map(room().end, system::MAP_SHARED, file, HEAD_BYTES + number * AREA_BYTES)?;
    NUMBER.store(number + 1, Ordering::Relaxed);
    // SAFETY: an area begins with its head.
    let of_area = unsafe { &*area.cast::<AreaHead>() };
    of_area.parent.store(parent as u64, Ordering::Relaxed);
    // SAFETY: the call has no arguments and cannot fail.
    let pid = unsafe { system::getpid() };
    of_area.pid.store(pid as u64, Ordering::Release);
    Some(area)
}
