# Makes objects that a program is made of: classes and instances, exceptions, code, frames, streams. Continues `values.py`.
# Classes and their instances.


class Meta(type):
    def __new__(meta, name, bases, names, **keywords):
        return super().__new__(meta, name, bases, names)


class SlottedMeta(type):
    pass


class WithMeta(metaclass=Meta):
    pass


class Many:
    __slots__ = tuple("slot_%d" % number for number in range(40))


class Slotted:
    __slots__ = ("a", "b", "__weakref__")


class SlottedAndDict(Slotted):
    pass


class SlottedChild(Slotted):
    __slots__ = ("c", "__dict__")


class Empty:
    pass


class Deep(SlottedAndDict):
    def __init__(self):
        self.a, self.c, self.d = [1], [2], [3]


@dataclasses.dataclass
class Data:
    left: int
    right: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class FrozenData:
    value: int


class Color(enum.Enum):
    RED = [1]
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2**40


class Options(enum.Flag):
    A = 1
    B = 2


class Abstract(abc.ABC):
    @abc.abstractmethod
    def method(self):
        pass


class Generic(typing.Generic[typing.TypeVar("T")]):
    pass


class Proto(typing.Protocol):
    pass


classes = [Plain, Meta, SlottedMeta, WithMeta, Many, Slotted, SlottedAndDict, SlottedChild, Empty, Deep, Data, FrozenData]
classes += [Color, Level, Options, Abstract, Generic, Proto, Text, Number, List, Row, Dict, Ordered, Set, Deque, Point, Typed]
classes += [object, type, int, bool, str, list, dict, Exception, types.FunctionType, collections.deque, functools.partial]
classes += [array.array, decimal.Decimal, datetime.datetime, io.BytesIO, re.Pattern, collections.OrderedDict, types.ModuleType]
classes += [type("Made", (), {}), type("Made", (Slotted,), {"__slots__": ("x",)}), types.new_class("Dynamic", (Plain,))]
samples += classes
many_attributes = Empty()
for place in range(50):
    setattr(many_attributes, "attribute_%d" % place, place)
few = Empty()
few.left, few.right = [1], [2]
deleted = Empty()
deleted.left, deleted.right = 1, 2
del deleted.left
shown = Empty()
shown.left = [1]
vars(shown)["odd"] = 1
shown_whole = Empty()
shown_whole.left, shown_whole.right = 1, 2
shown_dict = vars(shown_whole)
replaced = Empty()
replaced.left = 1
replaced.__dict__ = {"new": [1]}
slotted = Slotted()
slotted.b = [1]
slotted_child = SlottedChild()
slotted_child.c, slotted_child.other = [1], [2]
many = Many()
for name in Many.__slots__[::2]:
    setattr(many, name, [name])
instances = [Empty(), few, deleted, shown, vars(shown), shown_whole, shown_dict, replaced, replaced.__dict__, many_attributes]
instances += [slotted, SlottedAndDict(), slotted_child, many, Many(), Deep(), WithMeta(), Data(1), FrozenData(2), Color.RED, Color.BLUE]
instances += [Level.HIGH, Options.A | Options.B, Generic(), object(), types.SimpleNamespace(a=1), Plain(), vars(many_attributes)]
samples += instances

# Exceptions, with what they carry.


class Custom(Exception):
    pass


class SlottedError(ValueError):
    __slots__ = ("extra",)


class CustomStop(StopIteration):
    pass


def raised(make):
    try:
        raise make()
    except BaseException as error:
        return error


errors = [raised(make) for make in (Exception, ValueError, KeyError, OSError, lambda: OSError(2, "no", "file"), StopIteration, SystemExit)]
errors += [raised(make) for make in (lambda: ImportError("no", name="x"), lambda: UnicodeDecodeError("a", b"b", 0, 1, "c"), lambda: SyntaxError("bad"))]
errors += [raised(make) for make in (Custom, SlottedError, lambda: CustomStop([1]), MemoryError, RecursionError, KeyboardInterrupt, GeneratorExit)]
errors += [raised(make) for make in (asyncio.CancelledError, lambda: AttributeError("x"), lambda: NameError("y"), StopAsyncIteration, TimeoutError)]
errors[10].attribute = [1]
if sys.version_info >= (3, 11):
    errors[1].add_note("a note")
try:
    try:
        {}[1]
    except KeyError as cause:
        raise Custom(one) from cause
except Custom as chained:
    errors.append(chained)
