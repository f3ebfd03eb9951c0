//! The C types of 3.8 whose references stand at fixed offsets. What later versions changed stands in their own files.
//!
//! An entry has the members that its type adds to its base. Names are those that Python code knows, where there are any.
//! A `__dict__` is in none of them: `tp_dictoffset` says where it is.

use crate::layout::CType;

/// `teedataobject` (Modules/itertoolsmodule.c): an iterator, the next such object, 57 values.
const TEE_DATA: &[(&str, u64)] = &TEE_DATA_MEMBERS;
const TEE_DATA_MEMBERS: [(&str, u64); 59] = {
    let mut members = [("value", 0); 59];
    members[0] = ("iterator", 16);
    members[1] = ("next", 32);
    let mut index = 0;
    while index < 57 {
        members[2 + index].1 = 40 + 8 * index as u64;
        index += 1;
    }
    members
};

pub const SINCE_3_8: &[CType] = &[
    // Functions and what binds them (Objects/funcobject.c, methodobject.c, classobject.c, descrobject.c).
    CType::new(
        "function",
        &[
            ("func_code", 16),
            ("func_globals", 24),
            ("func_defaults", 32),
            ("func_kwdefaults", 40),
            ("func_closure", 48),
            ("func_doc", 56),
            ("func_name", 64),
            ("func_module", 88),
            ("func_annotations", 96),
            ("func_qualname", 104),
        ],
    ),
    CType::new("builtin_function_or_method", &[("__self__", 24), ("__module__", 32)]),
    CType::new("method", &[("__func__", 16), ("__self__", 24)]),
    CType::new("instancemethod", &[("__func__", 16)]),
    CType::new("classmethod", &[("__func__", 16)]),
    CType::new("staticmethod", &[("__func__", 16)]),
    CType::new("cell", &[("cell_contents", 16)]),
    CType::new("property", &[("fget", 16), ("fset", 24), ("fdel", 32), ("__doc__", 40)]),
    CType::new(
        "method_descriptor",
        &[("__objclass__", 16), ("__name__", 24), ("__qualname__", 32)],
    ),
    CType::new(
        "classmethod_descriptor",
        &[("__objclass__", 16), ("__name__", 24), ("__qualname__", 32)],
    ),
    CType::new(
        "wrapper_descriptor",
        &[("__objclass__", 16), ("__name__", 24), ("__qualname__", 32)],
    ),
    CType::new(
        "member_descriptor",
        &[("__objclass__", 16), ("__name__", 24), ("__qualname__", 32)],
    ),
    CType::new(
        "getset_descriptor",
        &[("__objclass__", 16), ("__name__", 24), ("__qualname__", 32)],
    ),
    CType::new("method-wrapper", &[("descr", 16), ("__self__", 24)]),
    CType::new("mappingproxy", &[("mapping", 16)]),
    CType::new(
        "super",
        &[("__thisclass__", 16), ("__self__", 24), ("__self_class__", 32)],
    ),
    // Other built-in types.
    CType::new("slice", &[("start", 16), ("stop", 24), ("step", 32)]),
    CType::new("range", &[("start", 16), ("stop", 24), ("step", 32), ("length", 40)]),
    CType::with_weak("memoryview", &[("mbuf", 24)], &[("obj", 64)]),
    CType::new("managedbuffer", &[("obj", 40)]),
    CType::new("pickle.PickleBuffer", &[("obj", 24)]),
    CType::new("traceback", &[("tb_next", 16), ("tb_frame", 24)]),
    CType::new("types.SimpleNamespace", &[]),
    CType::new("hamt", &[("root", 16)]),
    CType::new("Context", &[("prev", 16), ("vars", 24)]),
    CType::new("_contextvars.Context", &[("prev", 16), ("vars", 24)]),
    CType::with_weak("ContextVar", &[("name", 16), ("default", 24)], &[("cached", 32)]),
    CType::with_weak(
        "_contextvars.ContextVar",
        &[("name", 16), ("default", 24)],
        &[("cached", 32)],
    ),
    CType::new("Token", &[("context", 16), ("var", 24), ("old_value", 32)]),
    CType::new("_contextvars.Token", &[("context", 16), ("var", 24), ("old_value", 32)]),
    // Views and iterators of built-in containers.
    CType::new("dict_keys", &[("mapping", 16)]),
    CType::new("dict_values", &[("mapping", 16)]),
    CType::new("dict_items", &[("mapping", 16)]),
    CType::new("odict_keys", &[("mapping", 16)]),
    CType::new("odict_values", &[("mapping", 16)]),
    CType::new("odict_items", &[("mapping", 16)]),
    CType::new("dict_keyiterator", &[("dict", 16), ("result", 40)]),
    CType::new("dict_valueiterator", &[("dict", 16), ("result", 40)]),
    CType::new("dict_itemiterator", &[("dict", 16), ("result", 40)]),
    CType::new("dict_reversekeyiterator", &[("dict", 16), ("result", 40)]),
    CType::new("dict_reversevalueiterator", &[("dict", 16), ("result", 40)]),
    CType::new("dict_reverseitemiterator", &[("dict", 16), ("result", 40)]),
    CType::new("odict_iterator", &[("dict", 24), ("current", 48), ("result", 56)]),
    CType::new("set_iterator", &[("set", 16)]),
    CType::new("list_iterator", &[("sequence", 24)]),
    CType::new("list_reverseiterator", &[("sequence", 24)]),
    CType::new("tuple_iterator", &[("sequence", 24)]),
    CType::new("str_iterator", &[("sequence", 24)]),
    CType::new("str_ascii_iterator", &[("sequence", 24)]),
    CType::new("bytes_iterator", &[("sequence", 24)]),
    CType::new("bytearray_iterator", &[("sequence", 24)]),
    CType::new("iterator", &[("sequence", 24)]),
    CType::new("reversed", &[("sequence", 24)]),
    CType::new("range_iterator", &[]),
    CType::new(
        "longrange_iterator",
        &[("index", 16), ("start", 24), ("step", 32), ("len", 40)],
    ),
    CType::new("callable_iterator", &[("callable", 16), ("sentinel", 24)]),
    CType::new("enumerate", &[("iterator", 24), ("result", 32), ("index", 40)]),
    CType::new("map", &[("iterators", 16), ("func", 24)]),
    CType::new("filter", &[("func", 16), ("iterator", 24)]),
    CType::new("zip", &[("iterators", 24), ("result", 32)]),
    // Helpers of coroutines and asynchronous generators (Objects/genobject.c).
    CType::new("coroutine_wrapper", &[("coroutine", 16)]),
    CType::new("async_generator_asend", &[("generator", 16), ("value", 24)]),
    CType::new("async_generator_athrow", &[("generator", 16), ("args", 24)]),
    CType::new("async_generator_wrapped_value", &[("value", 16)]),
    // What exceptions have beyond `BaseException` (cpython/pyerrors.h).
    CType::new("StopIteration", &[("value", 64)]),
    CType::new("SystemExit", &[("code", 64)]),
    CType::new(
        "OSError",
        &[("errno", 64), ("strerror", 72), ("filename", 80), ("filename2", 88)],
    ),
    CType::new("ImportError", &[("msg", 64), ("name", 72), ("path", 80)]),
    CType::new(
        "SyntaxError",
        &[
            ("msg", 64),
            ("filename", 72),
            ("lineno", 80),
            ("offset", 88),
            ("text", 96),
            ("print_file_and_line", 104),
        ],
    ),
    CType::new(
        "UnicodeEncodeError",
        &[("encoding", 64), ("object", 72), ("reason", 96)],
    ),
    CType::new(
        "UnicodeDecodeError",
        &[("encoding", 64), ("object", 72), ("reason", 96)],
    ),
    CType::new(
        "UnicodeTranslateError",
        &[("encoding", 64), ("object", 72), ("reason", 96)],
    ),
    // `itertools`.
    CType::new(
        "itertools.accumulate",
        &[("total", 16), ("iterator", 24), ("func", 32), ("initial", 40)],
    ),
    CType::new("itertools.chain", &[("source", 16), ("active", 24)]),
    CType::new("itertools.combinations", &[("pool", 16), ("result", 32)]),
    CType::new(
        "itertools.combinations_with_replacement",
        &[("pool", 16), ("result", 32)],
    ),
    CType::new("itertools.compress", &[("data", 16), ("selectors", 24)]),
    CType::new("itertools.count", &[("count", 24), ("step", 32)]),
    CType::new("itertools.cycle", &[("iterator", 16), ("saved", 24)]),
    CType::new("itertools.dropwhile", &[("func", 16), ("iterator", 24)]),
    CType::new("itertools.takewhile", &[("func", 16), ("iterator", 24)]),
    CType::new("itertools.filterfalse", &[("func", 16), ("iterator", 24)]),
    CType::new("itertools.islice", &[("iterator", 16)]),
    CType::new("itertools.permutations", &[("pool", 16), ("result", 40)]),
    CType::new("itertools.product", &[("pools", 16), ("result", 32)]),
    CType::new("itertools.repeat", &[("element", 16)]),
    CType::new("itertools.starmap", &[("func", 16), ("iterator", 24)]),
    CType::new("itertools._tee", &[("data", 16)]),
    CType::new(
        "itertools.zip_longest",
        &[("iterators", 32), ("result", 40), ("fillvalue", 48)],
    ),
    CType::new("itertools._grouper", &[("parent", 16), ("target_key", 24)]),
    CType::with_weak(
        "itertools.groupby",
        &[
            ("iterator", 16),
            ("keyfunc", 24),
            ("target_key", 32),
            ("current_key", 40),
            ("current_value", 48),
        ],
        &[("current_grouper", 56)],
    ),
    CType::new("itertools._tee_dataobject", TEE_DATA),
    // `functools`, `operator`, `collections`.
    CType::new("functools.partial", &[("func", 16), ("args", 24), ("keywords", 32)]),
    CType::with_weak(
        "functools._lru_cache_wrapper",
        &[("cache", 72), ("func", 88), ("cache_info_type", 112)],
        &[("prev", 16), ("next", 24)],
    ),
    CType::with_weak(
        "functools._lru_list_elem",
        &[("key", 40), ("result", 48)],
        &[("prev", 16), ("next", 24)],
    ),
    CType::new("functools.KeyWrapper", &[("cmp", 16), ("obj", 24)]),
    CType::new("operator.itemgetter", &[("item", 24)]),
    CType::new("operator.attrgetter", &[("attr", 24)]),
    CType::new("operator.methodcaller", &[("name", 16), ("args", 24), ("kwds", 32)]),
    CType::new("collections.defaultdict", &[("default_factory", 48)]),
    CType::with_weak("_collections._deque_iterator", &[("deque", 32)], &[("block", 16)]),
    CType::with_weak(
        "_collections._deque_reverse_iterator",
        &[("deque", 32)],
        &[("block", 16)],
    ),
    CType::new("_collections._tuplegetter", &[("__doc__", 24)]),
    // `io`.
    CType::new("_io._IOBase", &[]),
    CType::new("_io._RawIOBase", &[]),
    CType::new("_io._BufferedIOBase", &[]),
    CType::new("_io._TextIOBase", &[]),
    CType::new("_io.FileIO", &[]),
    CType::new("_io._BytesIOBuffer", &[("source", 16)]),
    CType::new(
        "_io.StringIO",
        &[
            ("large", 56),
            ("small", 64),
            ("decoder", 80),
            ("readnl", 88),
            ("writenl", 96),
        ],
    ),
    CType::new("_io.BufferedReader", &[("raw", 16)]),
    CType::new("_io.BufferedWriter", &[("raw", 16)]),
    CType::new("_io.BufferedRandom", &[("raw", 16)]),
    CType::new("_io.BufferedRWPair", &[("reader", 16), ("writer", 24)]),
    CType::new(
        "_io.TextIOWrapper",
        &[
            ("buffer", 32),
            ("encoding", 40),
            ("encoder", 48),
            ("decoder", 56),
            ("readnl", 64),
            ("errors", 72),
            ("decoded_chars", 120),
            ("pending_bytes", 136),
            ("snapshot", 152),
            ("raw", 168),
        ],
    ),
    CType::new("_io.IncrementalNewlineDecoder", &[("decoder", 16), ("errors", 24)]),
    // `asyncio`.
    CType::new(
        "_asyncio.Future",
        &[
            ("loop", 16),
            ("callback", 24),
            ("context", 32),
            ("callbacks", 40),
            ("exception", 48),
            ("result", 56),
            ("source_traceback", 64),
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
            ("result", 56),
            ("source_traceback", 64),
            ("fut_waiter", 104),
            ("coro", 112),
            ("name", 120),
            ("task_context", 128),
        ],
    ),
    CType::new("_asyncio.FutureIter", &[("future", 16)]),
    CType::new("FutureIter", &[("future", 16)]),
    CType::new("TaskStepMethWrapper", &[("task", 16), ("argument", 24)]),
    CType::new("_asyncio.TaskStepMethWrapper", &[("task", 16), ("argument", 24)]),
    // `_thread`, `queue`.
    CType::new(
        "_thread._local",
        &[
            ("key", 16),
            ("args", 24),
            ("kw", 32),
            ("dummies", 48),
            ("wr_callback", 56),
        ],
    ),
    CType::with_weak("_thread._localdummy", &[], &[("localdict", 16)]),
    CType::new("_queue.SimpleQueue", &[("list", 32)]),
    // Other modules.
    CType::new("re.Pattern", &[("groupindex", 32), ("indexgroup", 40), ("pattern", 48)]),
    CType::new("re.Match", &[("string", 24), ("regs", 32), ("re", 40)]),
    CType::new("Struct", &[("format", 40)]),
    CType::new("_struct.Struct", &[("format", 40)]),
    CType::new("unpack_iterator", &[("struct", 16), ("buffer", 32)]),
    CType::new("_struct.unpack_iterator", &[("struct", 16), ("buffer", 32)]),
    CType::new("arrayiterator", &[("array", 24)]),
    CType::new("array.arrayiterator", &[("array", 24)]),
    CType::new("_abc_data", &[("registry", 16), ("cache", 24), ("negative_cache", 32)]),
    CType::new(
        "_abc._abc_data",
        &[("registry", 16), ("cache", 24), ("negative_cache", 32)],
    ),
    CType::new("_csv.Dialect", &[("lineterminator", 40)]),
    CType::new("_csv.reader", &[("input_iter", 16), ("dialect", 24), ("fields", 32)]),
    CType::new("_csv.writer", &[("write", 16), ("dialect", 24)]),
    CType::new(
        "_json.Scanner",
        &[
            ("object_hook", 24),
            ("object_pairs_hook", 32),
            ("parse_float", 40),
            ("parse_int", 48),
            ("parse_constant", 56),
            ("memo", 64),
        ],
    ),
    CType::new(
        "_json.Encoder",
        &[
            ("markers", 16),
            ("default", 24),
            ("encoder", 32),
            ("indent", 40),
            ("key_separator", 48),
            ("item_separator", 56),
        ],
    ),
    CType::new("datetime.timezone", &[("offset", 16), ("name", 24)]),
    CType::new(
        "posix.DirEntry",
        &[("name", 16), ("path", 24), ("stat", 32), ("lstat", 40)],
    ),
];
