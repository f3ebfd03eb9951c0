//! Files and sockets, as far as the operating system knows them.

use crate::layout::Layout;
use crate::memory::{ReadMemory, Unreadable};

/// The descriptor of a `_io.FileIO` or a `_socket.socket`: the `int` behind the object's head in both (`fileio`,
/// Modules/_io/fileio.c; `PySocketSockObject`, Modules/socketmodule.h). `None` for what is closed.
pub fn descriptor_of<M: ReadMemory>(memory: &mut M, layout: &Layout, address: u64) -> Result<Option<u32>, Unreadable> {
    let word = memory.word(address.wrapping_add(layout.object.size))?;
    let descriptor = word as u32 as i32;
    Ok(u32::try_from(descriptor).ok())
}
