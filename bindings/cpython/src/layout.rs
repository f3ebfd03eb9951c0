//! What a CPython layout says: offsets as numbers, mechanisms as enums. The values stand in `versions`.
//!
//! All offsets and sizes are bytes. An offset of a structure's member counts from the structure's first byte; the
//! name of the C structure stands beside each group.

use crate::version::Version;

/// The layout of one CPython: which release it is said for, and where everything stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The first release that has this layout.
    pub since: Version,
    /// Sizes of `_PyRuntimeState` and `PyInterpreterState` in other builds that were measured, in which nothing else that
    /// stands here differs.
    pub other_sizes: &'static [(u64, u64)],
    pub runtime: Runtime,
    pub interpreter: Interpreter,
    pub gc: Gc,
    pub thread: Thread,
    pub object: Object,
    pub types: Type,
    pub text: Text,
    pub int: Int,
    pub tuple: Tuple,
    pub list: List,
    pub dict: Dict,
    pub keys: Keys,
    pub values: Values,
    pub set: Set,
    pub bytearray: ByteArray,
    pub function: Function,
    pub module: Module,
    pub weakref: WeakRef,
    pub code: Code,
    pub frame_object: FrameObject,
    pub frame: Frame,
    pub generator: Generator,
    pub exception: Exception,
    pub deque: Deque,
    pub ordered_dict: OrderedDict,
    pub lru_cache: LruCache,
    pub array: Array,
    pub bytes_io: BytesIo,
    pub buffered: Buffered,
    pub struct_object: StructObject,
    pub element: Element,
    pub decimal: Decimal,
    pub simple_queue: Option<SimpleQueue>,
    pub static_types: StaticTypes,
    pub allocator: Allocator,
    pub tracemalloc: Tracemalloc,
    /// Where the strong references of C types stand that need no code of their own: newest tables first, the first
    /// entry of a name counts.
    pub c_types: &'static [&'static [CType]],
}

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

/// `PyObject`, `PyVarObject`, `PyGC_Head` (object.h, pycore_gc.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    pub refcnt: u64,
    pub ob_type: u64,
    pub ob_size: u64,
    /// `sizeof(PyObject)`.
    pub size: u64,
    /// `sizeof(PyGC_Head)`, which stands before every object of a type with `Py_TPFLAGS_HAVE_GC`.
    pub gc_head: u64,
    /// Bits to take off `_gc_next` and `_gc_prev` before they are addresses.
    pub gc_bits: u64,
    /// Which members stand before an object, and how `sys.getsizeof` counts them.
    pub preheader: PreHeader,
}

/// What stands between the start of an object's block and the object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PreHeader {
    /// The collector's head alone. `sys.getsizeof` adds it when `PyObject_IS_GC` says so: not for static types (3.8 to 3.10).
    GcHead,
    /// The collector's head, and 16 bytes for a managed dict: values at −32, dict at −24 (3.11). `sys.getsizeof` goes by
    /// the type's flags alone.
    ManagedDict,
    /// The collector's head, and 16 bytes for a managed dict or weak reference list: weak references at −32, dict at
    /// −24 (3.12). `sys.getsizeof` goes by the type's flags alone.
    Managed,
    /// The same as `Managed`; `sys.getsizeof` adds nothing for static types (3.13 and later).
    ManagedIfGc,
}

/// `PyTypeObject`, `PyHeapTypeObject` (cpython/object.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Type {
    /// `sizeof(PyTypeObject)`.
    pub size: u64,
    /// `sizeof(PyHeapTypeObject)`.
    pub heap_size: u64,
    pub name: u64,
    pub basicsize: u64,
    pub itemsize: u64,
    pub dealloc: u64,
    pub flags: u64,
    pub traverse: u64,
    pub weaklistoffset: u64,
    pub members: u64,
    pub base: u64,
    pub dict: u64,
    pub dictoffset: u64,
    pub is_gc: u64,
    pub bases: u64,
    pub mro: u64,
    pub cache: u64,
    pub subclasses: u64,
    pub weaklist: u64,
    pub ht_name: u64,
    pub ht_slots: u64,
    pub ht_qualname: u64,
    pub ht_cached_keys: u64,
    pub ht_module: Option<u64>,
    /// `PyMemberDef`: its size, and the offsets of `type` and `offset` in it (structmember.h, descrobject.h).
    pub member_size: u64,
    pub member_type: u64,
    pub member_offset: u64,
}

/// `PyASCIIObject`, `PyCompactUnicodeObject`, `PyUnicodeObject`, `PyBytesObject` (cpython/unicodeobject.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Text {
    pub ascii_size: u64,
    pub compact_size: u64,
    pub unicode_size: u64,
    pub length: u64,
    pub hash: u64,
    pub state: u64,
    pub utf8_length: u64,
    pub utf8: u64,
    pub data: u64,
    /// `wstr` and `wstr_length` (3.8 to 3.11).
    pub wstr: Option<(u64, u64)>,
    /// Where `ob_sval` of a `bytes` stands.
    pub bytes_value: u64,
}

