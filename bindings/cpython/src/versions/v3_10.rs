//! CPython 3.10.

use crate::layout::{
    Allocator, Code, ExitFunctions, FrameForm, FrameObject, Function, Generator, Interpreter, Layout, Runtime,
    StackDepth, Thread, Type,
};
use crate::version::Version;

use super::{Minor, v3_9};

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
        origin_or_finalizer: Some(88),
        ..v3_9::LAYOUT.generator
    },
    allocator: Allocator {
        pool_size: 16_384,
        ..v3_9::LAYOUT.allocator
    },
    ..v3_9::LAYOUT
};

/// `int_max_str_digits` lengthened the interpreter state.
pub const SINCE_3_10_7: Layout = Layout {
    since: Version::new(3, 10, 7),
    interpreter: Interpreter {
        size: 113_528,
        ..LAYOUT.interpreter
    },
    ..LAYOUT
};

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT, &SINCE_3_10_7],
    newest: Version::new(3, 10, 21),
    debug_offsets: &[],
};
