//! Where the interpreter itself keeps things: its runtime, interpreters, threads, the collector, the allocator.

/// `_PyRuntimeState` (pycore_runtime.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Runtime {
    /// Its `sizeof`, which the ELF size of the symbol `_PyRuntime` equals: the fingerprint.
    pub size: u64,
    pub interpreters_head: u64,
    pub interpreters_main: u64,
    /// `initialized`, a 4-byte number: 1 from the end of the start to the beginning of the end.
    pub initialized: u64,
    /// `_finalizing` (3.8: `finalizing`): the thread that shuts the runtime down, or NULL.
    pub finalizing: u64,
    /// `_main_interpreter`, which stands in it (3.11 and later): `interpreters.main` points there.
    pub main_interpreter: Option<u64>,
}

/// `PyInterpreterState` (pycore_interp.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interpreter {
    pub size: u64,
    pub next: u64,
    pub id: u64,
    pub threads_head: u64,
    /// The way back to `_PyRuntime` (3.9 and later).
    pub runtime: Option<u64>,
    pub modules: u64,
    pub sysdict: u64,
    pub builtins: u64,
    /// Other members that own a reference: their names and offsets.
    pub roots: &'static [(&'static str, u64)],
    /// Arrays of such members: their names, offsets and lengths.
    pub root_arrays: &'static [(&'static str, u64, u64)],
    pub exit_functions: ExitFunctions,
    /// The interned strings' dict (3.12 and later; before, it is a static that no symbol names).
    pub interned: Option<u64>,
    pub gil: Gil,
}

/// Where the thread is named that runs Python code: the one that holds the global interpreter lock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gil {
    /// `_PyRuntime.gilstate.tstate_current`, NULL while nobody holds it (3.8 to 3.11).
    Runtime(u64),
    /// `ceval.gil` of the interpreter, at `state`, points at a `_gil_runtime_state`: `last_holder` holds it while `locked` (a
    /// 4-byte number) is 1 (3.12 and later).
    Interpreter { state: u64, last_holder: u64, locked: u64 },
}

/// Where the functions stand that `atexit.register` was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExitFunctions {
    /// In the module's own state (3.8, 3.9).
    Module,
    /// `callbacks` points at `count` (a 4-byte number) pointers, each NULL or at three owned objects: function,
    /// arguments, keywords (3.10 to 3.13).
    Array { callbacks: u64, count: u64 },
    /// A list of tuples (3.14 and later).
    List(u64),
}

/// `struct _gc_runtime_state` (pycore_gc.h), and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gc {
    pub place: GcPlace,
    /// The list heads to walk, the permanent generation apart: offsets in `struct _gc_runtime_state`.
    pub heads: &'static [u64],
    /// Another possible set of heads for the same version: builds that lower the alignment of `PyGC_Head`.
    pub other_heads: &'static [u64],
    pub permanent: u64,
    pub enabled: u64,
    pub collecting: u64,
    pub garbage: u64,
    pub callbacks: u64,
    /// In each `struct gc_generation`, which begins with the head of its list.
    pub threshold: u64,
    pub count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GcPlace {
    /// One collector for all interpreters: its offset in `_PyRuntimeState` (3.8).
    Runtime(u64),
    /// One in each interpreter: its offset in `PyInterpreterState`.
    Interpreter(u64),
}

/// `PyThreadState` (cpython/pystate.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thread {
    /// `sizeof(PyThreadState)`, without what `_PyThreadStateImpl` adds.
    pub size: u64,
    pub next: u64,
    pub interp: u64,
    pub thread_id: u64,
    /// The system's own thread number (3.11 and later).
    pub native_thread_id: Option<u64>,
    pub current_frame: CurrentFrame,
    /// `exc_info`, a chain of `_PyErr_StackItem`: members of an item that own a reference, and the link.
    pub exc_info: u64,
    pub exc_item_values: &'static [u64],
    pub exc_item_previous: u64,
    /// Other members that own a reference: their names and offsets (in `_PyThreadStateImpl` where that is larger).
    pub roots: &'static [(&'static str, u64)],
}

/// How a thread's innermost frame is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CurrentFrame {
    /// `PyThreadState.frame` is a frame object (3.8 to 3.10).
    Object(u64),
    /// `PyThreadState.cframe` points at a `_PyCFrame` whose `current_frame` is wanted (3.11, 3.12).
    CFrame { cframe: u64, current_frame: u64 },
    /// `PyThreadState.current_frame` (3.13 and later).
    Direct(u64),
}

/// Where the dict, the subclasses and the weak references of a static built-in type stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StaticTypes {
    /// In the type itself (3.8 to 3.11).
    InType,
    /// In arrays of the interpreter, at `tp_subclasses` − 1 (3.12 and later).
    InInterpreter {
        /// Offset of the built-in types' array in `PyInterpreterState`, and its length.
        builtins: u64,
        builtins_count: u64,
        /// The same for extension modules' types (3.13 and later).
        extensions: Option<(u64, u64)>,
        /// One element: its size and members.
        size: u64,
        type_: u64,
        dict: u64,
        subclasses: u64,
        weaklist: u64,
    },
}

/// pymalloc's figures (pycore_obmalloc.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allocator {
    pub pool_size: u64,
    /// `struct pool_header`: `szidx`, the size class less one, in 16 bytes.
    pub pool_szidx: u64,
    pub pool_header: u64,
}