/// `PyLongObject` (cpython/longintrepr.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Int {
    pub digits: u64,
    pub form: IntForm,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IntForm {
    /// `ob_size` is the number of digits and its sign the number's; `sys.getsizeof` counts none for 0 (3.8 to 3.10).
    SignedSize,
    /// The same; `sys.getsizeof` counts at least one digit (3.11).
    SignedSizeAtLeastOne,
    /// `lv_tag` at this offset holds the number of digits above three low bits (3.12 and later).
    Tag(u64),
}

/// `PyTupleObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuple {
    pub items: u64,
}

/// `PyListObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct List {
    pub items: u64,
    pub allocated: u64,
}

/// `PyDictObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dict {
    pub size: u64,
    pub used: u64,
    pub keys: u64,
    pub values: u64,
}

/// `PyDictKeysObject` (dict-common.h, pycore_dict.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Keys {
    /// `dk_size` in full, entries always of hash, key and value; a table is shared when a dict has `ma_values` (3.8 to 3.10).
    Sized {
        refcnt: u64,
        size: u64,
        usable: u64,
        nentries: u64,
        indices: u64,
    },
    /// Sizes as logarithms and a kind: 0 general, 1 `str` keys without hashes, 2 split (3.11 and later).
    Log2 {
        refcnt: u64,
        log2_size: u64,
        log2_index_bytes: u64,
        kind: u64,
        usable: u64,
        nentries: u64,
        indices: u64,
    },
}

/// `PyDictValues`, and where instances that have no dict keep their attributes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// Instances always have a dict once they have attributes; the values of a split dict are a bare array (3.8 to 3.10).
    Bare,
    /// The word at −32 points at the values, the word at −24 at the dict (3.11). The bytes before the values: a
    /// prefix whose length is the byte at −1.
    Pointer,
    /// The word at −24 is the dict, or the values' address less one (3.12).
    Tagged,
    /// The values stand in the object's own block behind `tp_basicsize`; the word at −24 is the dict (3.13 and later).
    Inline {
        capacity: u64,
        size: u64,
        embedded: u64,
        valid: u64,
        values: u64,
    },
}

/// `PySetObject`: entries are 16 bytes of key and hash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Set {
    pub used: u64,
    pub mask: u64,
    pub table: u64,
    pub small_table: u64,
}

/// `PyByteArrayObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ByteArray {
    pub alloc: u64,
    pub bytes: u64,
    /// The hidden `bytes` that holds the contents (3.15 and later).
    pub bytes_object: Option<u64>,
}

/// `PyFunctionObject`: its own references are in the table of C types; these are for names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Function {
    pub code: u64,
    pub qualname: u64,
    pub module: u64,
}

/// `PyModuleObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Module {
    pub dict: u64,
    pub name: u64,
    pub state: u64,
    pub state_size: ModuleStateSize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ModuleStateSize {
    /// `md_def` at `def` points at a `PyModuleDef` whose `m_size` stands at `size` (3.8 to 3.14).
    Definition { def: u64, size: u64 },
    /// `md_state_size` (3.15 and later).
    Own(u64),
}

/// `PyWeakReference`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeakRef {
    pub object: u64,
    pub callback: u64,
}

/// `PyCodeObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Code {
    pub size: u64,
    pub form: CodeForm,
    pub name: u64,
    pub filename: u64,
    pub first_line: u64,
    /// 3.11 and later.
    pub qualname: Option<u64>,
    pub stack_size: u64,
    pub lines: LineTable,
    /// `co_extra`, a pointer to `_PyCodeObjectExtra`.
    pub extra: u64,
    /// Members that own a reference, with the names that Python gives them.
    pub references: &'static [(&'static str, u64)],
}

