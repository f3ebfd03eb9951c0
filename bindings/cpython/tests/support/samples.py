# Makes an object of every kind that the tables of C types describe, and says of each: its address, the `tp_name` of its
# type, and the addresses of what the collector sees it refer to.
import array, asyncio, builtins, collections, collections.abc, contextvars, csv, ctypes, datetime, functools, gc, io, itertools
import json.encoder, json.scanner, operator, os, pickle, re, struct, sys, threading, types, typing, warnings

warnings.simplefilter("ignore")

samples = []


def keep(make):
    """Keeps what `make` returns; what this version cannot make is left out."""
    try:
        samples.append(make())
    except (AttributeError, ImportError, IndexError, TypeError, SyntaxError, NotImplementedError):
        pass


def referent(owner, name):
    """The object of the type `name` that `owner` refers to."""
    for found in gc.get_referents(owner):
        if type(found).__name__ == name:
            return found
    raise AttributeError(name)


class Plain:
    def method(self):
        return self


def outer(argument, *, keyword=[1]):
    cell = [argument]

    def inner(default=cell):
        return cell, default

    inner.__doc__ = "documented " + str(argument)
    return inner


def failing():
    raise ValueError(["value"])


def generator():
    yield [1]


async def asynchronous():
    yield [1]
    yield [2]


async def coroutine():
    return [1]


class Awaitable:
    def __await__(self):
        yield


async def waiting():
    await Awaitable()


def method_with_class():
    return re.compile("a").match


def instance_method(function):
    make = ctypes.pythonapi.PyInstanceMethod_New
    make.restype, make.argtypes = ctypes.py_object, [ctypes.py_object]
    return make(function)


def queue_with_items():
    import queue

    made = queue.SimpleQueue()
    made.put(one)
    return made


def started_stop():
    iterator = generator()
    next(iterator)
    try:
        next(iterator)
    except StopIteration as stop:
        return stop


text = "".join(["text ", "of ", "a sample"])
wide = text + "\u20ac"
number = 10**30
one = [1]

for function in (outer(number), outer, Plain.method):
    keep(lambda: function)
    keep(lambda: function.__closure__[0])
