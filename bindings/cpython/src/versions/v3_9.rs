//! CPython 3.9.

use crate::layout::{CType, Gc, GcPlace, Gil, HashTable, HashValues, Interpreter, Layout, Runtime, Tracemalloc, Type};
use crate::version::Version;

use super::{Minor, c_types, v3_8};

/// A collector in each interpreter; the interpreter points back at the runtime; types know their module.
pub const LAYOUT: Layout = Layout {
    since: Version::new(3, 9, 0),
    runtime: Runtime {
        size: 656,
        ..v3_8::LAYOUT.runtime
    },
    interpreter: Interpreter {
        size: 5648,
        id: 24,
        runtime: Some(16),
        gil: Gil::Runtime(568),
        modules: 856,
        sysdict: 872,
        builtins: 880,
        roots: &[
            ("modules_by_index", 864),
            ("importlib", 888),
            ("import_func", 1392),
            ("codec_search_path", 912),
            ("codec_search_cache", 920),
            ("codec_error_registry", 928),
            ("dict", 1376),
            ("builtins_copy", 1384),
            ("before_forkers", 3456),
            ("after_forkers_parent", 3464),
            ("after_forkers_child", 3472),
            ("audit_hooks", 3536),
            ("warnings.filters", 3504),
            ("warnings.once_registry", 3512),
            ("warnings.default_action", 3520),
        ],
        ..v3_8::LAYOUT.interpreter
    },
    gc: Gc {
        place: GcPlace::Interpreter(616),
        ..v3_8::LAYOUT.gc
    },
    types: Type {
        size: 408,
        ht_name: 840,
        ht_slots: 848,
        ht_qualname: 856,
        ht_cached_keys: 864,
        ht_module: Some(872),
        ..v3_8::LAYOUT.types
    },
    c_types: &[C_TYPES, c_types::SINCE_3_8],
    tracemalloc: Tracemalloc {
        table: HashTable {
            size: 80,
            nentries: 0,
            nbuckets: 8,
            functions: &[24, 32, 40],
            values: HashValues::Pointer(24),
            ..v3_8::LAYOUT.tracemalloc.table
        },
        nframe_bits: 16,
        ..v3_8::LAYOUT.tracemalloc
    },
    ..v3_8::LAYOUT
};

/// `int_max_str_digits` lengthened the interpreter state.
pub const SINCE_3_9_14: Layout = Layout {
    since: Version::new(3, 9, 14),
    interpreter: Interpreter {
        size: 5656,
        ..LAYOUT.interpreter
    },
    ..LAYOUT
};

/// The C types that are new, or whose references stand elsewhere.
pub const C_TYPES: &[CType] = &[
    CType::new("builtin_method", &[("__class__", 56)]),
    CType::new(
        "_asyncio.Future",
        &[
            ("loop", 16),
            ("callback", 24),
            ("context", 32),
            ("callbacks", 40),
            ("exception", 48),
            ("result", 56),
            ("source_traceback", 64),
            ("cancel_message", 72),
            ("cancelled_exc_type", 112),
            ("cancelled_exc_value", 120),
            ("cancelled_exc_traceback", 128),
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
            ("result", 56),
            ("source_traceback", 64),
            ("cancel_message", 72),
            ("cancelled_exc_type", 112),
            ("cancelled_exc_value", 120),
            ("cancelled_exc_traceback", 128),
            ("fut_waiter", 144),
            ("coro", 152),
            ("name", 160),
            ("task_context", 168),
        ],
    ),
    CType::new(
        "types.GenericAlias",
        &[("__origin__", 16), ("__args__", 24), ("__parameters__", 32)],
    ),
];

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT, &SINCE_3_9_14],
    newest: Version::new(3, 9, 25),
    debug_offsets: &[],
};