/// Where a code object keeps the lines of its instructions, in a `bytes` at `table` (Objects/codeobject.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LineTable {
    /// `co_lnotab`: pairs of bytes and lines to go on (3.8, 3.9).
    Steps { table: u64 },
    /// `co_linetable`: pairs of the length of a range and its line's distance from the one before (3.10).
    Ranges { table: u64 },
    /// `co_linetable`: entries of a head and numbers of variable length (3.11 and later). Instructions begin at `code`;
    /// before the one that `_co_firsttraceable` numbers, the call has not begun as far as Python code can tell.
    Locations {
        table: u64,
        code: u64,
        first_traceable: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CodeForm {
    /// Names in three tuples; the code is a `bytes` (3.8 to 3.10).
    Tuples {
        nlocals: u64,
        varnames: u64,
        freevars: u64,
        cellvars: u64,
        cell2arg: u64,
        /// When `co_opcache_map` is not NULL, `sys.getsizeof` counts a byte for each instruction, and `co_opcache_size`
        /// (one byte) entries of `opcache_entry` bytes.
        opcache_map: u64,
        opcache_size: u64,
        opcache_entry: u64,
    },
    /// One tuple of names; the code stands at the object's end (3.11 and later).
    LocalsPlus {
        names: u64,
        count: u64,
        /// `co_framesize` in words (3.12 and later).
        frame_size: Option<u64>,
        /// `_co_code` (3.11), or `_co_cached` pointing at a struct of four objects (3.12 and later).
        cached: CodeCache,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CodeCache {
    /// The object `_co_code` itself.
    Object(u64),
    /// A pointer to `_PyCoCached`: `_co_code`, `_co_varnames`, `_co_cellvars`, `_co_freevars`.
    Pointer(u64),
}

/// `PyFrameObject`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameObject {
    /// `sizeof(PyFrameObject)`.
    pub size: u64,
    pub back: u64,
    /// Members that own a reference, the locals apart.
    pub references: &'static [(&'static str, u64)],
    pub form: FrameForm,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FrameForm {
    /// The variables stand in the object (3.8 to 3.10).
    Inline {
        code: u64,
        localsplus: u64,
        value_stack: u64,
        depth: StackDepth,
        /// `f_lasti`, and the bytes in each unit that it counts.
        last_instruction: (u64, i64),
    },
    /// `f_frame` points at a `_PyInterpreterFrame`; once the function has returned it is `_f_frame_data` (3.11 and later).
    Pointer { frame: u64, own_data: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StackDepth {
    /// `f_stacktop` points behind the last value, or is NULL while the frame runs and once an exception has ended it;
    /// `f_executing` (one byte) tells which (3.8, 3.9).
    Top { top: u64, executing: u64 },
    /// `f_stackdepth` counts the values, or is negative while the frame runs (3.10).
    Count(u64),
}

/// `_PyInterpreterFrame` (pycore_frame.h); of no use before 3.11.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    pub size: u64,
    /// The code object, with `slot_bits` as in a slot.
    pub code: u64,
    pub previous: u64,
    /// The frame object, where one was made.
    pub frame_obj: u64,
    /// A pointer to the instruction that runs, or that the frame is to go on from.
    pub instruction: u64,
    /// Members that own a reference, the code and the variables apart, with `slot_bits` as in a slot.
    pub references: &'static [(&'static str, u64)],
    pub owner: u64,
    /// `owner` values from this one on say that the frame stands for C code and has no variables.
    pub first_c_owner: u8,
    pub localsplus: u64,
    pub top: FrameTop,
    /// Bits to take off a slot before it is an address; a slot whose bits are all set here holds no reference.
    pub slot_bits: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FrameTop {
    /// `stacktop` counts live slots, −1 while the frame runs (3.11 to 3.13).
    Count(u64),
    /// `stackpointer` points behind the last live slot (3.14 and later).
    Pointer(u64),
}

/// `PyGenObject`, and coroutines and asynchronous generators, which begin alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generator {
    pub size: u64,
    /// Members that own a reference, the frame apart.
    pub references: &'static [(&'static str, u64)],
    /// `cr_origin` of coroutines and `ag_finalizer` of asynchronous generators. Generators lack it (3.8 to 3.10) or have
    /// it and never set it (3.11 and later).
    pub origin_or_finalizer: u64,
    pub form: GeneratorForm,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GeneratorForm {
    /// `gi_frame` is a frame object (3.8 to 3.10).
    Object { frame: u64 },
    /// The frame stands in the generator; `gi_frame_state` (a signed byte) says whether it is cleared (3.11 and later).
    Embedded { frame: u64, state: u64, cleared: i8 },
}

/// `PyBaseExceptionObject`: what every exception has. The members of its kinds are in the table of C types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exception {
    pub size: u64,
    /// Members that own a reference, the `__dict__` apart.
    pub references: &'static [(&'static str, u64)],
}

/// `dequeobject` and its `BLOCK` (Modules/_collectionsmodule.c): a block is a link, 64 items, a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deque {
    pub left_block: u64,
    pub right_block: u64,
    pub left_index: u64,
    pub right_index: u64,
    /// `numfreeblocks`: empty blocks that the deque keeps (3.11 and later).
    pub free_block_count: Option<u64>,
}

/// `_odictobject` and `_odictnode` (Objects/odictobject.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderedDict {
    pub first: u64,
    pub fast_nodes_size: u64,
    pub instance_dict: u64,
}

/// `lru_cache_object` (Modules/_functoolsmodule.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LruCache {
    pub wrapper: u64,
    pub cache: u64,
    pub hits: u64,
    pub func: u64,
    /// A negative number means no bound.
    pub maxsize: u64,
    pub misses: u64,
}

