//! Finding a Python interpreter among the images that a program has mapped.
//!
//! Whichever image exports `_PyRuntime` is one: an executable or a library, stripped, deleted or embedded. Only when
//! none exports it are the files behind the images asked for symbols that they keep to themselves.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use cpython::memory::ReadMemory;

use crate::error::Error;
use crate::target::elf::{self, Found, Image, Symbol, SymbolFile};
use crate::target::maps::{self, Mapping};
use crate::target::module_file;
use crate::target::process::Process;

const RUNTIME: &str = "_PyRuntime";
const VERSION: &str = "Py_Version";
const FINALIZE: &str = "Py_FinalizeEx";
/// These shut the interpreter down too, in some builds without calling the former: it may be folded into them.
const OTHER_ENDS: [&str; 2] = ["Py_Exit", "Py_Finalize"];
const TYPE_TYPE: &str = "PyType_Type";
const NONE: &str = "_Py_NoneStruct";
/// Older releases export it; newer ones have it in `_PyRuntime`.
const TRACEMALLOC_CONFIG: &str = "_Py_tracemalloc_config";
/// The section that holds `_PyRuntime` and nothing else, in newer releases; stripping leaves it.
const RUNTIME_SECTION: &str = ".PyRuntime";
/// Every CPython exports it, from the first to the last.
const GET_VERSION: &str = "Py_GetVersion";
const PYPY: [&str; 3] = ["pypy_main_startup", "pypy_execute_source", "rpython_startup_code"];

/// Where an interpreter stands in a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The address of `_PyRuntime`.
    pub runtime: u64,
    /// Its size as the image states it.
    pub runtime_size: Option<u64>,
    /// The address of `Py_Version`, where the interpreter has it.
    pub version_symbol: Option<u64>,
    /// The address of `Py_FinalizeEx`.
    pub finalize: Option<u64>,
    /// The addresses of all functions that shut it down, that one first.
    pub ends: Vec<u64>,
    pub type_type: Option<u64>,
    pub none: Option<u64>,
    /// The address of `_Py_tracemalloc_config`, where the interpreter has it.
    pub tracemalloc_config: Option<u64>,
    /// The executable or library, as the process's own mount namespace names it.
    pub module_path: PathBuf,
    /// The loaded segments of that image.
    pub module_ranges: Vec<Range<u64>>,
    /// Those of them that the program may change.
    pub data_ranges: Vec<Range<u64>>,
}

/// What is asked of a program beside its memory.
pub trait Program {
    fn pid(&self) -> u32;
    /// The name to call it by in messages.
    fn name(&self) -> String;
    /// Opens the very file that is mapped there.
    fn mapped_file(&self, mapping: &Mapping) -> Option<File>;
    fn is_kernel_thread(&self) -> bool;
}

impl Program for Process {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn name(&self) -> String {
        Process::name(self)
    }

    fn mapped_file(&self, mapping: &Mapping) -> Option<File> {
        module_file::open(self, mapping)
    }

    fn is_kernel_thread(&self) -> bool {
        Process::is_kernel_thread(self)
    }
}

/// An image and the file it came from.
struct Module<'a> {
    mapping: &'a Mapping,
    image: Image,
}

/// All interpreters of the program, the most likely one first; never an empty list.
pub fn find_interpreters(
    program: &impl Program,
    maps: &[Mapping],
    memory: &mut dyn ReadMemory,
) -> Result<Vec<Interpreter>, Error> {
    let (modules, bits32) = modules(maps, memory);
    if modules.is_empty() && bits32 {
        return Err(Error::Bits32 {
            pid: program.pid(),
            name: program.name(),
        });
    }
    let mut found = exporting(&modules, memory);
    if found.is_empty() {
        found = modules.iter().filter_map(|module| from_file(program, module)).collect();
    }
    found.retain(|interpreter| interpreter.is_loaded(maps));
    if found.is_empty() {
        Err(refusal(program, maps, &modules, memory))
    } else {
        Ok(found)
    }
}

/// The images that are mapped, those of files first; and whether there are any of 32 bits.
fn modules<'a>(maps: &'a [Mapping], memory: &mut dyn ReadMemory) -> (Vec<Module<'a>>, bool) {
    let mut modules = Vec::new();
    let mut bits32 = false;
    for mapping in maps
        .iter()
        .filter(|mapping| mapping.offset == 0 && mapping.is_readable_memory())
    {
        match elf::image_at(memory, mapping.start) {
            Ok(Found::Image(image)) => modules.push(Module { mapping, image }),
            Ok(Found::Bits32) => bits32 = true,
            Ok(Found::Nothing) | Err(_) => {}
        }
    }
    modules.sort_by_key(|module| module.mapping.inode == 0);
    (modules, bits32)
}

