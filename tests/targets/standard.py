"""Objects of the standard library's types that are written in C and hold other objects."""

import _thread
import array
import collections
import contextvars
import csv
import ctypes
import datetime
import decimal
import functools
import hashlib
import io
import itertools
import json
import mmap
import operator
import pickle
import queue
import random
import re
import select
import socket
import sqlite3
import struct
import sys
import tempfile
import threading
import types
import uuid
import xml.etree.ElementTree
import zlib

import truth

DEQUES = [collections.deque(range(length)) for length in (0, 1, 31, 32, 33, 63, 64, 65, 66, 129, 1000)]
for number in range(500):
    DEQUES[-1].popleft()
    DEQUES[-2].rotate(3)
BOUNDED = collections.deque([[number] for number in range(1000)], maxlen=10)
ROTATED = collections.deque(range(100))
for number in range(1000):
    ROTATED.append(ROTATED.popleft())
ORDERED = [collections.OrderedDict((key, [key]) for key in range(length)) for length in (0, 1, 5, 6, 100, 3000)]
for key in range(0, 3000, 2):
    del ORDERED[-1][key]
ORDERED[-1].attribute = "has a dict"
ORDERED_EMPTIED = collections.OrderedDict(a=1)
ORDERED_EMPTIED.clear()
DEFAULT = collections.defaultdict(list)
for number in range(1000):
    DEFAULT[number % 100].append(number)
COUNTERS = [collections.Counter("mississippi"), collections.Counter(range(100))]


class Service:
    @functools.lru_cache(maxsize=None)
    def method(self, number):
        return [number]


@functools.lru_cache(maxsize=None)
def unbounded(number):
    return {"n": number}


@functools.lru_cache(maxsize=50)
def bounded(number, *rest, **named):
    return [number]


@functools.lru_cache(maxsize=0)
def uncached(number):
    return number


@functools.lru_cache(maxsize=32, typed=True)
def typed(number):
    return number


for number in range(300):
    unbounded(number)
    bounded(number)
    bounded(number, 1, 2, key="value")
    typed(number)
    typed(float(number))
    uncached(number)
SERVICES = [Service() for _ in range(10)]
for service in SERVICES:
    service.method(1)
CACHED_PROPERTY = functools.cached_property(len)
PARTIALS = [functools.partial(max, [number], key=len) for number in range(100)] + [functools.partial(int)]
PARTIALS[0].attribute = 1
COMPARED = [functools.cmp_to_key(lambda a, b: 0)(number) for number in range(10)]
SINGLE = functools.singledispatch(len)


def iterators():
    pair = itertools.tee([1, 2, [3]])
    next(pair[0])
    grouped = itertools.groupby([1, 1, 2])
    kept = [
        itertools.accumulate([1, 2], operator.add),
        itertools.chain([1], [2, []]),
        itertools.chain.from_iterable([[1], [2]]),
        itertools.combinations([1, 2, 3, []], 2),
        itertools.combinations_with_replacement("abc", 2),
        itertools.compress("abc", [1, 0, 1]),
        itertools.count(10**30, 2),
        itertools.count(1.5),
        itertools.count(),
        itertools.cycle([1, [2]]),
        itertools.dropwhile(bool, [1, 0]),
        itertools.filterfalse(None, [[]]),
        grouped,
        next(grouped),
        itertools.islice([1, 2, 3], 2),
        itertools.permutations([1, [], 3], 2),
        itertools.product([1, 2], [[3]], repeat=2),
        itertools.repeat([1], 5),
        itertools.starmap(pow, [(2, 3)]),
        itertools.takewhile(bool, [1]),
        itertools.zip_longest([1], [2, []], fillvalue="f"),
        pair,
        map(str, [1], [2]),
        filter(None, [1, 2]),
        zip([1], (2,), "c"),
        zip(),
        enumerate([1, 2], 10**20),
        reversed([1, 2]),
        iter([1]),
        iter((1, [])),
        iter({"a": 1}),
        iter({"a": 1}.items()),
        iter({"a": 1}.values()),
        iter({1, 2}),
        iter("text"),
        iter(b"bytes"),
        iter(bytearray(3)),
        iter(range(5)),
        iter(range(10**30)),
        iter(collections.deque([1])),
        iter(array.array("i", [1])),
        iter(list, 1),
        iter(memoryview(b"abc")),
        reversed(collections.deque([1])),
        reversed(collections.OrderedDict(a=1)),
        iter(collections.OrderedDict(a=1).items()),
        iter(struct.Struct("i").iter_unpack(bytes(8))),
        re.finditer("a", "banana"),
    ]
    for iterator in kept[:30]:
        try:
            next(iterator)
        except (StopIteration, TypeError):
            pass
    return kept