keep(lambda: [].append)
keep(lambda: len)
keep(lambda: Plain().method)
keep(lambda: one.__len__)
keep(lambda: list.append)
keep(lambda: list.__len__)
keep(lambda: dict.__dict__["fromkeys"])
keep(lambda: types.FunctionType.__dict__["__globals__"])
keep(lambda: types.FunctionType.__dict__["__code__"])
keep(lambda: property(outer, failing, generator, text))
keep(lambda: classmethod(outer))
keep(lambda: staticmethod(outer))
keep(lambda: super(Plain, Plain()))
keep(lambda: types.MappingProxyType({1: one}))
keep(lambda: slice(one, [2], [3]))
keep(lambda: range(number, number * 2, number // 7))
keep(lambda: types.SimpleNamespace(a=one))
keep(lambda: list[int])
keep(lambda: list[typing.TypeVar("T")].__parameters__ and list[typing.TypeVar("T")])
keep(lambda: int | list[typing.TypeVar("T")])
keep(lambda: memoryview(bytearray(b"bytes")))
keep(lambda: referent(memoryview(bytearray(b"bytes")), "managedbuffer"))
keep(lambda: pickle.PickleBuffer(bytearray(b"bytes")))
try:
    failing()
except ValueError as caught:
    keep(lambda: caught.__traceback__)
    samples.append(caught.__traceback__)
keep(lambda: sys._getframe().f_locals)
keep(lambda: (lambda here: sys._getframe().f_locals)(one))

for iterable in (
    [1, 2], (1, 2), {1, 2}, frozenset((1, 2)), {1: 2}, text, wide, b"bytes", bytearray(b"bytes"), range(9),
    range(number, number + 9), array.array("d", [1, 2]), collections.deque(one), collections.OrderedDict(a=one), memoryview(b"ab"),
    {1: 2}.keys(), {1: 2}.values(), {1: 2}.items(),
):
    keep(lambda: iter(iterable))
    keep(lambda: reversed(iterable))
mapping, ordered = {"key": one}, collections.OrderedDict(key=one)
for view in (mapping.keys(), mapping.values(), mapping.items(), ordered.keys(), ordered.values(), ordered.items()):
    keep(lambda: view)
    keep(lambda: iter(view))
    keep(lambda: reversed(view))


class Sequence:
    def __getitem__(self, index):
        return [index]

    def __len__(self):
        return 3


keep(lambda: iter(Sequence()))
keep(lambda: reversed(Sequence()))
keep(lambda: iter(list, text))
keep(lambda: enumerate(one))
keep(lambda: enumerate(one, number))
keep(lambda: map(str, one, [2]))
keep(lambda: filter(str, one))
keep(lambda: zip(one, [2]))


def started(iterator, steps=1):
    for _ in range(steps):
        next(iterator)
    return iterator


keep(lambda: itertools.accumulate([one, [2]], operator.add))
keep(lambda: started(itertools.accumulate([one, [2]], operator.add)))
keep(lambda: itertools.chain(one, [2]))
keep(lambda: started(itertools.chain(one, [2])))
keep(lambda: itertools.combinations([one, [2], [3]], 2))
keep(lambda: started(itertools.combinations([one, [2], [3]], 2)))
keep(lambda: started(itertools.combinations_with_replacement([one, [2], [3]], 2)))
keep(lambda: itertools.compress([one], [1]))
keep(lambda: itertools.count(number, number))
keep(lambda: itertools.count(1.5, 2.5))
keep(lambda: started(itertools.cycle([one, [2]])))
keep(lambda: itertools.dropwhile(bool, [one]))
keep(lambda: itertools.filterfalse(bool, [one]))
keep(lambda: started(itertools.groupby([one, [2]], len)))
groups = itertools.groupby([one, [2]], len)
key, group = next(groups)
keep(lambda: group)
keep(lambda: itertools.islice([one, [2]], 1, 2))
keep(lambda: started(itertools.pairwise([one, [2], [3]])))
keep(lambda: itertools.batched([one, [2]], 2))
keep(lambda: started(itertools.permutations([one, [2], [3]])))
keep(lambda: started(itertools.product([one, [2]], [[3]])))
keep(lambda: itertools.repeat(one, 3))
keep(lambda: itertools.starmap(max, [one]))
keep(lambda: itertools.takewhile(bool, [one]))
tees = itertools.tee([one, [2], [3]])
next(tees[0])
keep(lambda: tees[0])
keep(lambda: referent(tees[0], "_tee_dataobject"))
keep(lambda: started(itertools.zip_longest([one], [[2]], fillvalue=[3])))

keep(lambda: functools.partial(outer, one, keyword=[2]))
cached = functools.lru_cache(maxsize=4)(lambda key: [key])
cached(number)
cached(text)
keep(lambda: cached)
for found in gc.get_referents(cached):
    if type(found) is dict and found:
        samples.extend(found.values())
keep(lambda: functools.cmp_to_key(max)(one))
keep(lambda: functools.cmp_to_key(max))
keep(lambda: operator.itemgetter(number, text))
keep(lambda: operator.attrgetter("a.b", "c"))
keep(lambda: operator.methodcaller("name", one, key=[2]))
keep(lambda: collections.defaultdict(outer))
keep(lambda: collections.namedtuple("Pair", "a b").a)
keep(lambda: re.compile("(?P<name>sample)" + text))
keep(lambda: re.compile("(?P<name>of)").search(text))
keep(lambda: re.compile("of").scanner(text))
keep(lambda: struct.iter_unpack("<i", bytearray(8)))
keep(lambda: struct.Struct("<iq"))
keep(lambda: csv.reader(["a,b"]))
keep(lambda: csv.writer(io.StringIO()))
keep(lambda: csv.reader(["a,b"]).dialect)
keep(lambda: json.scanner.c_make_scanner(json.JSONDecoder(object_hook=outer)))
keep(lambda: json.encoder.c_make_encoder({}, outer, json.encoder.c_make_encoder and json.encoder.encode_basestring, None, ":", ",", True, True, True))
keep(lambda: datetime.timezone(datetime.timedelta(hours=1), text))
keep(lambda: next(iter(os.scandir("/"))))
keep(lambda: threading.local())
keep(lambda: threading.Lock())
keep(lambda: threading.RLock())
keep(lambda: collections.abc.Sized._abc_impl)

keep(lambda: io.StringIO(text))
written = io.StringIO()
written.write(text)
written.write(wide)
keep(lambda: written)
exported = io.BytesIO(b"bytes")
buffer = exported.getbuffer()
keep(lambda: buffer)
keep(lambda: referent(referent(buffer, "managedbuffer"), "_BytesIOBuffer"))
keep(lambda: io.BufferedRWPair(io.BytesIO(b"bytes"), io.BytesIO(b"bytes")))
for buffered in (io.BufferedReader, io.BufferedWriter, io.BufferedRandom):
    keep(lambda: buffered(io.BytesIO(b"bytes")))
keep(lambda: io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"some lines\nof text\n"))))
lines = io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"some lines\nof text\n")), errors="replace", newline="\n")
lines.readline()
keep(lambda: lines)
pending = io.TextIOWrapper(io.BufferedWriter(io.BytesIO()))
pending.write(text)
keep(lambda: pending)
keep(lambda: io.IncrementalNewlineDecoder(None, True, errors=text))
keep(lambda: io.FileIO("/dev/null"))

