//! The recorder's own process as memory to be read: carefully, as long as it is not proved what stands there, and directly.

use std::ffi::c_void;

use cpython::marks::{Spot, Written};
use cpython::memory::{Fault, ReadMemory};

use crate::system;

/// Reads through the system, which answers with an error where nothing is mapped.
pub struct Checked {
    file: i32,
    bytes: Vec<u8>,
}

impl Checked {
    /// `None` when there is no `/proc`.
    pub fn open() -> Option<Checked> {
        // SAFETY: the path is a C string.
        let file = unsafe { system::open(c"/proc/self/mem".as_ptr(), system::O_CLOEXEC) };
        let bytes = Vec::new();
        (file >= 0).then_some(Checked { file, bytes })
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        // SAFETY: the descriptor is our own.
        unsafe { system::close(self.file) };
    }
}

impl ReadMemory for Checked {
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        /// Nothing that is read of an interpreter is longer.
        const LONGEST: usize = 64 << 20;
        let fault = Fault { at: address, length };
        if length > LONGEST {
            return Err(fault);
        }
        self.bytes.resize(length, 0);
        let into = self.bytes.as_mut_ptr().cast::<c_void>();
        // SAFETY: `bytes` has room for `length` bytes.
        let read = unsafe { system::pread64(self.file, into, length, address as i64) };
        if read != length as isize {
            return Err(fault);
        }
        Ok(&self.bytes)
    }
}

/// Reads where the bytes stand. Only for what belongs to the calls of the thread that reads, of an interpreter whose layout
/// was proved: that is there, and nobody else changes it.
pub struct Direct(());

impl Direct {
    /// # Safety
    ///
    /// Only what the interpreter itself would follow may be read: the frames of the calling thread, from the innermost on,
    /// their code objects and what these are made of.
    pub unsafe fn trusting() -> Direct {
        Direct(())
    }
}

impl Direct {
    /// Marks a frame.
    ///
    /// # Safety
    ///
    /// The spot was found in this state of the frames of the calling thread.
    #[inline]
    pub unsafe fn mark(&mut self, spot: &Spot, written: Written) {
        // SAFETY: the interpreter writes there itself, aligned words and halves, and reads nothing there at this time.
        unsafe {
            match written {
                Written::Word(word) => *(spot.address as *mut u64) = word,
                Written::Half(half) => *(spot.address as *mut u32) = half,
            }
        }
    }
}

impl ReadMemory for Direct {
    #[inline(always)]
    fn read(&mut self, address: u64, length: usize) -> Result<&[u8], Fault> {
        /// Programs have no addresses from here on, and none in the first page.
        const END: u64 = 1 << 47;
        const FIRST: u64 = 4096;
        const ROOM: u64 = END - FIRST;
        // One comparison where the length is known beforehand: every allocation reads a dozen words.
        if length as u64 > ROOM || address.wrapping_sub(FIRST) > ROOM - length as u64 {
            return Err(Fault { at: address, length });
        }
        // SAFETY: whoever made this value promised to follow pointers of the interpreter's only, which lead to such bytes.
        Ok(unsafe { std::slice::from_raw_parts(address as *const u8, length) })
    }
}
