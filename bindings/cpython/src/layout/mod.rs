//! What a CPython layout says: offsets as numbers, mechanisms as enums. The values stand in `versions`.
//!
//! All offsets and sizes are bytes. An offset of a structure's member counts from the structure's first byte; the
//! name of the C structure stands beside each group.

mod calls;
mod library;
mod objects;
mod runtime;
mod tracing;

use crate::version::Version;

pub use self::calls::{
    Bytecode, Code, CodeCache, CodeForm, Executors, Frame, FrameForm, FrameObject, FrameTop, Generator, GeneratorForm,
    LineTable, Monitoring, StackDepth,
};
pub use self::library::{
    Array, Buffered, BytesIo, CType, Decimal, Deque, Element, LruCache, OrderedDict, SimpleQueue, StructObject,
};
pub use self::objects::{
    ByteArray, Dict, Exception, Function, Int, IntForm, Keys, List, Module, ModuleStateSize, Object, PreHeader, Set,
    Text, Tuple, Type, Values, WeakRef,
};
pub use self::runtime::{
    Allocator, CurrentFrame, ExitFunctions, Gc, GcPlace, Gil, Interpreter, Runtime, StaticTypes, Thread,
};
pub use self::tracing::{FilenameForm, HashTable, HashValues, Tracemalloc, TracingPlace};

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