ITERATORS = [iterators() for _ in range(20)]
ARRAYS = [array.array(code, range(50)) for code in "bBhHiIlLqQfd"] + [array.array("d")]
for number in range(1000):
    ARRAYS[-1].append(number)
TEXT_ARRAY = array.array("u" if sys.version_info < (3, 13) else "w", "text")

BYTES_IO = [io.BytesIO(), io.BytesIO(b"shared with the argument"), io.BytesIO(b"read")]
BYTES_IO[0].write(b"written" * 1000)
BYTES_IO[2].read(2)
BUFFER_VIEW = io.BytesIO(b"exported")
VIEW = BUFFER_VIEW.getbuffer()
STRING_IO = [io.StringIO("initial"), io.StringIO()]
for number in range(100):
    STRING_IO[1].write("accumulated %d" % number)
FILE = tempfile.TemporaryFile("w+")
FILE.write("some text")
BINARY = tempfile.TemporaryFile("w+b")
BINARY.write(b"some bytes")
UNBUFFERED = tempfile.TemporaryFile("w+b", buffering=0)
SOURCE = open(__file__)
SOURCE.readline()
SOURCE_BYTES = open(__file__, "rb", buffering=100)
SOURCE_BYTES.read(3)
READER = io.BufferedRWPair(io.BytesIO(b"a"), io.BytesIO())
WRAPPED = io.TextIOWrapper(io.BytesIO(b"line\nline\n"), encoding="latin-1")
WRAPPED.readline()
CODEC = io.IncrementalNewlineDecoder(None, True)

DECIMALS = [decimal.Decimal(number) / 7 for number in range(100)] + [decimal.Decimal(10) ** 60, decimal.Decimal("NaN")]
with decimal.localcontext() as context:
    context.prec = 500
    DECIMALS.append(decimal.Decimal(1) / 3)
CONTEXT = decimal.Context(prec=9)
DATES = [datetime.datetime(2020, 1, 1 + day) for day in range(28)]
ZONES = [datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=hour))) for hour in range(5)]
TIMES = [datetime.time(1, 2, 3), datetime.timedelta(days=3), datetime.date(2020, 1, 2)]
UUIDS = [uuid.UUID(int=number) for number in range(50)]
STRUCTS = [struct.Struct(form) for form in ("i", "iii", "10s2d", "", "4xhhh")]
PATTERNS = [re.compile(pattern) for pattern in ("a+", "(?P<name>b)(c)", b"bytes", "[a-z\u20ac]+")]
MATCHES = [PATTERNS[1].match("bc"), re.match("x", "xyz"), re.compile("(a)|(b)").match("b")]
SCANNER = PATTERNS[0].scanner("aaa")
GETTERS = [operator.itemgetter(1), operator.itemgetter(1, [2]), operator.attrgetter("a.b", "c"), operator.attrgetter("a")]
CALLERS = [operator.methodcaller("name", 1, [2], key=3) for _ in range(10)] + [operator.methodcaller("bare")]
NAMESPACES = [types.SimpleNamespace(a=1, b=[number]) for number in range(50)]
PROXIES = [types.MappingProxyType({"a": 1}), type.__dict__["__dict__"].__get__(Service)]
MODULE = types.ModuleType("made", "documentation")
MODULE.value = [MODULE]
METHODS = [types.MethodType(len, []), [].append, {}.get, "".join, Service.method, object().__str__, [].__len__]
CELLS = [types.CellType([1]), types.CellType()]
CODES = [compile("x = %d\ndef f(a, b=2):\n    def g(): return a\n    return g" % number, "made", "exec") for number in range(20)]
FUNCTIONS = []
for code in CODES:
    namespace = {}
    exec(code, namespace)
    FUNCTIONS.append(namespace["f"])
    FUNCTIONS.append(namespace["f"](1))


