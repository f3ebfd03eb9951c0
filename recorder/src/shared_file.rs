//! Where parts of the recording's file are mapped from: the file itself, or what this process has mapped of it already.

use std::ffi::CStr;

use crate::system;

/// The file, open or not.
pub enum SharedFile {
    Open(i32),
    /// Mapped from its beginning on, at this address.
    Mapped(*mut u8),
}

impl SharedFile {
    pub fn open(path: &CStr) -> Option<SharedFile> {
        // SAFETY: the path is a C string.
        let file = unsafe { system::open(path.as_ptr(), system::O_RDWR | system::O_CLOEXEC) };
        (file >= 0).then_some(SharedFile::Open(file))
    }

    /// So much of it from `offset` on, which is a multiple of the size of pages.
    pub fn map(&self, length: usize, offset: usize) -> Option<*mut u8> {
        match *self {
            SharedFile::Open(file) => system::map(length, system::MAP_SHARED, file, offset),
            // All before it as well, which takes no more than addresses, and is given back at once.
            SharedFile::Mapped(start) => {
                let all = system::map_again(start, offset.checked_add(length)?)?;
                if offset > 0 {
                    // SAFETY: the pages are in front of what is answered, and nobody knows of them.
                    unsafe { system::unmap(all, offset) };
                }
                // SAFETY: so much was mapped.
                Some(unsafe { all.add(offset) })
            }
        }
    }
}

impl Drop for SharedFile {
    fn drop(&mut self) {
        if let SharedFile::Open(file) = *self {
            // SAFETY: this is our own descriptor; mappings stay.
            unsafe { system::close(file) };
        }
    }
}
