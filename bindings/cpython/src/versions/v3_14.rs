//! CPython 3.14.

use crate::layout::{
    CType, Code, ExitFunctions, Frame, FrameForm, FrameObject, FrameTop, Gc, GcPlace, Generator, Interpreter, Layout,
    LineTable, Runtime, StaticTypes, Thread, Tracemalloc, TracingPlace, Tuple, Type,
};
use crate::version::Version;

use super::{Minor, c_types, debug_fields, v3_9, v3_10, v3_11, v3_12, v3_13};

/// The incremental collector (a young list and two old ones), stack references with tags, a hash in every tuple.
pub const LAYOUT: Layout = Layout {
    since: Version::new(3, 14, 0),
    runtime: Runtime {
        size: 316_536,
        interpreters_head: 808,
        interpreters_main: 816,
        initialized: 776,
        finalizing: 784,
        main_interpreter: Some(90_728),
    },
    interpreter: Interpreter {
        size: 225_808,
        next: 7272,
        id: 7280,
        runtime: Some(7384),
        modules: 7664,
        sysdict: 7648,
        builtins: 7656,
        roots: &[
            ("modules_by_index", 7672),
            ("importlib", 7680),
            ("import_func", 7704),
            ("codec_search_path", 7976),
            ("codec_search_cache", 7984),
            ("codec_error_registry", 7992),
            ("dict", 8472),
            ("sysdict_copy", 8480),
            ("builtins_copy", 8488),
            ("before_forkers", 10_672),
            ("after_forkers_parent", 10_680),
            ("after_forkers_child", 10_688),
            ("audit_hooks", 10_880),
            ("warnings.filters", 10_696),
            ("warnings.once_registry", 10_704),
            ("warnings.default_action", 10_712),
            ("warnings.context", 10_752),
        ],
        root_arrays: &[
            ("monitoring_callables", 223_248, 152),
            ("monitoring_tool_names", 224_464, 8),
        ],
        exit_functions: ExitFunctions::List(10_768),
        interned: Some(224_592),
        ..v3_13::LAYOUT.interpreter
    },
    gc: Gc {
        place: GcPlace::Interpreter(7408),
        other_heads: &[],
        permanent: 96,
        collecting: 192,
        garbage: 200,
        callbacks: 208,
        ..v3_13::LAYOUT.gc
    },
    thread: Thread {
        size: 824,
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
            ("asyncio_running_loop", 856),
            ("asyncio_running_task", 864),
        ],
        ..v3_13::LAYOUT.thread
    },
    types: Type {
        heap_size: 936,
        ..v3_13::LAYOUT.types
    },
    tuple: Tuple { items: 32 },
    code: Code {
        lines: LineTable::Locations {
            table: 136,
            code: 208,
            first_traceable: 192,
        },
        size: 216,
        extra: 200,
        ..v3_13::LAYOUT.code
    },
    frame_object: FrameObject {
        size: 80,
        references: &[
            ("f_back", 16),
            ("f_trace", 32),
            ("f_extra_locals", 48),
            ("f_locals_cache", 56),
            ("f_overwritten_fast_locals", 64),
        ],
        form: FrameForm::Pointer {
            frame: 24,
            own_data: 72,
        },
        ..v3_13::LAYOUT.frame_object
    },
    frame: Frame {
        size: 88,
        owner: 74,
        localsplus: 80,
        top: FrameTop::Pointer(64),
        slot_bits: 3,
        ..v3_13::LAYOUT.frame
    },
    generator: Generator {
        size: 160,
        ..v3_13::LAYOUT.generator
    },
    static_types: StaticTypes::InInterpreter {
        builtins: 180_208,
        builtins_count: 200,
        extensions: Some((189_824, 10)),
        size: 48,
        type_: 0,
        dict: 24,
        subclasses: 32,
        weaklist: 40,
    },
    c_types: &[
        C_TYPES,
        v3_13::C_TYPES,
        v3_12::C_TYPES,
        v3_11::C_TYPES,
        v3_10::C_TYPES_SINCE_3_10_6,
        v3_10::C_TYPES,
        v3_9::C_TYPES,
        c_types::SINCE_3_8,
    ],
    tracemalloc: Tracemalloc {
        place: TracingPlace::Runtime(10_272),
        ..v3_13::LAYOUT.tracemalloc
    },
    ..v3_13::LAYOUT
};

/// Threads know where their C stack began.
pub const SINCE_3_14_1: Layout = Layout {
    since: Version::new(3, 14, 1),
    runtime: Runtime {
        size: 316_552,
        ..LAYOUT.runtime
    },
    interpreter: Interpreter {
        size: 225_824,
        ..LAYOUT.interpreter
    },
    ..LAYOUT
};

/// 24 bytes more in the runtime, in front of `tracemalloc`.
pub const SINCE_3_14_3: Layout = Layout {
    since: Version::new(3, 14, 3),
    runtime: Runtime {
        size: 316_576,
        main_interpreter: Some(90_752),
        ..SINCE_3_14_1.runtime
    },
    tracemalloc: Tracemalloc {
        place: TracingPlace::Runtime(10_296),
        ..SINCE_3_14_1.tracemalloc
    },
    ..SINCE_3_14_1
};

