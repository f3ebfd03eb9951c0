//! Object by object: what `sys.getsizeof` and `gc.get_referents` say in the program, the examiner says from outside.

mod interpreters;
mod profiler;
#[path = "sizes/sample.rs"]
mod sample;
mod targets;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use cpython::layout::{Layout, Values};
use cpython::objects::blocks::Blocks;
use cpython::objects::content::Content;
use cpython::objects::examine::Examiner;
use cpython::objects::types::{TypeInfo, flags, is_type, type_c_name};
use cpython::{ReadMemory, Symbols, recognise, runtime};
use interpreters::{Interpreter, for_each_interpreter};
use pymemscope::memory::process::ProcessMemory;
use pymemscope::target::open::{self, Stopping};
use pymemscope::target::static_data::static_data;
use sample::{Sample, Told, step_name};
use targets::{Target, attach};

/// References that `tp_traverse` leaves out, though the object owns them: the C name of a class, or of a base, and how
/// they are held. The collector need not know of them, because no cycle can lead through them, or because they are
/// told with another object.
const NOT_TRAVERSED: &[(&str, &[&str])] = &[
    // Text that names things.
    ("object", &["__name__"]),
    ("type", &["__qualname__", "__slots__", "Key"]),
    ("dict", &["Key"]),
    ("frozendict", &["Key"]),
    ("operator.methodcaller", &["name"]),
    ("_ctypes.CField", &["name"]),
    ("ctypes.CField", &["name"]),
    ("_io.StringIO", &["readnl", "written", "small"]),
    // What only C code can have put there.
    ("_io.BytesIO", &["buffer"]),
    ("_io.BufferedRWPair", &["reader", "writer"]),
    ("bytearray", &["bytes"]),
    // A dict of weak references.
    ("type", &["__subclasses__"]),
    ("enumerate", &["one"]),
    ("_json.Scanner", &["memo"]),
    ("_thread._local", &["key", "wr_callback"]),
    ("zlib.Decompress", &["unconsumed_tail", "unused_data"]),
    ("coroutine", &["origin"]),
    ("generator", &["gi_code"]),
    ("datetime.datetime", &["tzinfo"]),
    (
        "sqlite3.Connection",
        &[
            "DataError",
            "DatabaseError",
            "Error",
            "IntegrityError",
            "InterfaceError",
            "InternalError",
            "NotSupportedError",
            "OperationalError",
            "ProgrammingError",
            "Warning",
        ],
    ),
    // A frame that is on a thread's or in a generator's stack is told with these.
    (
        "frame",
        &[
            "Local",
            "Stack",
            "f_code",
            "f_frame",
            "frame_obj",
            "f_func",
            "f_funcobj",
        ],
    ),
];

/// What `tp_traverse` visits that the examiner tells with another object: with the links in the cache's dict; with the
/// object that is the `__dict__` of a type that `ctypes` made (up to 3.12).
const TOLD_ELSEWHERE: &[&str] = &["functools._lru_cache_wrapper", "_ctypes.PyCPointerType"];

/// Types whose `__sizeof__` is not reproduced. The report names them, and no other type of the standard library.
const OWN_SIZES: &[&str] = &[
    "_pickle.Pickler",
    "_pickle.Unpickler",
    "builtins.StgDict",
    "_ctypes.PyCArrayType",
    "_ctypes.PyCFuncPtrType",
    "_ctypes.PyCPointerType",
    "_ctypes.PyCSimpleType",
    "_ctypes.PyCStructType",
    "_ctypes.UnionType",
    "ctypes._endian._swapped_struct_meta",
    "ctypes._endian._swapped_union_meta",
];

/// A program with many objects, and what it says of each.
fn start(python: &Interpreter) -> (Target, Vec<Sample>) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let script = folder.join(format!("sizes-{}-{}.py", python.name(), std::process::id()));
    let samples = include_str!("../bindings/cpython/tests/support/samples.py");
    let (samples, _) = samples.split_once("name_offset = ").expect("the part that tells");
    let parts = [
        samples,
        include_str!("sizes/values.py"),
        include_str!("sizes/programs.py"),
        include_str!("sizes/telling.py"),
    ];
    std::fs::write(&script, parts.join("\n")).unwrap();
    let target = Target::spawn(python.command().arg(&script));
    let lines = std::iter::from_fn(|| Some(target.line()).filter(|line| line.trim_end() != "ready"));
    let samples = lines.map(|line| Sample::parse(line.trim_end())).collect();
    target.rests();
    std::fs::remove_file(script).unwrap();
    (target, samples)
}

fn check(python: &Interpreter) {
    let (program, samples) = start(python);
    assert!(samples.len() > 650, "only {} samples", samples.len());
    let report = attach(program.pid(), &[]);
    let own_sizes = own_sizes(&report["capture"]["warnings"].to_string());
    let mut target = open::Target::open(program.pid(), Stopping::NotIntended).unwrap();
    let found = &target.interpreters[0];
    let symbols = Symbols {
        runtime: found.runtime,
        runtime_size: found.runtime_size,
        py_version: found.version_symbol,
    };
    let memory = &mut target.memory;
    let layout = recognise(memory, &symbols).unwrap().layout;
    let interpreters = runtime::interpreters(memory, &layout, symbols.runtime).unwrap();
    let addresses = interpreters.iter().map(|each| each.address).collect();
    let blocks = Blocks {
        pymalloc: true,
        debug: false,
    };
    let statics = static_data(memory, &target.maps);
    let mut eye = Eye {
        memory,
        layout: &layout,
        examiner: Examiner::new(&layout, blocks, statics.clone(), addresses),
        statics,
    };
    let mut wrong: BTreeSet<String> = samples
        .iter()
        .flat_map(|sample| eye.differences(sample, &own_sizes))
        .collect();
    let unexpected = own_sizes.iter().filter(|name| !OWN_SIZES.contains(&name.as_str()));
    wrong.extend(unexpected.map(|name| format!("{name} is said to have a __sizeof__ of its own")));
    if report["capture"]["objects_rejected"] != 0 {
        wrong.insert(format!(
            "{} objects are rejected",
            report["capture"]["objects_rejected"]
        ));
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "Python {}:\n  {}", python.name(), wrong.join("\n  "));
}

