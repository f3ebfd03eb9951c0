//! Objects of the language: what all have, types, numbers, texts, containers, functions, modules.

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

/// `PyBaseExceptionObject`: what every exception has. The members of its kinds are in the table of C types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exception {
    pub size: u64,
    /// Members that own a reference, the `__dict__` apart.
    pub references: &'static [(&'static str, u64)],
}
