//! CPython 3.12.

use crate::layout::{
    Bytecode, CType, Code, CodeCache, CodeForm, CurrentFrame, ExitFunctions, Frame, Gc, GcPlace, Generator,
    GeneratorForm, Gil, Int, IntForm, Interpreter, Layout, LineTable, Monitoring, Object, PreHeader, Runtime,
    StaticTypes, Text, Thread, Tracemalloc, TracingPlace, Type, Values,
};
use crate::version::Version;

use super::{Minor, c_types, opcodes, v3_9, v3_10, v3_11};

/// `str` without `wstr`, `int` with a tag, static types with their dicts in the interpreter, managed weak references.
pub const LAYOUT: Layout = Layout {
    since: Version::new(3, 12, 0),
    runtime: Runtime {
        size: 459_888,
        main_interpreter: Some(76_368),
        ..v3_11::LAYOUT.runtime
    },
    interpreter: Interpreter {
        size: 383_520,
        id: 8,
        threads_head: 72,
        runtime: Some(96),
        gil: Gil::Interpreter {
            state: 384,
            last_holder: 8,
            locked: 16,
        },
        modules: 944,
        sysdict: 352,
        builtins: 360,
        roots: &[
            ("modules_by_index", 952),
            ("importlib", 960),
            ("import_func", 984),
            ("codec_search_path", 1248),
            ("codec_search_cache", 1256),
            ("codec_error_registry", 1264),
            ("dict", 1720),
            ("sysdict_copy", 1728),
            ("builtins_copy", 1736),
            ("before_forkers", 3872),
            ("after_forkers_parent", 3880),
            ("after_forkers_child", 3888),
            ("audit_hooks", 267_208),
            ("warnings.filters", 3896),
            ("warnings.once_registry", 3904),
            ("warnings.default_action", 3912),
        ],
        root_arrays: &[
            ("monitoring_callables", 381_784, 136),
            ("monitoring_tool_names", 382_872, 8),
        ],
        exit_functions: ExitFunctions::Array {
            callbacks: 3944,
            count: 3952,
        },
        interned: Some(382_936),
        ..v3_11::LAYOUT.interpreter
    },
    gc: Gc {
        place: GcPlace::Interpreter(112),
        ..v3_11::LAYOUT.gc
    },
    thread: Thread {
        size: 288,
        thread_id: 136,
        native_thread_id: Some(144),
        current_frame: CurrentFrame::CFrame {
            cframe: 56,
            current_frame: 0,
        },
        exc_info: 104,
        roots: &[
            ("c_profileobj", 80),
            ("c_traceobj", 88),
            ("current_exception", 96),
            ("dict", 112),
            ("async_exc", 128),
            ("async_gen_firstiter", 192),
            ("async_gen_finalizer", 200),
            ("context", 208),
        ],
        ..v3_11::LAYOUT.thread
    },
    object: Object {
        preheader: PreHeader::Managed,
        ..v3_11::LAYOUT.object
    },
    types: Type {
        size: 416,
        heap_size: 920,
        ht_name: 856,
        ht_slots: 864,
        ht_qualname: 872,
        ht_cached_keys: 880,
        ht_module: Some(888),
        ..v3_11::LAYOUT.types
    },
    text: Text {
        ascii_size: 40,
        compact_size: 56,
        unicode_size: 64,
        utf8_length: 40,
        utf8: 48,
        data: 56,
        wstr: None,
        ..v3_11::LAYOUT.text
    },
    int: Int {
        form: IntForm::Tag(16),
        ..v3_11::LAYOUT.int
    },
    values: Values::Tagged,
    code: Code {
        lines: LineTable::Locations {
            table: 136,
            code: 192,
            first_traceable: 176,
        },
        bytecode: Bytecode::Adaptive {
            exception_table: 40,
            kinds: 104,
            monitoring: Some(Monitoring {
                pointer: 168,
                lines: 40,
                instructions: 56,
            }),
            executors: None,
        },
        size: 200,
        form: CodeForm::LocalsPlus {
            names: 96,
            count: 72,
            frame_size: Some(76),
            cached: CodeCache::Pointer(152),
        },
        first_line: 68,
        arguments: 52,
        stack_size: 64,
        extra: 184,
        ..v3_11::LAYOUT.code
    },
    frame: Frame {
        code: 0,
        previous: 8,
        frame_obj: 48,
        references: &[("f_funcobj", 16), ("f_locals", 40), ("frame_obj", 48)],
        owner: 70,
        is_entry: None,
        ..v3_11::LAYOUT.frame
    },
    generator: Generator {
        size: 80,
        references: &[("gi_name", 24), ("gi_qualname", 32), ("gi_exc_state.exc_value", 40)],
        origin_or_finalizer: 56,
        form: GeneratorForm::Embedded {
            frame: 72,
            state: 67,
            cleared: 4,
        },
    },
    static_types: StaticTypes::InInterpreter {
        builtins: 373_704,
        builtins_count: 200,
        extensions: None,
        size: 40,
        type_: 0,
        dict: 16,
        subclasses: 24,
        weaklist: 32,
    },
    c_types: &[
        C_TYPES,
        v3_11::C_TYPES,
        v3_10::C_TYPES_SINCE_3_10_6,
        v3_10::C_TYPES,
        v3_9::C_TYPES,
        c_types::SINCE_3_8,
    ],
    tracemalloc: Tracemalloc {
        place: TracingPlace::Runtime(2768),
        traced_memory: 144,
        peak_traced_memory: 152,
        traces: 184,
        domains: 192,
        ..v3_11::LAYOUT.tracemalloc
    },
    ..v3_11::LAYOUT
};

