//! What a request for memory really takes: the size classes of pymalloc, the chunks of the C library.

use crate::layout::Layout;
use crate::memory::{ReadMemory, word_at};

/// pymalloc serves requests up to this size and rounds them up to `CLASS`; `malloc` serves the others.
const SMALL_REQUEST: u64 = 512;
const CLASS: u64 = 16;
/// glibc's chunks: a word in front, multiples of 16, at least 32. The three low bits of the word are flags.
const CHUNK_HEADER: u64 = 8;
const SMALLEST_CHUNK: u64 = 32;
const CHUNK_FLAGS: u64 = 7;
/// How much larger than asked for a chunk is believed to be: a remainder that was not split off, or the rest of the
/// last page of a mapping.
const MOST_SLACK: u64 = 4096 + 64;
/// No address space has room for a larger request.
const LARGEST_REQUEST: u64 = 1 << 56;
/// `_PyMem_DebugRawAlloc` puts a size, an identifier and guard bytes before a block, and guard bytes behind it.
const DEBUG_FRONT: u64 = 16;
const DEBUG_BACK: u64 = 8;

/// Who serves requests for objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    pub pymalloc: bool,
    /// Guard bytes stand around each block (`PYTHONDEVMODE`, `PYTHONMALLOC=debug`).
    pub debug: bool,
}

impl Blocks {
    /// What a block of `request` bytes at `start` occupies.
    #[inline]
    pub fn size<M: ReadMemory>(self, memory: &mut M, start: u64, request: u64) -> u64 {
        let request = request.min(LARGEST_REQUEST);
        let (start, request) = if self.debug {
            (start.wrapping_sub(DEBUG_FRONT), request + DEBUG_FRONT + DEBUG_BACK)
        } else {
            (start, request)
        };
        if self.pymalloc && request <= SMALL_REQUEST {
            return small(request);
        }
        chunk_size(memory, start, request)
    }

    /// What a block of `request` bytes at `start` occupies that was had from the C library itself.
    pub fn size_of_raw<M: ReadMemory>(self, memory: &mut M, start: u64, request: u64) -> u64 {
        chunk_size(memory, start, request.min(LARGEST_REQUEST))
    }

    /// What the block at `start` occupies, for which `usual` bytes were asked, or one of the others: its pool tells.
    pub fn size_as_pooled<M: ReadMemory>(
        self,
        memory: &mut M,
        layout: &Layout,
        start: u64,
        usual: u64,
        others: [u64; 2],
    ) -> u64 {
        let most = self.largest_small();
        let differs = |other: &u64| small(*other) != small(usual) && usual.min(*other) <= most;
        if others.iter().any(differs) && !(usual <= most && is_pooled(memory, layout, start, usual)) {
            let is_it = |other: &u64| *other <= most && is_pooled(memory, layout, start, *other);
            if let Some(other) = others.into_iter().find(is_it) {
                return small(other);
            }
        }
        self.size(memory, start, usual)
    }

    /// Requests up to this take what `small` says, wherever they are; 0 when none do.
    #[inline]
    pub fn largest_small(self) -> u64 {
        if self.pymalloc && !self.debug { SMALL_REQUEST } else { 0 }
    }

    /// Whether a block of `request` bytes can start at `start`.
    pub fn may_hold<M: ReadMemory>(self, memory: &mut M, layout: &Layout, start: u64, request: u64) -> bool {
        if !start.is_multiple_of(CLASS) {
            return false;
        }
        if !self.pymalloc || self.debug || request > SMALL_REQUEST {
            return true;
        }
        is_pooled(memory, layout, start, request)
    }

    /// Whether a block that may have been resized to `request` bytes can start at `start`. One that shrinks a little stays
    /// where it is, and one that came from the C library stays there (`_PyObject_Realloc`, Objects/obmalloc.c).
    pub fn may_hold_resized<M: ReadMemory>(self, memory: &mut M, layout: &Layout, start: u64, request: u64) -> bool {
        if self.may_hold(memory, layout, start, request) {
            return true;
        }
        let larger = (small(request) + CLASS..=SMALL_REQUEST).step_by(CLASS as usize);
        let mut still_fitting = larger.take_while(|class| 3 * class < 4 * request);
        still_fitting.any(|class| self.may_hold(memory, layout, start, class))
            || start.is_multiple_of(CLASS) && has_chunk(memory, start, request)
    }

    /// Judges by a sample of objects, given as starts of blocks and the sizes asked for.
    pub fn judge<M: ReadMemory>(memory: &mut M, layout: &Layout, sample: &[(u64, u64)]) -> Blocks {
        let guarded = sample.iter().filter(|&&(start, _)| is_guarded(memory, start)).count();
        let debug = guarded * 2 > sample.len();
        let extra = if debug { DEBUG_FRONT + DEBUG_BACK } else { 0 };
        let front = if debug { DEBUG_FRONT } else { 0 };
        let pooled = sample
            .iter()
            .filter(|&&(start, request)| is_pooled(memory, layout, start.wrapping_sub(front), request + extra))
            .count();
        Blocks {
            pymalloc: sample.is_empty() || pooled * 2 > sample.len(),
            debug,
        }
    }
}

/// What pymalloc gives for a small request.
#[inline]
pub fn small(request: u64) -> u64 {
    request.max(1).next_multiple_of(CLASS)
}

/// The size that glibc wrote before the block, where that is plausible; else what its rules give.
#[cold]
fn chunk_size<M: ReadMemory>(memory: &mut M, start: u64, request: u64) -> u64 {
    written_size(memory, start, request).unwrap_or(least_chunk(request))
}

/// Whether glibc wrote a size before the block that is plausible.
fn has_chunk<M: ReadMemory>(memory: &mut M, start: u64, request: u64) -> bool {
    written_size(memory, start, request).is_some()
}

fn written_size<M: ReadMemory>(memory: &mut M, start: u64, request: u64) -> Option<u64> {
    let least = least_chunk(request);
    let size = memory.word(start.wrapping_sub(CHUNK_HEADER)).ok()? & !CHUNK_FLAGS;
    (least..=least + MOST_SLACK).contains(&size).then_some(size)
}

fn least_chunk(request: u64) -> u64 {
    (request + CHUNK_HEADER).next_multiple_of(CLASS).max(SMALLEST_CHUNK)
}

fn is_guarded<M: ReadMemory>(memory: &mut M, start: u64) -> bool {
    match memory.word(start.wrapping_sub(8)) {
        Ok(guard) => guard.to_le_bytes() == *b"o\xfd\xfd\xfd\xfd\xfd\xfd\xfd",
        Err(_) => false,
    }
}

/// Whether the pool that would hold the block is of the right class, and the block starts where one can.
fn is_pooled<M: ReadMemory>(memory: &mut M, layout: &Layout, start: u64, request: u64) -> bool {
    let at = &layout.allocator;
    let pool = start & !(at.pool_size - 1);
    let Ok(head) = memory.read(pool, at.pool_header as usize) else {
        return false;
    };
    let class = (word_at(head, at.pool_szidx) & 0xffff_ffff)
        .saturating_add(1)
        .saturating_mul(CLASS);
    class == request.next_multiple_of(CLASS)
        && (start - pool) >= at.pool_header
        && (start - pool - at.pool_header).is_multiple_of(class)
}