loop = asyncio.new_event_loop()
future = loop.create_future()
future.add_done_callback(outer)
future.add_done_callback(failing)
keep(lambda: future)
keep(lambda: iter(loop.create_future()))
task = loop.create_task(waiting(), name=text)
loop.call_soon(loop.stop)
loop.run_forever()
keep(lambda: task)
finished = loop.create_task(coroutine())
keep(lambda: loop._ready[-1]._callback)
loop.run_until_complete(finished)
keep(lambda: finished)
cancelled = loop.create_future()
cancelled.cancel(text) if sys.version_info >= (3, 9) else cancelled.cancel()
keep(lambda: cancelled)
failed = loop.create_future()
failed.set_exception(ValueError(one))
failed._log_traceback = False
keep(lambda: failed)

variable = contextvars.ContextVar("variable", default=one)
context = contextvars.copy_context()
token = context.run(variable.set, [2])
for index in range(40):
    context.run(contextvars.ContextVar("variable %d" % index).set, [index])
keep(lambda: variable)
keep(lambda: context)
keep(lambda: token)
keep(lambda: referent(context, "hamt"))

agen = asynchronous()
keep(lambda: agen.asend(one))
keep(lambda: agen.athrow(ValueError(one)))
keep(lambda: agen.aclose())
waiter = waiting()
keep(lambda: waiter.__await__())
keep(lambda: builtins.anext(asynchronous(), one))

keep(lambda: StopIteration(one))
keep(lambda: SystemExit(one))
keep(lambda: OSError(number, text, "name", None, "other"))
keep(lambda: BlockingIOError(number, text, 3))
keep(lambda: ImportError(one, name=text, path=wide))
keep(lambda: SyntaxError(text, (wide, number, number + 1, text + "line")))
keep(lambda: SyntaxError(text, (wide, number, number + 1, text + "line", number + 2, number + 3)))
keep(lambda: UnicodeEncodeError("utf-8" + text, wide, 1, 2, text))
keep(lambda: UnicodeDecodeError("utf-8" + text, b"bytes", 1, 2, text))
keep(lambda: UnicodeTranslateError(wide, 1, 2, text))
keep(lambda: AttributeError(text, name=text, obj=one))
keep(lambda: NameError(text, name=text))
keep(lambda: builtins.ExceptionGroup(text, [ValueError(one)]))

for source in (
    "def generic[T: [int], *Ts, **P](argument: T) -> T: pass\nmade = list(generic.__type_params__)",
    "def generic[T: ([int], [str])](argument: T): pass\nmade = [generic.__type_params__[0]]\nmade[0].__constraints__",
    "type Alias[T] = list[T]\nmade = [Alias, Alias[int]]\nAlias.__value__",
    "type Alias = [int]\nmade = [Alias]",
    "def generic[T = [int], **P = [str]](): pass\nmade = list(generic.__type_params__)",
    "def generic[**P](*args: P.args, **kwargs: P.kwargs): pass\nmade = [generic.__type_params__[0].args, generic.__type_params__[0].kwargs]",
    "value = [1]\nmade = [t'{value!r:>{10}} and {value}']\nmade += [made[0].interpolations[0], iter(made[0])]",
):
    names = {}
    try:
        exec(source, names)
        samples.extend(names["made"])
    except SyntaxError:
        pass


keep(method_with_class)
keep(lambda: instance_method(outer))
keep(queue_with_items)
keep(started_stop)

name_offset = 24
word = ctypes.c_void_p.from_address
out = []
for place in range(len(samples)):
    sample = samples[place]
    kind = type(sample)
    tp_name = ctypes.c_char_p.from_address(id(kind) + name_offset).value.decode()
    referents = " ".join(str(id(referent)) for referent in gc.get_referents(sample))
    out.append("sample%d %d %d %s|%s" % (place, id(sample), id(kind), tp_name, referents))
runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
version = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "Py_Version")) if sys.version_info >= (3, 11) else 0
out += ["_PyRuntime %d" % runtime] + (["Py_Version %d" % version] if version else []) + ["ready", ""]
os.write(1, "\n".join(out).encode())
os.read(0, 1)