samples += errors
samples += [error.__traceback__ for error in errors]
keep(lambda: builtins.ExceptionGroup("group", [ValueError(1), Custom(2)]))
keep(lambda: builtins.BaseExceptionGroup("group", [KeyboardInterrupt()]))

# Code, functions and frames.


def annotated(a: int, b: "str" = one, *args: list, c: dict = None, **kwargs) -> None:
    "Says nothing."
    total = 0
    for number in args:
        total += number
    return [total for _ in (a, b, c) if kwargs]


def with_cells(a, b):
    c = [a]

    def middle():
        def innermost():
            return a, b, c

        return innermost

    return middle


def argument_in_cell(a, b):
    return lambda: b


for _ in range(3000):
    annotated(1, 2, 3, 4)
functions = [annotated, with_cells, with_cells(1, 2), with_cells(1, 2)(), argument_in_cell, argument_in_cell(1, 2), lambda: None, Plain.method]
samples += functions + [function.__code__ for function in functions]
samples += [constant for function in functions for constant in function.__code__.co_consts if isinstance(constant, types.CodeType)]
touched = with_cells.__code__
touched.co_code, touched.co_varnames, touched.co_cellvars, touched.co_freevars, touched.co_lnotab if sys.version_info < (3, 12) else None
samples += [compile("a = 1\nb = [x for x in range(a)]", "made", "exec"), compile("1 + 1", "made", "eval"), inspect.getmodule, json.JSONDecoder.decode]
samples.append(functools.wraps(annotated)(lambda *args: annotated(*args)))


def own_frame(argument):
    local = [argument]
    return sys._getframe()


def yielding(argument):
    kept = [argument]
    received = yield kept
    for item in kept:
        yield item, received
    yield from iter(kept)


frames = [own_frame(1), sys._getframe(), errors[0].__traceback__.tb_frame]
generators = [yielding(1), started(yielding([2])), started(yielding([3]), 2), started(yielding([4]), 3)]
done = yielding(5)
list(done)
closed = started(yielding(6))
closed.close()
failed_generator = started(yielding([7]))
try:
    failed_generator.throw(Custom())
except Custom:
    pass
generators += [done, closed, failed_generator, (value for value in [[1], [2]]), started(value for value in [[1], [2]])]
samples += frames[:1] + frames[2:] + generators
samples += [generator.gi_frame for generator in generators if generator.gi_frame is not None]


async def asynchronous_generator(argument):
    kept = [argument]
    yield kept
    yield argument


coroutines = [waiting(), waiting(), asynchronous_generator([1]), asynchronous_generator([2])]
coroutines[1].send(None)
try:
    coroutines[3].__anext__().send(None)
except StopIteration:
    pass
sys.set_coroutine_origin_tracking_depth(2)
coroutines.append(waiting())
sys.set_coroutine_origin_tracking_depth(0)
samples += coroutines + [made.cr_frame for made in coroutines[:2]]

# Streams and other buffers in C.
shared = io.BytesIO(b"bytes" * 100)
value = shared.getvalue()
alone = io.BytesIO()
alone.write(b"bytes" * 100)
viewed = io.BytesIO(b"viewed")
view = viewed.getbuffer()
closed_stream = io.BytesIO(b"gone")
closed_stream.close()
states = [shared, alone, viewed, closed_stream, io.BytesIO(), io.StringIO(), io.StringIO("text" * 100)]
written_text = io.StringIO()
for place in range(100):
    written_text.write("line %d\n" % place)


class Stream(io.BytesIO):
    pass


class TextStream(io.StringIO):
    __slots__ = ()


states += [written_text, Stream(b"bytes"), TextStream("text"), tempfile.SpooledTemporaryFile()]
states += [io.BufferedReader(io.BytesIO(b"x"), 100), io.BufferedWriter(io.BytesIO(), 5000), io.BufferedRandom(io.BytesIO(b"x"))]
detached = io.BufferedReader(io.BytesIO(b"x"))
detached.detach()
opened = open(os.devnull, "rb")
states += [detached, opened, opened.raw, open(os.devnull), open(os.devnull, "w")]
states += [struct.Struct(""), struct.Struct("<i"), struct.Struct("<" + "iq" * 50), struct.Struct("10s3i")]
states += [re.compile("a"), re.compile("(?P<one>a|b)*" + "(c|d)*" * 10), re.compile(b"x").match(b"xyz"), re.compile("(a)(b)?").match("a")]
states += [hashlib.md5(b"x"), hashlib.sha256(), hashlib.blake2b(), zlib.compressobj(), zlib.decompressobj(), random.Random(1)]
states += [socket.socket(), select.epoll(), select.poll(), queue.Queue(), queue.SimpleQueue(), uuid.uuid4(), string.Template("$x")]
queued = queue.SimpleQueue()
for place in range(100):
    queued.put([place])
