//! Which structure an object is, its class's own attributes apart: what decides how it is measured and followed.

use super::types::flags;

/// The C structure at the bottom of a class's bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Nothing beyond what the type's fields say.
    Plain,
    /// A fixed part and items, none of them references: `float`, `bytes`, `datetime.date`.
    Scalar,
    /// A type that nobody knows, with items behind its fixed part.
    UnknownItems,
    Int,
    Str,
    Tuple,
    List,
    Dict,
    OrderedDict,
    Set,
    ByteArray,
    Type,
    Module,
    Code,
    Frame,
    Generator,
    /// A coroutine or an asynchronous generator, which are made like generators.
    Coroutine,
    Exception,
    WeakRef,
    Deque,
    LruCache,
    Array,
    BytesIo,
    Buffered,
    Struct,
    Decimal,
    SimpleQueue,
    /// `xml.etree.ElementTree.Element` in C.
    Element,
    /// What the iterators that `itertools.tee` made have in common.
    TeeData,
    /// `numpy.ndarray`.
    NumpyArray,
    /// `datetime.datetime` and `datetime.time`: a time zone at this offset when the byte at `AWARE_FLAG` says so.
    Aware(u64),
    /// `sys.getsizeof` adds eight bytes for each item of the tuple or number at this offset (`itertools.product`).
    PoolIndices(u64),
    /// The same for combinations: indices only, as many as the number at this offset.
    Indices(u64),
    /// The same for permutations: indices for each item of the pool at 16, and as many cycles as the number here.
    IndicesAndCycles(u64),
}

/// `hastzinfo` in `_PyDateTime_BaseTime` (datetime.h), behind the hash.
pub const AWARE_FLAG: u64 = 24;

impl Content {
    /// What the subclass bits of `tp_flags` tell.
    pub fn of_flags(tp_flags: u64) -> Content {
        const BITS: [(u64, Content); 7] = [
            (flags::LONG_SUBCLASS, Content::Int),
            (flags::LIST_SUBCLASS, Content::List),
            (flags::TUPLE_SUBCLASS, Content::Tuple),
            (flags::UNICODE_SUBCLASS, Content::Str),
            (flags::DICT_SUBCLASS, Content::Dict),
            (flags::BASE_EXC_SUBCLASS, Content::Exception),
            (flags::TYPE_SUBCLASS, Content::Type),
        ];
        BITS.iter()
            .find(|(bit, _)| tp_flags & bit != 0)
            .map_or(Content::Plain, |&(_, content)| content)
    }

    /// What `tp_name` tells of a C type; one-word names count for static types only.
    pub fn of_name(name: &str, tp_flags: u64) -> Option<Content> {
        if tp_flags & flags::HEAPTYPE != 0 && !name.contains('.') {
            return None;
        }
        Some(match name {
            "float" | "complex" | "bytes" | "PyCapsule" | "EncodingMap" | "datetime.date" | "datetime.timedelta"
            | "_random.Random" | "_thread.lock" | "_thread.RLock" => Content::Scalar,
            "frozendict" => Content::Dict,
            "collections.OrderedDict" => Content::OrderedDict,
            "set" | "frozenset" => Content::Set,
            "bytearray" => Content::ByteArray,
            "module" => Content::Module,
            "code" => Content::Code,
            "frame" => Content::Frame,
            "generator" => Content::Generator,
            "coroutine" | "async_generator" => Content::Coroutine,
            "weakref"
            | "weakref.ReferenceType"
            | "weakproxy"
            | "weakref.ProxyType"
            | "weakcallableproxy"
            | "weakref.CallableProxyType" => Content::WeakRef,
            "collections.deque" => Content::Deque,
            "functools._lru_cache_wrapper" => Content::LruCache,
            "array.array" => Content::Array,
            "_io.BytesIO" => Content::BytesIo,
            "_io.BufferedReader" | "_io.BufferedWriter" | "_io.BufferedRandom" => Content::Buffered,
            "Struct" | "_struct.Struct" => Content::Struct,
            "decimal.Decimal" => Content::Decimal,
            "_queue.SimpleQueue" => Content::SimpleQueue,
            "itertools._tee_dataobject" => Content::TeeData,
            "xml.etree.ElementTree.Element" => Content::Element,
            "numpy.ndarray" => Content::NumpyArray,
            "datetime.datetime" => Content::Aware(40),
            "datetime.time" => Content::Aware(32),
            "itertools.product" => Content::PoolIndices(16),
            "itertools.combinations" | "itertools.combinations_with_replacement" => Content::Indices(40),
            "itertools.permutations" => Content::IndicesAndCycles(48),
            _ => return None,
        })
    }

    /// Whether the C type called `name` is all that this content is, so that nothing of it is left to explain.
    pub fn is_whole(self, name: &str) -> bool {
        match self {
            Content::Int => matches!(name, "int" | "bool"),
            Content::Str => name == "str",
            Content::Tuple => name == "tuple",
            Content::List => name == "list",
            Content::Dict => matches!(name, "dict" | "frozendict"),
            Content::Exception => name == "BaseException",
            Content::Type => name == "type",
            _ => false,
        }
    }

    /// Whether this says more of a type than what was known of it before.
    pub fn is_more_than(self, before: Content) -> bool {
        before == Content::Plain || (before == Content::Dict && self == Content::OrderedDict)
    }

    /// Whether such an object holds no references of its own.
    pub fn is_leaf(self) -> bool {
        matches!(
            self,
            Content::Plain | Content::Scalar | Content::Int | Content::Str | Content::Decimal
        )
    }
}
