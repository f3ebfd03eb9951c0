//! CPython 3.10.

use crate::layout::{
    Allocator, CType, Code, ExitFunctions, FrameForm, FrameObject, Function, Generator, Interpreter, Layout, LineTable,
    Runtime, StackDepth, Thread, Type,
};
use crate::version::Version;

use super::{Minor, c_types, opcodes, v3_9};

/// Functions begin with what builds them, line tables are new, pymalloc has pools of 16 KiB.
pub const LAYOUT: Layout = Layout {
    since: Version::new(3, 10, 0),
    runtime: Runtime {
        size: 672,
        ..v3_9::LAYOUT.runtime
    },
    interpreter: Interpreter {
        size: 113_520,
        roots: &[
            ("modules_by_index", 864),
            ("importlib", 888),
            ("import_func", 1360),
            ("codec_search_path", 912),
            ("codec_search_cache", 920),
            ("codec_error_registry", 928),
            ("dict", 1344),
            ("builtins_copy", 1352),
            ("before_forkers", 3424),
            ("after_forkers_parent", 3432),
            ("after_forkers_child", 3440),
            ("audit_hooks", 3504),
            ("warnings.filters", 3456),
            ("warnings.once_registry", 3464),
            ("warnings.default_action", 3472),
        ],
        exit_functions: ExitFunctions::Array {
            callbacks: 3488,
            count: 3496,
        },
        ..v3_9::LAYOUT.interpreter
    },
    thread: Thread {
        size: 280,
        ..v3_9::LAYOUT.thread
    },
    types: Type {
        heap_size: 888,
        ht_name: 848,
        ht_slots: 856,
        ht_qualname: 864,
        ht_cached_keys: 872,
        ht_module: Some(880),
        ..v3_9::LAYOUT.types
    },
    function: Function {
        code: 48,
        qualname: 40,
        module: 104,
    },
    code: Code {
        lines: LineTable::Ranges { table: 120 },
        references: &[
            ("co_code", 48),
            ("co_consts", 56),
            ("co_names", 64),
            ("co_varnames", 72),
            ("co_freevars", 80),
            ("co_cellvars", 88),
            ("co_filename", 104),
            ("co_name", 112),
            ("co_linetable", 120),
        ],
        ..v3_9::LAYOUT.code
    },
    frame_object: FrameObject {
        size: 360,
        references: &[
            ("f_back", 24),
            ("f_code", 32),
            ("f_builtins", 40),
            ("f_globals", 48),
            ("f_locals", 56),
            ("f_trace", 72),
        ],
        form: FrameForm::Inline {
            code: 32,
            localsplus: 352,
            value_stack: 64,
            depth: StackDepth::Count(80),
            trace: 72,
            generator: 88,
            last_instruction: (96, 2),
        },
        ..v3_9::LAYOUT.frame_object
    },
    generator: Generator {
        size: 88,
        references: &[
            ("gi_code", 24),
            ("gi_name", 40),
            ("gi_qualname", 48),
            ("gi_exc_state.exc_type", 56),
            ("gi_exc_state.exc_value", 64),
            ("gi_exc_state.exc_traceback", 72),
        ],
        origin_or_finalizer: 88,
        ..v3_9::LAYOUT.generator
    },
    allocator: Allocator {
        pool_size: 16_384,
        ..v3_9::LAYOUT.allocator
    },
    c_types: &[C_TYPES, v3_9::C_TYPES, c_types::SINCE_3_8],
    ..v3_9::LAYOUT
};

/// Futures keep the traceback of their exception.
pub const SINCE_3_10_6: Layout = Layout {
    since: Version::new(3, 10, 6),
    c_types: &[C_TYPES_SINCE_3_10_6, C_TYPES, v3_9::C_TYPES, c_types::SINCE_3_8],
    ..LAYOUT
};

/// `int_max_str_digits` lengthened the interpreter state.
pub const SINCE_3_10_7: Layout = Layout {
    since: Version::new(3, 10, 7),
    interpreter: Interpreter {
        size: 113_528,
        ..SINCE_3_10_6.interpreter
    },
    ..SINCE_3_10_6
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
        ],
    ),
    CType::new(
        "property",
        &[
            ("fget", 16),
            ("fset", 24),
            ("fdel", 32),
            ("__doc__", 40),
            ("__name__", 48),
        ],
    ),
    CType::new("types.UnionType", &[("__args__", 16), ("__parameters__", 24)]),
    CType::new("memory_iterator", &[("view", 24)]),
    CType::new("anext_awaitable", &[("wrapped", 16), ("default", 24)]),
    CType::new("AttributeError", &[("obj", 64), ("name", 72)]),
    CType::new("NameError", &[("name", 64)]),
    CType::new(
        "SyntaxError",
        &[
            ("msg", 64),
            ("filename", 72),
            ("lineno", 80),
            ("offset", 88),
            ("end_lineno", 96),
            ("end_offset", 104),
            ("text", 112),
            ("print_file_and_line", 120),
        ],
    ),
    CType::new("itertools.pairwise", &[("iterator", 16), ("old", 24)]),
    CType::with_weak(
        "functools._lru_cache_wrapper",
        &[
            ("cache", 72),
            ("func", 88),
            ("kwd_mark", 112),
            ("lru_list_elem_type", 120),
            ("cache_info_type", 128),
        ],
        &[("prev", 16), ("next", 24)],
    ),
    CType::new("_csv.writer", &[("write", 16), ("dialect", 24), ("error_obj", 64)]),
];

/// The C types that are new, or whose references stand elsewhere: the traceback of a future's exception is kept.
pub const C_TYPES_SINCE_3_10_6: &[CType] = &[
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
            ("cancelled_exc_type", 120),
            ("cancelled_exc_value", 128),
            ("cancelled_exc_traceback", 136),
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
            ("cancelled_exc_type", 120),
            ("cancelled_exc_value", 128),
            ("cancelled_exc_traceback", 136),
            ("fut_waiter", 152),
            ("coro", 160),
            ("name", 168),
            ("task_context", 176),
        ],
    ),
];

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT, &SINCE_3_10_6, &SINCE_3_10_7],
    newest: Version::new(3, 10, 21),
    debug_offsets: &[],
    opcodes: &opcodes::v3_10::OPCODES,
};
