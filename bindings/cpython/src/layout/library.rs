//! Objects of the standard library that are written in C.

/// `dequeobject` and its `BLOCK` (Modules/_collectionsmodule.c): a block is a link, 64 items, a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deque {
    pub left_block: u64,
    pub right_block: u64,
    pub left_index: u64,
    pub right_index: u64,
    /// `maxlen`, negative where there is no bound.
    pub max_length: u64,
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
