//! CPython 3.15.

use crate::layout::{
    ByteArray, CType, FilenameForm, Gc, GcPlace, Generator, GeneratorForm, Interpreter, Layout, Module,
    ModuleStateSize, Runtime, SimpleQueue, StaticTypes, Thread, Tracemalloc, TracingPlace, Type,
};
use crate::version::Version;

use super::{Minor, c_types, debug_fields, v3_9, v3_10, v3_11, v3_12, v3_13, v3_14};

/// Lazy imports, modules without `md_def`, bytearrays on top of `bytes`.
pub const LAYOUT: Layout = Layout {
    since: Version::new(3, 15, 0),
    other_sizes: &[(346_568, 226_240)],
    runtime: Runtime {
        size: 346_560,
        interpreters_head: 936,
        interpreters_main: 944,
        initialized: 904,
        finalizing: 912,
        main_interpreter: Some(120_328),
    },
    interpreter: Interpreter {
        size: 226_232,
        next: 7264,
        id: 7272,
        threads_head: 7336,
        runtime: Some(7376),
        modules: 7592,
        sysdict: 7576,
        builtins: 7584,
        roots: &[
            ("modules_by_index", 7600),
            ("importlib", 7608),
            ("import_func", 7632),
            ("lazy_modules", 7664),
            ("lazy_pending_submodules", 7672),
            ("codec_search_path", 7952),
            ("codec_search_cache", 7960),
            ("codec_error_registry", 7968),
            ("dict", 8448),
            ("sysdict_copy", 8456),
            ("builtins_copy", 8464),
            ("before_forkers", 10_672),
            ("after_forkers_parent", 10_680),
            ("after_forkers_child", 10_688),
            ("audit_hooks", 10_888),
            ("warnings.filters", 10_696),
            ("warnings.once_registry", 10_704),
            ("warnings.default_action", 10_712),
            ("warnings.context", 10_752),
        ],
        root_arrays: &[
            ("monitoring_callables", 223_552, 152),
            ("monitoring_tool_names", 224_768, 8),
        ],
        interned: Some(224_896),
        ..v3_14::LAYOUT.interpreter
    },
    gc: Gc {
        place: GcPlace::Interpreter(7400),
        heads: &[8, 32, 56],
        permanent: 80,
        enabled: 0,
        collecting: 112,
        garbage: 128,
        callbacks: 136,
        ..v3_14::LAYOUT.gc
    },
    thread: Thread {
        size: 888,
        thread_id: 176,
        native_thread_id: Some(184),
        exc_info: 144,
        roots: &[
            ("c_profileobj", 120),
            ("c_traceobj", 128),
            ("current_exception", 136),
            ("dict", 152),
            ("async_exc", 168),
            ("async_gen_firstiter", 216),
            ("async_gen_finalizer", 224),
            ("context", 232),
            ("threading_local_key", 328),
            ("threading_local_sentinel", 336),
            ("asyncio_running_loop", 1024),
            ("asyncio_running_task", 1032),
            ("lazy_imports", 1088),
        ],
        ..v3_14::LAYOUT.thread
    },
    types: Type {
        size: 424,
        heap_size: 944,
        ht_name: 864,
        ht_slots: 872,
        ht_qualname: 880,
        ht_cached_keys: 888,
        ht_module: Some(896),
        ..v3_14::LAYOUT.types
    },
    bytearray: ByteArray {
        bytes_object: Some(56),
        ..v3_14::LAYOUT.bytearray
    },
    module: Module {
        name: 40,
        state: 24,
        state_size: ModuleStateSize::Own(56),
        ..v3_14::LAYOUT.module
    },
    generator: Generator {
        form: GeneratorForm::Embedded {
            frame: 72,
            state: 67,
            cleared: 5,
        },
        ..v3_14::LAYOUT.generator
    },
    simple_queue: Some(SimpleQueue {
        items: 40,
        capacity: 48,
        first: 32,
        count: 56,
        counted: true,
    }),
    static_types: StaticTypes::InInterpreter {
        builtins: 180_264,
        builtins_count: 203,
        extensions: Some((190_024, 10)),
        size: 48,
        type_: 0,
        dict: 24,
        subclasses: 32,
        weaklist: 40,
    },
    c_types: &[
        C_TYPES,
        v3_14::C_TYPES,
        v3_13::C_TYPES,
        v3_12::C_TYPES,
        v3_11::C_TYPES,
        v3_10::C_TYPES_SINCE_3_10_6,
        v3_10::C_TYPES,
        v3_9::C_TYPES,
        c_types::SINCE_3_8,
    ],
    tracemalloc: Tracemalloc {
        place: TracingPlace::Runtime(10_432),
        filename: FilenameForm::Utf8,
        ..v3_14::LAYOUT.tracemalloc
    },
    ..v3_14::LAYOUT
};

/// The C types that are new, or whose references stand elsewhere.
pub const C_TYPES: &[CType] = &[
    CType::new(
        "async_generator_athrow",
        &[("generator", 16), ("type", 24), ("traceback", 32), ("value", 40)],
    ),
    CType::new(
        "_json.Scanner",
        &[
            ("object_hook", 24),
            ("object_pairs_hook", 32),
            ("array_hook", 40),
            ("parse_float", 48),
            ("parse_int", 56),
            ("parse_constant", 64),
        ],
    ),
];

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT],
    newest: Version::new(3, 15, 2),
    debug_offsets: debug_fields::V3_15,
};
