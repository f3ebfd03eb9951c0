//! CPython 3.11.

use crate::layout::{
    Bytecode, CType, Code, CodeCache, CodeForm, CurrentFrame, Deque, Exception, ExitFunctions, Frame, FrameForm,
    FrameObject, FrameTop, Gc, GcPlace, Generator, GeneratorForm, Gil, Int, IntForm, Interpreter, Keys, Layout,
    LineTable, Object, PreHeader, Runtime, Thread, Type, Values,
};
use crate::version::Version;

use super::{Minor, c_types, opcodes, v3_9, v3_10};

/// Frames are no objects any more, dict keys know their kind, instances keep values without a dict.
pub const LAYOUT: Layout = Layout {
    since: Version::new(3, 11, 0),
    runtime: Runtime {
        size: 166_688,
        interpreters_head: 40,
        interpreters_main: 48,
        initialized: 16,
        finalizing: 24,
        main_interpreter: Some(58_936),
    },
    interpreter: Interpreter {
        size: 107_752,
        id: 48,
        threads_head: 16,
        runtime: Some(40),
        gil: Gil::Runtime(576),
        modules: 888,
        sysdict: 904,
        builtins: 912,
        roots: &[
            ("modules_by_index", 896),
            ("importlib", 920),
            ("import_func", 1416),
            ("codec_search_path", 936),
            ("codec_search_cache", 944),
            ("codec_error_registry", 952),
            ("dict", 1400),
            ("builtins_copy", 1408),
            ("before_forkers", 3480),
            ("after_forkers_parent", 3488),
            ("after_forkers_child", 3496),
            ("audit_hooks", 3552),
            ("warnings.filters", 3504),
            ("warnings.once_registry", 3512),
            ("warnings.default_action", 3520),
        ],
        exit_functions: ExitFunctions::Array {
            callbacks: 3536,
            count: 3544,
        },
        ..v3_10::LAYOUT.interpreter
    },
    gc: Gc {
        place: GcPlace::Interpreter(648),
        ..v3_10::LAYOUT.gc
    },
    thread: Thread {
        size: 360,
        thread_id: 152,
        native_thread_id: Some(160),
        current_frame: CurrentFrame::CFrame {
            cframe: 56,
            current_frame: 8,
        },
        exc_info: 120,
        exc_item_values: &[0],
        exc_item_previous: 8,
        roots: &[
            ("c_profileobj", 80),
            ("c_traceobj", 88),
            ("curexc_type", 96),
            ("curexc_value", 104),
            ("curexc_traceback", 112),
            ("dict", 128),
            ("async_exc", 144),
            ("async_gen_firstiter", 208),
            ("async_gen_finalizer", 216),
            ("context", 224),
        ],
        ..v3_10::LAYOUT.thread
    },
    object: Object {
        preheader: PreHeader::ManagedDict,
        ..v3_10::LAYOUT.object
    },
    types: Type {
        heap_size: 904,
        ..v3_10::LAYOUT.types
    },
    int: Int {
        form: IntForm::SignedSizeAtLeastOne,
        ..v3_10::LAYOUT.int
    },
    keys: Keys::Log2 {
        refcnt: 0,
        log2_size: 8,
        log2_index_bytes: 9,
        kind: 10,
        usable: 16,
        nentries: 24,
        indices: 32,
    },
    values: Values::Pointer,
    code: Code {
        size: 192,
        form: CodeForm::LocalsPlus {
            names: 96,
            count: 76,
            frame_size: None,
            cached: CodeCache::Object(152),
        },
        name: 120,
        filename: 112,
        first_line: 72,
        arguments: 56,
        qualname: Some(128),
        stack_size: 68,
        lines: LineTable::Locations {
            table: 136,
            code: 184,
            first_traceable: 168,
        },
        bytecode: Bytecode::Adaptive {
            exception_table: 40,
            kinds: 104,
            monitoring: None,
            executors: None,
        },
        extra: 176,
        references: &[
            ("co_consts", 24),
            ("co_names", 32),
            ("co_localsplusnames", 96),
            ("co_localspluskinds", 104),
            ("co_filename", 112),
            ("co_name", 120),
            ("co_qualname", 128),
            ("co_linetable", 136),
            ("co_exceptiontable", 40),
        ],
    },
    frame_object: FrameObject {
        size: 56,
        back: 16,
        references: &[("f_back", 16), ("f_trace", 32)],
        form: FrameForm::Pointer {
            frame: 24,
            own_data: 48,
        },
    },
    frame: Frame {
        size: 80,
        code: 32,
        previous: 48,
        frame_obj: 40,
        instruction: 56,
        references: &[("f_func", 0), ("f_locals", 24), ("frame_obj", 40)],
        owner: 69,
        first_c_owner: 3,
        is_entry: Some(68),
        localsplus: 72,
        top: FrameTop::Count(64),
        ..v3_10::LAYOUT.frame
    },
    generator: Generator {
        references: &[
            ("gi_code", 16),
            ("gi_name", 32),
            ("gi_qualname", 40),
            ("gi_exc_state.exc_value", 48),
        ],
        origin_or_finalizer: 64,
        form: GeneratorForm::Embedded {
            frame: 80,
            state: 75,
            cleared: 4,
        },
        ..v3_10::LAYOUT.generator
    },
    exception: Exception {
        size: 72,
        references: &[
            ("args", 24),
            ("notes", 32),
            ("traceback", 40),
            ("context", 48),
            ("cause", 56),
        ],
    },
    deque: Deque {
        free_block_count: Some(72),
        ..v3_10::LAYOUT.deque
    },
    c_types: &[
        C_TYPES,
        v3_10::C_TYPES_SINCE_3_10_6,
        v3_10::C_TYPES,
        v3_9::C_TYPES,
        c_types::SINCE_3_8,
    ],
    ..v3_10::LAYOUT
};

/// The C types that are new, or whose references stand elsewhere.
pub const C_TYPES: &[CType] = &[
    CType::new("StopIteration", &[("value", 72)]),
    CType::new("SystemExit", &[("code", 72)]),
    CType::new(
        "OSError",
        &[("errno", 72), ("strerror", 80), ("filename", 88), ("filename2", 96)],
    ),
    CType::new("ImportError", &[("msg", 72), ("name", 80), ("path", 88)]),
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
        ],
    ),
    CType::new(
        "UnicodeEncodeError",
        &[("encoding", 72), ("object", 80), ("reason", 104)],
    ),
    CType::new(
        "UnicodeDecodeError",
        &[("encoding", 72), ("object", 80), ("reason", 104)],
    ),
    CType::new(
        "UnicodeTranslateError",
        &[("encoding", 72), ("object", 80), ("reason", 104)],
    ),
    CType::new("AttributeError", &[("obj", 72), ("name", 80)]),
    CType::new("NameError", &[("name", 72)]),
    CType::new("BaseExceptionGroup", &[("message", 72), ("exceptions", 80)]),
    CType::new(
        "enumerate",
        &[("iterator", 24), ("result", 32), ("index", 40), ("one", 48)],
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
            ("cancelled_exc", 120),
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
            ("cancelled_exc", 120),
            ("fut_waiter", 128),
            ("coro", 136),
            ("name", 144),
            ("task_context", 152),
        ],
    ),
];

pub const MINOR: Minor = Minor {
    layouts: &[&LAYOUT],
    newest: Version::new(3, 11, 16),
    debug_offsets: &[],
    opcodes: &opcodes::v3_11::OPCODES,
};