/// Threads have `datastack_cached_chunk`.
pub const SINCE_3_14_4: Layout = Layout {
    since: Version::new(3, 14, 4),
    runtime: Runtime {
        size: 316_592,
        ..SINCE_3_14_3.runtime
    },
    interpreter: Interpreter {
        size: 225_840,
        roots: &[
            ("modules_by_index", 7672),
            ("importlib", 7680),
            ("import_func", 7704),
            ("codec_search_path", 7976),
            ("codec_search_cache", 7984),
            ("codec_error_registry", 7992),
            ("dict", 8472),
            ("sysdict_copy", 8480),
            ("builtins_copy", 8488),
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
            ("monitoring_callables", 223_256, 152),
            ("monitoring_tool_names", 224_472, 8),
        ],
        interned: Some(224_600),
        ..SINCE_3_14_3.interpreter
    },
    thread: Thread {
        size: 832,
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
            ("asyncio_running_loop", 864),
            ("asyncio_running_task", 872),
        ],
        ..SINCE_3_14_3.thread
    },
    static_types: StaticTypes::InInterpreter {
        builtins: 180_216,
        builtins_count: 200,
        extensions: Some((189_832, 10)),
        size: 48,
        type_: 0,
        dict: 24,
        subclasses: 32,
        weaklist: 40,
    },
    ..SINCE_3_14_3
};

/// The collector with three generations again, in a longer structure.
pub const SINCE_3_14_5: Layout = Layout {
    since: Version::new(3, 14, 5),
    runtime: Runtime {
        size: 316_616,
        ..SINCE_3_14_4.runtime
    },
    interpreter: Interpreter {
        size: 225_864,
        modules: 7688,
        sysdict: 7672,
        builtins: 7680,
        roots: &[
            ("modules_by_index", 7696),
            ("importlib", 7704),
            ("import_func", 7728),
            ("codec_search_path", 8000),
            ("codec_search_cache", 8008),
            ("codec_error_registry", 8016),
            ("dict", 8496),
            ("sysdict_copy", 8504),
            ("builtins_copy", 8512),
            ("before_forkers", 10_696),
            ("after_forkers_parent", 10_704),
            ("after_forkers_child", 10_712),
            ("audit_hooks", 10_912),
            ("warnings.filters", 10_720),
            ("warnings.once_registry", 10_728),
            ("warnings.default_action", 10_736),
            ("warnings.context", 10_776),
        ],
        root_arrays: &[
            ("monitoring_callables", 223_280, 152),
            ("monitoring_tool_names", 224_496, 8),
        ],
        exit_functions: ExitFunctions::List(10_792),
        interned: Some(224_624),
        ..SINCE_3_14_4.interpreter
    },
    static_types: StaticTypes::InInterpreter {
        builtins: 180_240,
        builtins_count: 200,
        extensions: Some((189_856, 10)),
        size: 48,
        type_: 0,
        dict: 24,
        subclasses: 32,
        weaklist: 40,
    },
    ..SINCE_3_14_4
};

/// The C types that are new, or whose references stand elsewhere.
pub const C_TYPES: &[CType] = &[
    CType::new(
        "function",
        &[
            ("__globals__", 16),
            ("__builtins__", 24),
            ("__name__", 32),
            ("__qualname__", 40),
            ("__code__", 48),
            ("__defaults__", 56),
            ("__kwdefaults__", 64),
            ("__closure__", 72),
            ("__doc__", 80),
            ("__module__", 104),
            ("__annotations__", 112),
            ("__annotate__", 120),
            ("__type_params__", 128),
        ],
    ),
    CType::new(
        "typing.Union",
        &[
            ("__args__", 16),
            ("hashable_args", 24),
            ("unhashable_args", 32),
            ("__parameters__", 40),
        ],
    ),
    CType::new(
        "operator.methodcaller",
        &[
            ("name", 16),
            ("args", 24),
            ("kwds", 32),
            ("vectorcall_args", 40),
            ("vectorcall_kwnames", 48),
        ],
    ),
    CType::new(
        "SyntaxError",
        &[
            ("msg", 72),
            ("filename", 80),
            ("lineno", 88),
            ("offset", 96),
            ("end_lineno", 104),
            ("end_offset", 112),
            ("text", 120),
            ("print_file_and_line", 128),
            ("metadata", 136),
        ],
    ),
    CType::new(
        "string.templatelib.Template",
        &[("strings", 16), ("interpolations", 24)],
    ),
    CType::new(
        "string.templatelib.Interpolation",
        &[
            ("value", 16),
            ("expression", 24),
            ("conversion", 32),
            ("format_spec", 40),
        ],
    ),
    CType::new(
        "string.templatelib.TemplateIter",
        &[("strings", 16), ("interpolations", 24)],
    ),
    CType::with_weak(
        "functools.partial",
        &[("func", 16), ("args", 24), ("keywords", 32)],
        &[("placeholder", 56)],
    ),
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
            ("awaited_by", 96),
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
            ("awaited_by", 96),
            ("fut_waiter", 120),
            ("coro", 128),
            ("name", 136),
            ("task_context", 144),
        ],
    ),
    CType::new("_io.StringIO", &[("decoder", 72), ("readnl", 80), ("writenl", 88)]),
];

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT, &SINCE_3_14_1, &SINCE_3_14_3, &SINCE_3_14_4, &SINCE_3_14_5],
    newest: Version::new(3, 14, 10),
    debug_offsets: debug_fields::V3_14,
};