/// The interpreters that the dynamic symbol tables tell of.
fn exporting(modules: &[Module], memory: &mut dyn ReadMemory) -> Vec<Interpreter> {
    let mut owners = Vec::new();
    // A program may hold copies of a library's variables (copy relocations), and then those are in use.
    let mut program = None;
    for module in modules {
        if module.image.exported(memory, FINALIZE).is_some() {
            owners.push(module);
        } else if module.image.is_program {
            program = program.or(Some(module));
        }
    }
    let mut found = Vec::new();
    for owner in owners {
        let mut data = |name| {
            let copied = program.and_then(|program| program.image.exported(memory, name));
            copied
                .or_else(|| owner.image.exported(memory, name))
                .filter(|symbol| !symbol.is_function)
        };
        let wanted = [RUNTIME, VERSION, TYPE_TYPE, NONE, TRACEMALLOC_CONFIG];
        let [Some(runtime), version, type_type, none, tracing] = wanted.map(&mut data) else {
            continue;
        };
        let finalize = owner.image.exported(memory, FINALIZE);
        let [exit, finalize_quietly] = OTHER_ENDS.map(|name| owner.image.exported(memory, name));
        let others = [version, finalize, exit, finalize_quietly, type_type, none, tracing];
        found.push(owner.interpreter(runtime, others));
    }
    found
}

/// The interpreter that the file behind a module tells of: one that exports nothing, or has no dynamic section at all.
fn from_file(program: &impl Program, module: &Module) -> Option<Interpreter> {
    let file = program.mapped_file(module.mapping)?;
    let symbols = SymbolFile::open(&file)?;
    let bias = module.image.bias;
    let moved = |symbol: Symbol| Symbol {
        address: bias.wrapping_add(symbol.address),
        ..symbol
    };
    let [runtime, others @ ..] = symbols.symbols([
        RUNTIME,
        VERSION,
        FINALIZE,
        OTHER_ENDS[0],
        OTHER_ENDS[1],
        TYPE_TYPE,
        NONE,
        TRACEMALLOC_CONFIG,
    ]);
    let in_section = || {
        symbols.section(RUNTIME_SECTION).map(|(address, size)| Symbol {
            address,
            size,
            is_function: false,
        })
    };
    let runtime = moved(runtime.or_else(in_section)?);
    let known = |symbol: Option<Symbol>| symbol.map(moved).filter(|symbol| module.image.contains(symbol.address));
    module
        .image
        .is_data(runtime.address)
        .then(|| module.interpreter(runtime, others.map(known)))
}

impl Module<'_> {
    fn interpreter(&self, runtime: Symbol, others: [Option<Symbol>; 7]) -> Interpreter {
        let others = others.map(|symbol| symbol.map(|symbol| symbol.address));
        let [
            version_symbol,
            finalize,
            exit,
            finalize_quietly,
            type_type,
            none,
            tracemalloc_config,
        ] = others;
        Interpreter {
            runtime: runtime.address,
            runtime_size: Some(runtime.size).filter(|&size| size > 0),
            version_symbol,
            finalize,
            ends: [finalize, exit, finalize_quietly].into_iter().flatten().collect(),
            type_type,
            none,
            tracemalloc_config,
            module_path: self.path().to_owned(),
            module_ranges: self
                .image
                .segments
                .iter()
                .map(|segment| segment.range.clone())
                .collect(),
            data_ranges: self.image.data_ranges(),
        }
    }

    fn path(&self) -> &Path {
        self.mapping.path.as_deref().unwrap_or(Path::new("[anonymous memory]"))
    }

    fn is_pypy(&self, memory: &mut dyn ReadMemory) -> bool {
        let name = self
            .path()
            .file_name()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        let by_name = ["pypy", "libpypy"].iter().any(|start| name.starts_with(start));
        by_name || PYPY.iter().any(|symbol| self.image.exported(memory, symbol).is_some())
    }
}

