//! Finds out which CPython a runtime belongs to, from the process itself.

use crate::debug_offsets::Head;
use crate::layout::Layout;
use crate::memory::{ReadMemory, Unreadable};
use crate::objects::{dict, int};
use crate::refusal::Refused;
use crate::version::Version;
use crate::versions::MINORS;

/// Where a runtime stands, as the symbols of its file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Address of `_PyRuntime`.
    pub runtime: u64,
    /// Its `st_size`, which is `sizeof(_PyRuntimeState)` in that build; `None` when it is not known.
    pub runtime_size: Option<u64>,
    /// Address of `Py_Version` (3.11 and later).
    pub py_version: Option<u64>,
}

/// Which CPython it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub version: Version,
    /// Whether the runtime begins with `_Py_DebugOffsets`.
    pub head: Option<Head>,
}

/// Finds out the exact version of the runtime at `symbols.runtime`. Free-threaded builds are refused here: nothing else
/// of them is where the tables say.
pub fn identify(memory: &mut impl ReadMemory, symbols: &Symbols) -> Result<Identity, Refused> {
    if let Some(head) = Head::read(memory, symbols.runtime)? {
        let version = head.version;
        if head.free_threaded {
            return Err(Refused::FreeThreaded { version });
        }
        return Ok(Identity {
            version,
            head: Some(head),
        });
    }
    let version = match symbols.py_version {
        Some(address) => Version(memory.half(address)?),
        None => ask_sys(memory, symbols)?,
    };
    Ok(Identity { version, head: None })
}

/// The version that the module `sys` states, read with the layout of each release that has no `_Py_DebugOffsets`.
/// A layout is believed when it leads to a version of its own minor.
fn ask_sys(memory: &mut impl ReadMemory, symbols: &Symbols) -> Result<Version, Refused> {
    let same_size = |layout: &Layout| symbols.runtime_size.is_none_or(|size| size == layout.runtime.size);
    let without_offsets = MINORS.iter().filter(|minor| minor.debug_offsets.is_empty());
    let candidates: Vec<&Layout> = without_offsets
        .filter_map(|minor| minor.layouts.last().copied())
        .collect();
    let mut starting = false;
    // Those of another size come last: a build of its own is then still named by its version.
    for fitting in [true, false] {
        for layout in candidates.iter().filter(|layout| same_size(layout) == fitting) {
            match stated_version(memory, layout, symbols.runtime) {
                Ok(Some(version)) if version.is_same_minor(layout.since) => return Ok(version),
                Ok(None) => starting |= fitting,
                Ok(Some(_)) | Err(_) => {}
            }
        }
    }
    Err(if starting {
        Refused::NotInitialised
    } else {
        Refused::Unrecognised {
            size: symbols.runtime_size,
        }
    })
}

/// `sys.hexversion` of the first interpreter; `None` while there is none, or no such name in it.
fn stated_version(memory: &mut impl ReadMemory, layout: &Layout, runtime: u64) -> Result<Option<Version>, Unreadable> {
    let interpreter = memory.word(runtime.wrapping_add(layout.runtime.interpreters_main))?;
    if interpreter == 0 {
        return Ok(None);
    }
    let sysdict = memory.word(interpreter.wrapping_add(layout.interpreter.sysdict))?;
    if sysdict == 0 {
        return Ok(None);
    }
    hexversion(memory, layout, sysdict)
}

/// `hexversion` in the namespace of `sys` at `sysdict`; `None` when the name is not there.
pub fn hexversion(memory: &mut impl ReadMemory, layout: &Layout, sysdict: u64) -> Result<Option<Version>, Unreadable> {
    let Some(address) = dict::get_str(memory, layout, sysdict, "hexversion")? else {
        return Ok(None);
    };
    let value = int::int_value(memory, layout, address)?;
    match value.and_then(|value| u32::try_from(value).ok()) {
        Some(value) => Ok(Some(Version(value))),
        None => Err(Unreadable::Implausible {
            what: "sys.hexversion",
            at: address,
        }),
    }
}
