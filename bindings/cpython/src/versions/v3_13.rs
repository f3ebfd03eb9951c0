//! CPython 3.13.

use crate::layout::{
    CType, Code, CodeCache, CodeForm, CurrentFrame, ExitFunctions, FrameForm, FrameObject, Gc, GcPlace, Gil,
    Interpreter, Layout, LineTable, Object, PreHeader, Runtime, SimpleQueue, StaticTypes, Thread, Tracemalloc,
    TracingPlace, Type, Values,
};
use crate::version::Version;

use super::{Minor, c_types, debug_fields, v3_9, v3_10, v3_11, v3_12};

/// `_Py_DebugOffsets` at the front of the runtime, values inside the instances, frames with an executable.
pub const LAYOUT: Layout = Layout {
    since: Version::new(3, 13, 0),
    runtime: Runtime {
        size: 283_320,
        interpreters_head: 632,
        interpreters_main: 640,
        initialized: 600,
        finalizing: 608,
        main_interpreter: Some(88_352),
    },
    interpreter: Interpreter {
        size: 194_968,
        next: 7264,
        id: 7272,
        threads_head: 7344,
        gil: Gil::Interpreter {
            state: 16,
            last_holder: 8,
            locked: 16,
        },
        runtime: Some(7376),
        modules: 7656,
        sysdict: 7640,
        builtins: 7648,
        roots: &[
            ("modules_by_index", 7664),
            ("importlib", 7672),
            ("import_func", 7696),
            ("codec_search_path", 7960),
            ("codec_search_cache", 7968),
            ("codec_error_registry", 7976),
            ("dict", 8448),
            ("sysdict_copy", 8456),
            ("builtins_copy", 8464),
            ("before_forkers", 10_632),
            ("after_forkers_parent", 10_640),
            ("after_forkers_child", 10_648),
            ("audit_hooks", 10_808),
            ("warnings.filters", 10_656),
            ("warnings.once_registry", 10_664),
            ("warnings.default_action", 10_672),
        ],
        root_arrays: &[
            ("monitoring_callables", 193_176, 136),
            ("monitoring_tool_names", 194_264, 8),
        ],
        exit_functions: ExitFunctions::Array {
            callbacks: 10_712,
            count: 10_720,
        },
        interned: Some(194_328),
    },
    gc: Gc {
        place: GcPlace::Interpreter(7400),
        other_heads: &[20, 44, 68],
        ..v3_12::LAYOUT.gc
    },
    thread: Thread {
        size: 304,
        thread_id: 152,
        native_thread_id: Some(160),
        current_frame: CurrentFrame::Direct(72),
        exc_info: 120,
        roots: &[
            ("c_profileobj", 96),
            ("c_traceobj", 104),
            ("current_exception", 112),
            ("dict", 128),
            ("async_exc", 144),
            ("async_gen_firstiter", 192),
            ("async_gen_finalizer", 200),
            ("context", 208),
            ("threading_local_key", 288),
            ("threading_local_sentinel", 296),
            ("asyncio_running_loop", 304),
        ],
        ..v3_12::LAYOUT.thread
    },
    object: Object {
        preheader: PreHeader::ManagedIfGc,
        ..v3_12::LAYOUT.object
    },
    types: Type {
        heap_size: 928,
        ..v3_12::LAYOUT.types
    },
    values: Values::Inline {
        capacity: 0,
        size: 1,
        embedded: 2,
        valid: 3,
        values: 8,
    },
    code: Code {
        lines: LineTable::Locations {
            table: 136,
            code: 200,
            first_traceable: 184,
        },
        size: 208,
        form: CodeForm::LocalsPlus {
            names: 96,
            count: 72,
            frame_size: Some(76),
            cached: CodeCache::Pointer(160),
        },
        extra: 192,
        ..v3_12::LAYOUT.code
    },
    frame_object: FrameObject {
        size: 72,
        references: &[
            ("f_back", 16),
            ("f_trace", 32),
            ("f_extra_locals", 48),
            ("f_locals_cache", 56),
        ],
        form: FrameForm::Pointer {
            frame: 24,
            own_data: 64,
        },
        ..v3_12::LAYOUT.frame_object
    },
    simple_queue: Some(SimpleQueue {
        items: 40,
        capacity: 48,
        first: 32,
        count: 56,
        counted: false,
    }),
    static_types: StaticTypes::InInterpreter {
        builtins: 182_968,
        builtins_count: 200,
        extensions: Some((192_584, 10)),
        size: 48,
        type_: 0,
        dict: 24,
        subclasses: 32,
        weaklist: 40,
    },
    c_types: &[
        C_TYPES,
        v3_12::C_TYPES,
        v3_11::C_TYPES,
        v3_10::C_TYPES_SINCE_3_10_6,
        v3_10::C_TYPES,
        v3_9::C_TYPES,
        c_types::SINCE_3_8,
    ],
    tracemalloc: Tracemalloc {
        place: TracingPlace::Runtime(10_080),
        ..v3_12::LAYOUT.tracemalloc
    },
    ..v3_12::LAYOUT
};