/// What the process is, when it is not what we look for.
fn refusal(program: &impl Program, maps: &[Mapping], modules: &[Module], memory: &mut dyn ReadMemory) -> Error {
    let (pid, name) = (program.pid(), program.name());
    if let Some(module) = modules.iter().find(|module| module.is_pypy(memory)) {
        return Error::PyPy {
            pid,
            module: module.path().to_owned(),
        };
    }
    let old = modules
        .iter()
        .find(|module| module.image.exported(memory, GET_VERSION).is_some());
    match old {
        Some(module) => {
            let version = version_text(memory, &module.image.data_ranges());
            Error::TooOld {
                pid,
                version,
                module: module.path().to_owned(),
            }
        }
        None if maps.is_empty() && program.is_kernel_thread() => Error::KernelThread { pid, name },
        // The memory goes before the rest of a process that ends.
        None if maps.is_empty() => Error::Exited { pid },
        None => Error::NotPython {
            pid,
            name,
            images: modules.len(),
        },
    }
}

impl Interpreter {
    /// Whether its data can be written and its code executed: in a file that a program merely looks into they cannot.
    fn is_loaded(&self, maps: &[Mapping]) -> bool {
        let mapping = |address| maps::containing(maps, address);
        mapping(self.runtime).is_some_and(|mapping| mapping.writable)
            && self
                .finalize
                .is_none_or(|code| mapping(code).is_some_and(|mapping| mapping.executable))
    }

    /// The version as `sys.version` begins: from the text that `Py_GetVersion` puts
    /// together at the start, which is the same in every release and needs no layout to be found.
    pub fn version_text(&self, memory: &mut dyn ReadMemory) -> Option<String> {
        version_text(memory, &self.data_ranges)
    }
}

fn version_text(memory: &mut dyn ReadMemory, data: &[Range<u64>]) -> Option<String> {
    const PIECE: u64 = 1 << 18;
    /// The text is at most this long, so pieces overlap by as much.
    const TEXT: u64 = 250;
    const MOST: u64 = 1 << 26;
    for range in data {
        let end = range.end.min(range.start.saturating_add(MOST));
        let mut at = range.start;
        while at < end {
            let length = (end - at).min(PIECE + TEXT);
            // The last page of a segment need not be mapped to its end; what is missing holds no text.
            if let Ok(bytes) = memory.read(at, length as usize)
                && let Some(version) = version_in(bytes)
            {
                return Some(version);
            }
            at = at.saturating_add(PIECE);
        }
    }
    None
}

/// Finds `VERSION (BUILD) [COMPILER]`, as getversion.c puts it together; distributors add words before the parenthesis.
fn version_in(bytes: &[u8]) -> Option<String> {
    const LONGEST: usize = 250;
    let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    let middles = bytes
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| *pair == b") ")
        .map(|(at, _)| at);
    for middle in middles {
        let after = &bytes[middle + 2..];
        if !(after.starts_with(b"[") || after.starts_with(b"\n[")) {
            continue;
        }
        let before = &bytes[middle.saturating_sub(LONGEST)..middle];
        let start = before.iter().rposition(|&byte| !printable(byte)).map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&before[start..]).unwrap_or_default();
        if let Some(version) = text.split(' ').find(|word| is_version(word)) {
            return Some(version.to_owned());
        }
    }
    None
}

fn is_version(word: &str) -> bool {
    let mut parts = word.splitn(3, '.');
    let number =
        |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    number(parts.next())
        && number(parts.next())
        && parts
            .next()
            .is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_builders_text() {
        let texts = [
            ("\0\x013.12.1 (main, Jan  1 2024, 00:00:00) [GCC 12.2.0]\0", "3.12.1"),
            (
                "\0\x002.7.18 (default, Jul 20 2020, 00:00:00) \n[GCC 4.9.2]\0",
                "2.7.18",
            ),
            (
                "\x023.11.5 | packaged by conda-forge | (main, Aug 27 2023, 03:34:09) [GCC 12.3.0]\0",
                "3.11.5",
            ),
            (
                "(nothing) [here]\0\x053.15.0rc1+ (heads/3.15:abc, Aug  1 2026, 1:1:1) [Clang 18.1]\0",
                "3.15.0rc1+",
            ),
        ];
        for (text, version) in texts {
            assert_eq!(version_in(text.as_bytes()).as_deref(), Some(version));
        }
        assert_eq!(version_in(b"f(x) [y] 1.2 (z) [w]"), None);
    }
}