def annotated(a: int, b: "text" = [], *rest, key: list = (), **named) -> None:
    """Has everything that a function can have."""


annotated.attribute = {"a": 1}
annotated.__annotations__

VARIABLE = contextvars.ContextVar("variable", default=[])
TOKENS = [VARIABLE.set([number]) for number in range(20)]
CONTEXTS = []
for number in range(40):
    VARIABLES = [contextvars.ContextVar("v%d" % index) for index in range(number)]
    CONTEXT_OF_MANY = contextvars.copy_context()
    for variable in VARIABLES:
        CONTEXT_OF_MANY.run(variable.set, [number])
    CONTEXTS.append(CONTEXT_OF_MANY)

LOCKS = [threading.Lock(), threading.RLock(), _thread.allocate_lock(), threading.Condition(), threading.Event()]
QUEUES = [queue.Queue(), queue.SimpleQueue(), queue.PriorityQueue()]
for number in range(100):
    QUEUES[1].put([number])
    QUEUES[0].put((number, []))
LOCAL = threading.local()
LOCAL.value = [1]
SOCKETS = [socket.socket(), *socket.socketpair()]
POLL = select.poll()
RANDOM = random.Random(1)
HASHES = [hashlib.sha256(b"x"), hashlib.md5(b"y"), hashlib.blake2b(b"z")]
COMPRESSORS = [zlib.compressobj(), zlib.decompressobj()]
MAPPED = mmap.mmap(-1, 10000)
MAPPED_VIEW = memoryview(MAPPED)
READERS = [csv.reader(["a,b", "c,d"]), csv.writer(io.StringIO()), csv.DictReader(["a,b", "1,2"])]
next(READERS[0])
PICKLES = [pickle.Pickler(io.BytesIO()), pickle.Unpickler(io.BytesIO(pickle.dumps([1])))]
PICKLES[0].dump([[], {}, "text"])
DECODERS = [json.JSONDecoder(), json.JSONEncoder()]
DOCUMENT = json.loads(json.dumps({"a": [1, 2.5, None, True, {"b": "c"}] * 50}))
TREE = xml.etree.ElementTree.fromstring("<a x='1'>" + "<b y='2'>text<c/>tail</b>" * 100 + "</a>")
CONNECTION = sqlite3.connect(":memory:")
CONNECTION.execute("create table t (a, b)")
CONNECTION.executemany("insert into t values (?, ?)", [(number, "row %d" % number) for number in range(100)])
CURSOR = CONNECTION.execute("select * from t")
CONNECTION.row_factory = sqlite3.Row
ROWS = CONNECTION.execute("select * from t").fetchmany(30)


class Structure(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double), ("p", ctypes.c_void_p)]


CTYPES = [ctypes.c_int(number) for number in range(50)] + [Structure(1, 2.0, None), (ctypes.c_int * 10)(1, 2)]
CTYPES += [ctypes.pointer(CTYPES[0]), ctypes.byref(CTYPES[1]), ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)]
CTYPES += [ctypes.create_string_buffer(100), ctypes.c_char_p(b"kept"), ctypes.py_object([1])]

if __name__ == "__main__":
    truth.hold()
