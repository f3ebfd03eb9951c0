# Makes values whose sizes are not all in their types: text, numbers and buffers of every form, containers that grew and
# shrank, subclasses of built-in types. Continues `samples.py`, to whose `samples` it adds.
import abc, ast, bisect, dataclasses, decimal, difflib, enum, fractions, hashlib, heapq, inspect, ipaddress, logging, mmap
import pathlib, queue, random, select, socket, statistics, string, tempfile, time, typing, uuid, weakref, zlib

# Text: every kind, cached UTF-8, wide characters (up to 3.11), subclasses.
texts = ["", "a", "ascii" * 100, "\xe4" * 50, "\u20ac" * 50, "\U0001f600" * 50, "caf\xe9", "mixed \u20ac"]
encoded = "".join(["caf", "\xe9 "]) * 20
try:
    ctypes.pythonapi.PyUnicode_AsUTF8.restype = ctypes.c_char_p
    ctypes.pythonapi.PyUnicode_AsUTF8(ctypes.py_object(encoded))
    ctypes.pythonapi.PyUnicode_AsWideCharString.restype = ctypes.c_void_p
    if sys.version_info < (3, 12):
        ctypes.pythonapi.PyUnicode_AsUnicode.restype = ctypes.c_void_p
        for wide_text in ["".join(["as", "cii"]) * 9, "".join(["\xe4", "x"]) * 9, "".join(["\u20ac", "x"]) * 9, "".join(["\U0001f600", "x"]) * 9]:
            ctypes.pythonapi.PyUnicode_AsUnicode(ctypes.py_object(wide_text))
            texts.append(wide_text)
except AttributeError:
    pass
texts.append(encoded)


class Text(str):
    pass


class SlottedText(str):
    __slots__ = ()


for sub in (Text, SlottedText):
    texts += [sub(""), sub("ascii"), sub("\xe4"), sub("\u20ac"), sub("\U0001f600")]
texts[-8].attribute = one
samples += texts

# Numbers.
numbers = [0, 1, -1, 255, 256, 257, 1024, 1025, 2**30 - 1, 2**30, -(2**30), 2**60, 2**90, 10**100, -(10**1000)]
numbers += [True, False, 1.5, float("nan"), 2j, decimal.Decimal(0), decimal.Decimal("1.1"), decimal.Decimal("1" * 60)]
numbers += [decimal.Decimal("1" * 1000), decimal.Decimal("NaN"), fractions.Fraction(1, 3), decimal.Context()]
numbers += [decimal.getcontext(), decimal.getcontext().flags]


class Number(int):
    pass


class SlottedNumber(int):
    __slots__ = ()


class Real(float):
    pass


class Amount(decimal.Decimal):
    pass


numbers += [sub(value) for sub in (Number, SlottedNumber) for value in (0, 1, 2**30, 2**90)]
numbers += [Real(1.5), Amount("1" * 100), Amount(1)]
samples += numbers

# Bytes and buffers, with room to spare.
buffers = [b"", b"a", b"bytes" * 100, bytearray(), bytearray(b"a"), bytearray(b"bytes" * 1000)]
grown = bytearray()
for place in range(1000):
    grown.append(place % 256)
shrunk = bytearray(b"bytes" * 1000)
del shrunk[10:]
cut = bytearray(b"bytes" * 1000)
del cut[:10]
buffers += [grown, shrunk, cut]


class Bytes(bytes):
    pass


class Buffer(bytearray):
    pass


buffers += [Bytes(b"bytes"), Buffer(b"bytes"), Buffer()]
for code in "bBhHiIlLqQfdu":
    buffers += [array.array(code), array.array(code, [1, 2, 3] if code != "u" else "abc")]
grown_array = array.array("i")
for place in range(100):
    grown_array.append(place)


class Array(array.array):
    pass


buffers += [grown_array, Array("d", [1.5]), memoryview(b"bytes"), memoryview(grown)[::2], memoryview(b"x" * 64).cast("B", (4, 4, 4))]
buffers.append(mmap.mmap(-1, 4096))
samples += buffers

# Lists and tuples.
appended = []
for place in range(100):
    appended.append(place)
popped = list(range(1000))
del popped[5:]
cleared = list(range(100))
cleared.clear()


class List(list):
    pass


class SlottedList(list):
    __slots__ = ("extra",)


class Row(tuple):
    pass