for place in range(90):
    queued.get()
states.append(queued)
keep(lambda: __import__("sqlite3").connect(":memory:"))
keep(lambda: __import__("xml.etree.ElementTree", fromlist=["x"]).Element("tag", a="1"))
keep(lambda: __import__("xml.etree.ElementTree", fromlist=["x"]).fromstring("<a b='1'>text<c/><d/><e/><f/><g/><h/></a>"))
keep(lambda: __import__("lzma").LZMACompressor())
keep(lambda: __import__("bz2").BZ2Compressor())
keep(lambda: __import__("ssl").create_default_context())
keep(lambda: __import__("zoneinfo").ZoneInfo("UTC"))
keep(lambda: __import__("_thread").allocate_lock())
keep(lambda: __import__("pickle").Pickler(io.BytesIO()))
keep(lambda: __import__("pickle").Unpickler(io.BytesIO(b"x")))
keep(lambda: ast.parse("a = [1]"))
keep(lambda: __import__("unicodedata").ucd_3_2_0)
keep(lambda: __import__("multiprocessing").Lock)
states += [ipaddress.ip_address("127.0.0.1"), pathlib.Path("/tmp"), logging.getLogger("sizes"), time.struct_time(range(9))]
samples += states

# itertools, with what they keep.
samples += [itertools.product(), itertools.product([1], [2], [3]), itertools.product("ab", repeat=10), itertools.permutations(range(5)), itertools.permutations(range(5), 2)]
samples += [itertools.combinations(range(9), 4), itertools.combinations_with_replacement(range(9), 4), itertools.combinations([], 3)]
samples += [started(itertools.product([[1]], [[2]])), started(itertools.permutations([[1], [2]])), started(itertools.combinations([[1], [2]], 1))]

# Dates.


class Zone(datetime.tzinfo):
    def utcoffset(self, when):
        return None


class Date(datetime.date):
    pass


class Stamp(datetime.datetime):
    __slots__ = ()


zone = datetime.timezone(datetime.timedelta(hours=1))
samples += [datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=zone), datetime.time(1), datetime.time(1, tzinfo=zone)]
samples += [datetime.timedelta(1), zone, datetime.timezone.utc, Zone(), Date(2020, 1, 1), Stamp(2020, 1, 1), Stamp(2020, 1, 1, tzinfo=Zone())]

# Weak references, caches, names of the interpreter's own.
samples += [weakref.ref(slotted), weakref.ref(slotted, print), weakref.proxy(slotted), weakref.WeakMethod(Plain().method), weakref.finalize(slotted, print)]
samples += [weakref.KeyedRef(slotted, print, "key") if hasattr(weakref, "KeyedRef") else None, weakref.getweakrefs(slotted)[0]]


@functools.lru_cache(maxsize=None)
def unbounded(argument):
    return [argument]


for place in range(100):
    unbounded(place)
    unbounded((place, "x"))
samples += [unbounded, functools.cached_property(annotated), functools.partialmethod(annotated, 1), functools.singledispatch(annotated)]
samples += [None, Ellipsis, NotImplemented, type(None), sys, os, sys.modules, json, types.ModuleType("made"), collections, sys.__dict__]
samples += [sys.stdin, sys.stdout, sys.path, sys.implementation, range(5), range(2**70), slice(1, [2]), super(Deep, Deep()), property(len), staticmethod(len), classmethod(len)]

# ctypes, whose objects have buffers of their own.


class Pair(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_char * 100)]


pair = Pair()
samples += [ctypes.c_int(1), ctypes.c_char_p(b"bytes"), (ctypes.c_int * 100)(), pair, ctypes.pointer(pair), ctypes.byref(pair), ctypes.create_string_buffer(500)]
samples += [Pair, ctypes.c_int, ctypes.c_int * 100, ctypes.POINTER(Pair), ctypes.CFUNCTYPE(ctypes.c_int), ctypes.pythonapi, ctypes.pythonapi.Py_GetVersion, Pair.a]
samples.append(ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1))