/// Other static strings, in front of the main interpreter, which is longer at its end.
pub const SINCE_3_13_1: Layout = Layout {
    since: Version::new(3, 13, 1),
    runtime: Runtime {
        size: 283_376,
        main_interpreter: Some(88_400),
        ..LAYOUT.runtime
    },
    interpreter: Interpreter {
        size: 194_976,
        ..LAYOUT.interpreter
    },
    ..LAYOUT
};

/// 24 bytes more in the runtime, in front of `tracemalloc`.
pub const SINCE_3_13_12: Layout = Layout {
    since: Version::new(3, 13, 12),
    runtime: Runtime {
        size: 283_400,
        main_interpreter: Some(88_424),
        ..SINCE_3_13_1.runtime
    },
    tracemalloc: Tracemalloc {
        place: TracingPlace::Runtime(10_104),
        ..SINCE_3_13_1.tracemalloc
    },
    ..SINCE_3_13_1
};

/// Threads have `datastack_cached_chunk`.
pub const SINCE_3_13_13: Layout = Layout {
    since: Version::new(3, 13, 13),
    runtime: Runtime {
        size: 283_408,
        ..SINCE_3_13_12.runtime
    },
    interpreter: Interpreter {
        size: 194_984,
        ..SINCE_3_13_12.interpreter
    },
    thread: Thread {
        size: 312,
        roots: &[
            ("c_profileobj", 96),
            ("c_traceobj", 104),
            ("current_exception", 112),
            ("dict", 128),
            ("async_exc", 144),
            ("async_gen_firstiter", 192),
            ("async_gen_finalizer", 200),
            ("context", 208),
            ("threading_local_key", 288),
            ("threading_local_sentinel", 296),
            ("asyncio_running_loop", 312),
        ],
        ..SINCE_3_13_12.thread
    },
    ..SINCE_3_13_12
};

/// The C types that are new, or whose references stand elsewhere.
pub const C_TYPES: &[CType] = &[
    CType::new("FrameLocalsProxy", &[("frame", 16)]),
    CType::new(
        "typing.TypeVar",
        &[
            ("__name__", 16),
            ("__bound__", 24),
            ("evaluate_bound", 32),
            ("__constraints__", 40),
            ("evaluate_constraints", 48),
            ("__default__", 56),
            ("evaluate_default", 64),
        ],
    ),
    CType::new(
        "typing.ParamSpec",
        &[
            ("__name__", 16),
            ("__bound__", 24),
            ("__default__", 32),
            ("evaluate_default", 40),
        ],
    ),
    CType::new(
        "typing.TypeVarTuple",
        &[("__name__", 16), ("__default__", 24), ("evaluate_default", 32)],
    ),
    CType::new("itertools.pairwise", &[("iterator", 16), ("old", 24), ("result", 32)]),
    CType::new(
        "_asyncio.Future",
        &[
            ("loop", 16),
            ("callback", 24),
            ("context", 32),
            ("callbacks", 40),
            ("exception", 48),
            ("exception_traceback", 56),
            ("result", 64),
            ("source_traceback", 72),
            ("cancel_message", 80),
            ("cancelled_exc", 88),
        ],
    ),
    CType::new(
        "_asyncio.Task",
        &[
            ("loop", 16),
            ("callback", 24),
            ("context", 32),
            ("callbacks", 40),
            ("exception", 48),
            ("exception_traceback", 56),
            ("result", 64),
            ("source_traceback", 72),
            ("cancel_message", 80),
            ("cancelled_exc", 88),
            ("fut_waiter", 112),
            ("coro", 120),
            ("name", 128),
            ("task_context", 136),
        ],
    ),
    CType::new(
        "_thread._local",
        &[("args", 16), ("kw", 24), ("localdicts", 40), ("thread_watchdogs", 48)],
    ),
    CType::new("_thread._localdummy", &[]),
    CType::new(
        "_json.Scanner",
        &[
            ("object_hook", 24),
            ("object_pairs_hook", 32),
            ("parse_float", 40),
            ("parse_int", 48),
            ("parse_constant", 56),
        ],
    ),
    CType::new("_queue.SimpleQueue", &[]),
];

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT, &SINCE_3_13_1, &SINCE_3_13_12, &SINCE_3_13_13],
    newest: Version::new(3, 13, 18),
    debug_offsets: debug_fields::V3_13,
};
