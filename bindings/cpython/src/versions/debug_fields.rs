//! The order of members in `_Py_DebugOffsets` (pycore_debug_offsets.h; 3.13: pycore_runtime.h), which differs in every minor.
//!
//! Behind each name stands the member's width in bytes: where it ends must lie inside its structure, and its place must
//! be a multiple of the width. `NUMBER` marks members that are no offsets.

/// A group of members that speak of one structure: the group's name, and its members with their widths.
pub type Group = (&'static str, &'static [(&'static str, u64)]);

/// A size, or something else that is no offset.
pub const NUMBER: u64 = 0;

/// Bytes in front of the first group: the cookie, the version, the mark of free-threaded builds.
pub const HEAD: u64 = 24;

const RUNTIME: Group = (
    "runtime_state",
    &[("size", NUMBER), ("finalizing", 8), ("interpreters_head", 8)],
);
const OBJECT: Group = ("pyobject", &[("size", NUMBER), ("ob_type", 8)]);
const TUPLE: Group = ("tuple_object", &[("size", NUMBER), ("ob_item", 8), ("ob_size", 8)]);
const LIST: Group = ("list_object", &[("size", NUMBER), ("ob_item", 8), ("ob_size", 8)]);
const SET: Group = (
    "set_object",
    &[("size", NUMBER), ("used", 8), ("table", 8), ("mask", 8)],
);
const DICT: Group = ("dict_object", &[("size", NUMBER), ("ma_keys", 8), ("ma_values", 8)]);
const FLOAT: Group = ("float_object", &[("size", NUMBER), ("ob_fval", 8)]);
const LONG: Group = ("long_object", &[("size", NUMBER), ("lv_tag", 8), ("ob_digit", 4)]);
const BYTES: Group = ("bytes_object", &[("size", NUMBER), ("ob_size", 8), ("ob_sval", 1)]);
const GENERATOR: Group = (
    "gen_object",
    &[
        ("size", NUMBER),
        ("gi_name", 8),
        ("gi_iframe", 8),
        ("gi_frame_state", 1),
    ],
);
const LIST_NODE: Group = ("llist_node", &[("next", NUMBER), ("prev", NUMBER)]);
const DEBUGGER: Group = (
    "debugger_support",
    &[
        ("eval_breaker", NUMBER),
        ("remote_debugger_support", NUMBER),
        ("remote_debugging_enabled", NUMBER),
        ("debugger_pending_call", NUMBER),
        ("debugger_script_path", NUMBER),
        ("debugger_script_path_size", NUMBER),
    ],
);

pub const V3_13: &[Group] = &[
    RUNTIME,
    (
        "interpreter_state",
        &[
            ("size", NUMBER),
            ("id", 8),
            ("next", 8),
            ("threads_head", 8),
            ("gc", 8),
            ("imports_modules", 8),
            ("sysdict", 8),
            ("builtins", 8),
            ("ceval_gil", 8),
            ("gil_runtime_state", 8),
            ("gil_runtime_state_enabled", NUMBER),
            ("gil_runtime_state_locked", NUMBER),
            ("gil_runtime_state_holder", NUMBER),
        ],
    ),
    (
        "thread_state",
        &[
            ("size", NUMBER),
            ("prev", 8),
            ("next", 8),
            ("interp", 8),
            ("current_frame", 8),
            ("thread_id", 8),
            ("native_thread_id", 8),
            ("datastack_chunk", 8),
            ("status", 4),
        ],
    ),
    (
        "interpreter_frame",
        &[
            ("size", NUMBER),
            ("previous", 8),
            ("executable", 8),
            ("instr_ptr", 8),
            ("localsplus", 8),
            ("owner", 1),
        ],
    ),
    (
        "code_object",
        &[
            ("size", NUMBER),
            ("filename", 8),
            ("name", 8),
            ("qualname", 8),
            ("linetable", 8),
            ("firstlineno", 4),
            ("argcount", 4),
            ("localsplusnames", 8),
            ("localspluskinds", 8),
            ("co_code_adaptive", 1),
        ],
    ),
    OBJECT,
    (
        "type_object",
        &[("size", NUMBER), ("tp_name", 8), ("tp_repr", 8), ("tp_flags", 8)],
    ),
    TUPLE,
    LIST,
    DICT,
    FLOAT,
    LONG,
    BYTES,
    (
        "unicode_object",
        &[
            ("size", NUMBER),
            ("state", 4),
            ("length", 8),
            ("asciiobject_size", NUMBER),
        ],
    ),
    ("gc", &[("size", NUMBER), ("collecting", 4)]),
];

const INTERPRETER_3_14: Group = (
    "interpreter_state",
    &[
        ("size", NUMBER),
        ("id", 8),
        ("next", 8),
        ("threads_head", 8),
        ("threads_main", 8),
        ("gc", 8),
        ("imports_modules", 8),
        ("sysdict", 8),
        ("builtins", 8),
        ("ceval_gil", 8),
        ("gil_runtime_state", 8),
        ("gil_runtime_state_enabled", NUMBER),
        ("gil_runtime_state_locked", NUMBER),
        ("gil_runtime_state_holder", NUMBER),
        ("code_object_generation", NUMBER),
        ("tlbc_generation", NUMBER),
    ],
);
const FRAME_3_14: Group = (
    "interpreter_frame",
    &[
        ("size", NUMBER),
        ("previous", 8),
        ("executable", 8),
        ("instr_ptr", 8),
        ("localsplus", 8),
        ("owner", 1),
        ("stackpointer", 8),
        ("tlbc_index", NUMBER),
    ],
);
const CODE_3_14: Group = (
    "code_object",
    &[
        ("size", NUMBER),
        ("filename", 8),
        ("name", 8),
        ("qualname", 8),
        ("linetable", 8),
        ("firstlineno", 4),
        ("argcount", 4),
        ("localsplusnames", 8),
        ("localspluskinds", 8),
        ("co_code_adaptive", 1),
        ("co_tlbc", NUMBER),
    ],
);

pub const V3_14: &[Group] = &[
    RUNTIME,
    INTERPRETER_3_14,
    (
        "thread_state",
        &[
            ("size", NUMBER),
            ("prev", 8),
            ("next", 8),
            ("interp", 8),
            ("current_frame", 8),
            ("thread_id", 8),
            ("native_thread_id", 8),
            ("datastack_chunk", 8),
            ("status", 4),
        ],
    ),
    FRAME_3_14,
    CODE_3_14,
    OBJECT,
    (
        "type_object",
        &[("size", NUMBER), ("tp_name", 8), ("tp_repr", 8), ("tp_flags", 8)],
    ),
    TUPLE,
    LIST,
    SET,
    DICT,
    FLOAT,
    LONG,
    BYTES,
    (
        "unicode_object",
        &[
            ("size", NUMBER),
            ("state", 4),
            ("length", 8),
            ("asciiobject_size", NUMBER),
        ],
    ),
    ("gc", &[("size", NUMBER), ("collecting", 4)]),
    GENERATOR,
    LIST_NODE,
    DEBUGGER,
];

pub const V3_15: &[Group] = &[
    RUNTIME,
    INTERPRETER_3_14,
    (
        "thread_state",
        &[
            ("size", NUMBER),
            ("prev", 8),
            ("next", 8),
            ("interp", 8),
            ("current_frame", 8),
            ("base_frame", 8),
            ("last_profiled_frame", 8),
            ("last_profiled_frame_seq", NUMBER),
            ("thread_id", 8),
            ("native_thread_id", 8),
            ("datastack_chunk", 8),
            ("status", 4),
            ("holds_gil", 4),
            ("gil_requested", 4),
            ("current_exception", 8),
            ("exc_state", 8),
        ],
    ),
    ("err_stackitem", &[("exc_value", NUMBER)]),
    FRAME_3_14,
    CODE_3_14,
    OBJECT,
    (
        "type_object",
        &[
            ("size", NUMBER),
            ("tp_name", 8),
            ("tp_repr", 8),
            ("tp_flags", 8),
            ("tp_basicsize", 8),
            ("tp_dictoffset", 8),
        ],
    ),
    ("heap_type_object", &[("size", NUMBER), ("ht_cached_keys", 8)]),
    TUPLE,
    LIST,
    SET,
    DICT,
    FLOAT,
    LONG,
    BYTES,
    (
        "unicode_object",
        &[
            ("size", NUMBER),
            ("state", 4),
            ("length", 8),
            ("asciiobject_size", NUMBER),
            ("compactunicodeobject_size", NUMBER),
        ],
    ),
    (
        "gc",
        &[
            ("size", NUMBER),
            ("collecting", 4),
            ("frame", 8),
            ("generation_stats_size", NUMBER),
            ("generation_stats", 8),
        ],
    ),
    GENERATOR,
    LIST_NODE,
    DEBUGGER,
];