/// The runtime keeps interned static strings, the interpreter its main thread.
pub const SINCE_3_12_1: Layout = Layout {
    since: Version::new(3, 12, 1),
    runtime: Runtime {
        size: 459_944,
        main_interpreter: Some(76_392),
        ..LAYOUT.runtime
    },
    interpreter: Interpreter {
        size: 383_552,
        ..LAYOUT.interpreter
    },
    ..LAYOUT
};

/// Other static strings, in front of the main interpreter.
pub const SINCE_3_12_4: Layout = Layout {
    since: Version::new(3, 12, 4),
    runtime: Runtime {
        size: 459_992,
        main_interpreter: Some(76_440),
        ..SINCE_3_12_1.runtime
    },
    ..SINCE_3_12_1
};

/// Other static strings, in front of the main interpreter.
pub const SINCE_3_12_7: Layout = Layout {
    since: Version::new(3, 12, 7),
    runtime: Runtime {
        size: 459_280,
        main_interpreter: Some(75_728),
        ..SINCE_3_12_4.runtime
    },
    ..SINCE_3_12_4
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
            ("__type_params__", 120),
        ],
    ),
    CType::new("longrange_iterator", &[("start", 16), ("step", 24), ("len", 32)]),
    CType::new(
        "ImportError",
        &[("msg", 72), ("name", 80), ("path", 88), ("name_from", 96)],
    ),
    CType::new(
        "typing.TypeVar",
        &[
            ("__name__", 16),
            ("__bound__", 24),
            ("evaluate_bound", 32),
            ("__constraints__", 40),
            ("evaluate_constraints", 48),
        ],
    ),
    CType::new("typing.ParamSpec", &[("__name__", 16), ("__bound__", 24)]),
    CType::new("typing.TypeVarTuple", &[("__name__", 16)]),
    CType::new(
        "typing.TypeAliasType",
        &[
            ("__name__", 16),
            ("__type_params__", 24),
            ("compute_value", 32),
            ("__value__", 40),
            ("__module__", 48),
        ],
    ),
    CType::new("typing.ParamSpecArgs", &[("__origin__", 16)]),
    CType::new("typing.ParamSpecKwargs", &[("__origin__", 16)]),
    CType::new("itertools.batched", &[("iterator", 16)]),
    CType::with_weak("collections._deque_iterator", &[("deque", 32)], &[("block", 16)]),
    CType::with_weak(
        "collections._deque_reverse_iterator",
        &[("deque", 32)],
        &[("block", 16)],
    ),
    CType::new("collections._tuplegetter", &[("__doc__", 24)]),
    CType::new(
        "_io.StringIO",
        &[("written", 56), ("decoder", 120), ("readnl", 128), ("writenl", 136)],
    ),
];

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT, &SINCE_3_12_1, &SINCE_3_12_4, &SINCE_3_12_7],
    newest: Version::new(3, 12, 14),
    debug_offsets: &[],
    opcodes: &opcodes::v3_12::OPCODES,
};
