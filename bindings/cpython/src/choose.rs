//! Chooses the layout of a runtime: the one that is said since its exact version, within the same minor.

use crate::debug_offsets::DebugOffsets;
use crate::identify::{Identity, Symbols};
use crate::layout::{ExitFunctions, Layout};
use crate::memory::{ReadMemory, Unreadable};
use crate::refusal::Refused;
use crate::version::Version;
use crate::versions::minor;

/// A layout that may fit, to be proved before it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub version: Version,
    pub layout: Layout,
    /// The release is newer than the newest that the tables were measured on.
    pub newer: bool,
    /// What a user should know of the choice, each a sentence.
    pub notes: Vec<String>,
}

/// Chooses the layout for the runtime that was identified.
///
/// Where it has `_Py_DebugOffsets`, these are laid over the table. A release that is newer than the tables is accepted
/// only when nothing in it differs from the newest that is known.
pub fn choose(memory: &mut impl ReadMemory, symbols: &Symbols, identity: &Identity) -> Result<Choice, Refused> {
    let version = identity.version;
    let unknown = Refused::UnknownVersion { version };
    let known = minor(version).ok_or(unknown.clone())?;
    let table = known
        .layouts
        .iter()
        .rev()
        .find(|layout| layout.since <= version)
        .ok_or(unknown)?;
    let layout = match identity
        .head
        .map(|head| DebugOffsets::read(memory, symbols.runtime, head))
    {
        Some(Ok(Some(offsets))) => offsets.lay_over(table),
        Some(Err(Unreadable::Implausible { what, .. })) => {
            let what = format!("its _Py_DebugOffsets place `{what}` outside of its structure");
            return Err(Refused::OtherBuild { version, what });
        }
        Some(Err(fault)) => return Err(fault.into()),
        Some(Ok(None)) | None => **table,
    };
    let mut choice = Choice {
        version,
        layout,
        newer: version > known.newest,
        notes: Vec::new(),
    };
    let difference = difference(&choice.layout, table, symbols.runtime_size);
    match difference {
        Some(difference) if choice.newer => {
            let newest = known.newest;
            let what = format!("{difference} than in {newest}, the newest release of its kind that is known");
            return Err(Refused::OtherBuild { version, what });
        }
        Some(difference) => choice
            .notes
            .push(format!("{difference} than in the usual build of CPython {version}")),
        None if choice.newer => {
            let newest = known.newest;
            choice.notes.push(format!(
                "CPython {version} is read as {newest}: it is newer, and nothing in it differs"
            ));
        }
        None => {}
    }
    if moved(&choice.layout, table) {
        forget_what_may_have_moved(&mut choice.layout);
    }
    Ok(choice)
}

/// The first thing that is not as the table has it, said so that "than in …" can follow.
fn difference(layout: &Layout, table: &Layout, runtime_size: Option<u64>) -> Option<String> {
    let size = runtime_size.unwrap_or(layout.runtime.size);
    let usual = (table.runtime.size, table.interpreter.size);
    let is_known = |runtime: u64, interpreter: u64| {
        let mut sizes = table.other_sizes.iter().copied().chain([usual]);
        sizes.any(|known| known == (runtime, interpreter))
    };
    if moved(layout, table) {
        return Some("members of its structures stand elsewhere".to_owned());
    }
    if size != layout.runtime.size && size != usual.0 {
        return Some(format!(
            "its _PyRuntime has another size ({size} bytes, not {})",
            usual.0
        ));
    }
    if !is_known(layout.runtime.size, layout.interpreter.size) {
        let found = (layout.runtime.size, layout.interpreter.size);
        return Some(format!(
            "its runtime and interpreter have other sizes ({found:?} bytes, not {usual:?})"
        ));
    }
    None
}

/// Whether anything but the sizes of the runtime and the interpreter differs.
fn moved(layout: &Layout, table: &Layout) -> bool {
    let mut resized = *layout;
    resized.runtime.size = table.runtime.size;
    resized.interpreter.size = table.interpreter.size;
    resized != *table
}

/// Drops the members of interpreters and threads that `_Py_DebugOffsets` do not speak of, because where they say that
/// some moved, others did too. The roots are then found through the objects that hold them.
fn forget_what_may_have_moved(layout: &mut Layout) {
    layout.interpreter.roots = &[];
    layout.interpreter.root_arrays = &[];
    layout.interpreter.exit_functions = ExitFunctions::Module;
    layout.interpreter.interned = None;
    layout.thread.roots = &[];
}