/// The types that a warning names as having a size of their own.
fn own_sizes(warnings: &str) -> BTreeSet<String> {
    let (_, names) = warnings.split_once("counted by formula: ").unwrap_or_default();
    let (names, _) = names.split_once(".\"").unwrap_or_default();
    names
        .split(", ")
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Looks at objects from outside.
struct Eye<'a> {
    memory: &'a mut ProcessMemory,
    layout: &'a Layout,
    examiner: Examiner<'a>,
    statics: Vec<Range<u64>>,
}

impl Eye<'_> {
    /// All that is told otherwise than the program says it.
    fn differences(&mut self, sample: &Sample, own_sizes: &BTreeSet<String>) -> Vec<String> {
        let name = &sample.type_name;
        let type_address = self.memory.word(sample.address + self.layout.object.ob_type).unwrap();
        let info = TypeInfo::read(self.memory, self.layout, type_address).unwrap();
        let mut told = Told::default();
        let size = match self.examiner.examine(self.memory, &info, sample.address, &mut told) {
            Ok(size) => size,
            Err(error) => return vec![format!("{name}: {error}")],
        };
        let mut wrong = Vec::new();
        if size.getsizeof != sample.getsizeof && !own_sizes.contains(name) {
            wrong.push(format!(
                "{name}: {} bytes, should be {}",
                size.getsizeof, sample.getsizeof
            ));
        }
        if size.bytes <= 512
            && let Some(block) = self.pooled_block(&info, sample.address)
            && size.bytes != block
        {
            wrong.push(format!("{name}: occupies {} bytes, really {block}", size.bytes));
        }
        if !TOLD_ELSEWHERE.contains(&name.as_str()) {
            for &referent in sample.referents.iter().filter(|&&referent| referent != type_address) {
                if !told.names(referent) {
                    wrong.push(format!("{name}: does not refer to a {}", self.name_of(referent)));
                }
            }
        }
        let silent = self.is_not_collected(&info, sample.address);
        for &(step, reference) in &told.references {
            let step = step_name(self.memory, step);
            let kind = self.name_of(reference);
            let allowed = sample.referents.contains(&reference) || silent || self.is_not_traversed(type_address, &step);
            if kind.is_empty() || !allowed {
                wrong.push(format!("{name}: refers to a {kind} at {reference:#x} by {step}"));
            }
        }
        wrong
    }

    /// What pymalloc's pool says of the block of an object that is one block and no more; `None` when it is not in a pool.
    fn pooled_block(&mut self, info: &TypeInfo, object: u64) -> Option<u64> {
        use Content::{Coroutine, Exception, Generator, Int, Plain, Scalar, Tuple, UnknownItems, WeakRef};
        let alone = matches!(
            info.content,
            Plain | Scalar | UnknownItems | Int | Tuple | Exception | WeakRef | Generator | Coroutine
        );
        let has_values = !matches!(self.layout.values, Values::Inline { .. }) && info.has(flags::MANAGED_DICT);
        let start = object - info.presize;
        let at = &self.layout.allocator;
        let pool = start & !(at.pool_size - 1);
        let is_static = self.statics.iter().any(|range| range.contains(&object));
        if !alone || has_values || is_static {
            return None;
        }
        let class = 16 * (u64::from(self.memory.half(pool + at.pool_szidx).ok()?) + 1);
        let place = (start - pool).checked_sub(at.pool_header)?;
        (class <= 512 && place.is_multiple_of(class)).then_some(class)
    }

    /// Whether the object is no business of the collector, as static types are, so that it tells nothing of it.
    fn is_not_collected(&mut self, info: &TypeInfo, object: u64) -> bool {
        let flags_at = object + self.layout.types.flags;
        let is_static_type =
            info.content == Content::Type && self.memory.word(flags_at).unwrap() & flags::HEAPTYPE == 0;
        is_static_type || !info.has(flags::HAVE_GC)
    }

    /// Whether `tp_traverse` of the class, or of a base, leaves this reference out.
    fn is_not_traversed(&mut self, type_address: u64, step: &str) -> bool {
        let mut class = type_address;
        while class != 0 {
            let name = type_c_name(self.memory, self.layout, class).unwrap();
            let left_out = |&&(of, _): &&(&str, &[&str])| of == name;
            if NOT_TRAVERSED
                .iter()
                .filter(left_out)
                .any(|(_, steps)| steps.contains(&step))
            {
                return true;
            }
            class = self.memory.word(class + self.layout.types.base).unwrap();
        }
        false
    }

    /// The C name of the object's type; empty when there is no object.
    fn name_of(&mut self, object: u64) -> String {
        let at = object.wrapping_add(self.layout.object.ob_type);
        match self.memory.word(at) {
            Ok(type_address) if is_type(self.memory, self.layout, type_address) => {
                type_c_name(self.memory, self.layout, type_address).unwrap()
            }
            _ => String::new(),
        }
    }
}

#[test]
fn every_object_is_as_large_and_refers_to_what_the_program_says() {
    for_each_interpreter(check);
}