class SlottedRow(tuple):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")


class Typed(typing.NamedTuple):
    left: int
    right: str = "r"


samples += [appended, popped, cleared, [], [1], [None] * 50, list(map(str, range(20))), List(range(7)), SlottedList([1, 2])]
samples += [(), (1,), tuple(range(50)), Row(), Row((1, 2)), SlottedRow((1,)), Point(1, [2]), Typed(1)]
with_attributes = Row((1, 2, 3))
with_attributes.attribute = [1]
samples.append(with_attributes)

# Structure sequences, whose tuples are longer than they look.
samples += [sys.version_info, sys.flags, sys.float_info, sys.hash_info, sys.int_info, sys.thread_info, time.localtime(), time.gmtime(0)]
samples += [os.stat("/"), os.terminal_size((80, 24)), os.times(), os.uname(), os.statvfs("/"), sys.implementation]
keep(lambda: __import__("resource").getrusage(0))
keep(lambda: __import__("pwd").getpwuid(0))
keep(lambda: __import__("grp").getgrgid(0))
keep(lambda: os.sched_param(0))
keep(lambda: sys.get_asyncgen_hooks())
keep(lambda: time.get_clock_info("monotonic"))
keep(lambda: sys.getwindowsversion())

# Dicts.
dicts = [{}, {"a": 1}, {1: 1}, {"a": 1, 2: 2}, dict.fromkeys(range(10)), dict.fromkeys(map(str, range(1000))), dict(a=1, b=2)]
emptied = dict.fromkeys(range(1000))
for key in range(1000):
    del emptied[key]
refilled = dict.fromkeys(map(str, range(100)))
for key in map(str, range(50)):
    del refilled[key]
refilled["again"] = 1
copied = dict(refilled)
wiped = dict.fromkeys(range(100))
wiped.clear()


class Dict(dict):
    pass


class SlottedDict(dict):
    __slots__ = ()


class Missing(dict):
    def __missing__(self, key):
        return key


dicts += [emptied, refilled, copied, refilled.copy(), wiped, Dict(a=1), SlottedDict(b=2), Missing(), {**refilled}]
dicts += [collections.defaultdict(list), collections.defaultdict(list, a=[1]), collections.Counter("mississippi"), collections.Counter()]
ordered_dicts = [collections.OrderedDict(), collections.OrderedDict(a=1), collections.OrderedDict((key, key) for key in range(100))]
thinned = collections.OrderedDict((key, key) for key in range(1000))
for key in range(0, 1000, 2):
    del thinned[key]
turned = collections.OrderedDict((key, key) for key in range(10))
turned.move_to_end(0)
ordered_cleared = collections.OrderedDict(a=1)
ordered_cleared.clear()
ordered_attribute = collections.OrderedDict(a=1)
ordered_attribute.attribute = [1]


class Ordered(collections.OrderedDict):
    pass


dicts += ordered_dicts + [thinned, turned, ordered_cleared, ordered_attribute, Ordered(a=1), collections.ChainMap({}, {1: 2})]
dicts += [collections.UserDict(a=1), types.MappingProxyType({"a": 1}), weakref.WeakValueDictionary(), weakref.WeakKeyDictionary()]
keep(lambda: builtins.frozendict(a=1))
keep(lambda: builtins.frozendict())
samples += dicts

# Sets.
emptied_set = set(range(1000))
for value in range(1000):
    emptied_set.discard(value)
popped_set = set(range(100))
for _ in range(90):
    popped_set.pop()


class Set(set):
    pass


class Frozen(frozenset):
    __slots__ = ()


samples += [set(), {1}, set(range(5)), set(range(6)), set(range(1000)), frozenset(), frozenset(range(100)), emptied_set, popped_set]
samples += [Set(range(20)), Frozen("abc"), weakref.WeakSet()]

# Deques.
deques = [collections.deque(), collections.deque(range(1)), collections.deque(range(64)), collections.deque(range(65)), collections.deque(range(1000))]
deques.append(collections.deque(range(100), maxlen=10))
rotated = collections.deque(range(100))
rotated.rotate(33)
drained = collections.deque(range(2000))
for _ in range(1999):
    drained.popleft()
filled_left = collections.deque()
for value in range(200):
    filled_left.appendleft(value)


class Deque(collections.deque):
    pass


samples += deques + [rotated, drained, filled_left, Deque(range(10))]