/// `arrayobject` (Modules/arraymodule.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Array {
    pub items: u64,
    pub allocated: u64,
    pub descr: u64,
    /// `itemsize` in `struct arraydescr`.
    pub descr_itemsize: u64,
}

/// `bytesio` (Modules/_io/bytesio.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BytesIo {
    pub buf: u64,
}

/// `buffered` (Modules/_io/bufferedio.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buffered {
    pub buffer: u64,
    pub buffer_size: u64,
}

/// `PyStructObject` (Modules/_struct.c): `sys.getsizeof` adds a `formatcode` for each code and one more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StructObject {
    pub codes: u64,
    /// `sizeof(formatcode)`, and the offset in it of `fmtdef`, which is NULL in the last.
    pub code_size: u64,
}

/// `ElementObject` (Modules/_elementtree.c), and the `ElementObjectExtra` that it has once it has attributes or children.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Element {
    pub tag: u64,
    /// `text` and `tail`, whose lowest bit is a mark.
    pub texts: [u64; 2],
    pub extra: u64,
    pub extra_size: u64,
    pub attrib: u64,
    pub length: u64,
    pub allocated: u64,
    pub children: u64,
    /// Where the first children stand, until there are more.
    pub own_children: u64,
}

/// `PyDecObject` (Modules/_decimal): `mpd_t` stands behind the hash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decimal {
    pub flags: u64,
    pub alloc: u64,
    /// `flags` bits that say that the digits are not a block of their own.
    pub static_bits: u8,
}

/// `simplequeueobject` with a ring buffer (3.13 and later).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimpleQueue {
    pub items: u64,
    pub capacity: u64,
    pub first: u64,
    pub count: u64,
    /// Whether `sys.getsizeof` counts the buffer.
    pub counted: bool,
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

/// `tracemalloc`: which line of the program asked for which block of memory (Modules/_tracemalloc.c, Python/tracemalloc.c).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tracemalloc {
    pub place: TracingPlace,
    /// In `struct _PyTraceMalloc_Config`, 4-byte numbers.
    pub tracing: u64,
    pub max_nframe: u64,
    /// In `_PyRuntime.tracemalloc`; of no use before 3.12.
    pub traced_memory: u64,
    pub peak_traced_memory: u64,
    pub traces: u64,
    pub domains: u64,
    pub table: HashTable,
    /// In `traceback_t`: the number of frames, as long as `nframe_bits` say, and the frames themselves, the newest first.
    pub nframe: u64,
    pub nframe_bits: u64,
    pub frames: u64,
    /// `sizeof(frame_t)`, and the 4-byte `lineno` in it, which stands behind `filename`.
    pub frame_size: u64,
    pub lineno: u64,
    pub filename: FilenameForm,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TracingPlace {
    /// In static variables. `_Py_tracemalloc_config` is exported; the other ones have no name outside (3.8 to 3.11).
    Statics,
    /// In `_PyRuntime.tracemalloc`, which stands at this offset (3.12 and later).
    Runtime(u64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FilenameForm {
    /// A `str` (3.8 to 3.14).
    Object,
    /// A C string in UTF-8, in which surrogates may stand (3.15 and later).
    Utf8,
}

/// `_Py_hashtable_t` and its entries (Modules/hashtable.h, pycore_hashtable.h).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HashTable {
    /// `sizeof(_Py_hashtable_t)`.
    pub size: u64,
    pub nentries: u64,
    pub nbuckets: u64,
    pub buckets: u64,
    /// Pointers to functions of the interpreter that every table has.
    pub functions: &'static [u64],
    /// In an entry: the one after it in its bucket, the hash of its key, and the key.
    pub entry_next: u64,
    pub entry_hash: u64,
    pub entry_key: u64,
    pub values: HashValues,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HashValues {
    /// Behind the key; the table says how long both are (3.8).
    Inline { key_size: u64, data_size: u64 },
    /// A pointer in the entry (3.9 and later).
    Pointer(u64),
}

/// A C type whose references all stand at fixed offsets, as far as it adds to its base; a `__dict__`, which
/// `tp_dictoffset` finds, is not among them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CType {
    /// `tp_name`.
    pub name: &'static str,
    /// Names and offsets of the members that own a reference.
    pub strong: &'static [(&'static str, u64)],
    /// Members that point at an object without owning it.
    pub weak: &'static [(&'static str, u64)],
}

impl CType {
    pub const fn new(name: &'static str, strong: &'static [(&'static str, u64)]) -> Self {
        CType {
            name,
            strong,
            weak: &[],
        }
    }

    pub const fn with_weak(
        name: &'static str,
        strong: &'static [(&'static str, u64)],
        weak: &'static [(&'static str, u64)],
    ) -> Self {
        CType { name, strong, weak }
    }
}
