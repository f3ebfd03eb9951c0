//! The tables of `tracemalloc`, and the hash tables that they are.

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
