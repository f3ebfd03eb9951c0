"""A small heap with something of every kind that the survey has a decoder for; says `ready` and waits."""

import _asyncio
import _thread
import array
import atexit
import collections
import contextvars
import datetime
import decimal
import functools
import gc
import io
import itertools
import os
import re
import struct
import sys
import threading
import weakref


class Plain:
    def __init__(self, number):
        self.number = number
        self.items = [number, (number,), {number}]


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class Meta(type):
    marker = [1]


class WithMeta(dict, metaclass=Meta):
    pass


class Whole(int):
    pass


class Words(str):
    pass


class Row(tuple):
    pass


PLAIN = [Plain(number) for number in range(200)]
for place, plain in enumerate(PLAIN):
    if place % 3 == 0:
        vars(plain)["extra"] = place
    if place % 7 == 0:
        del plain.items
SLOTTED = [Slotted() for _ in range(50)]
for slotted in SLOTTED[1:]:
    slotted.left, slotted.right = SLOTTED[0], [slotted]
INHERITED = [WithMeta(a=1), Whole(10**40), Words("wide \u20ac"), Row((1, [2]))]
INHERITED[3].attribute = INHERITED

DICTS = [{}, {"a": 1}, {1: "a", (2,): [3]}, dict.fromkeys(map(str, range(3000)), 0), dict.fromkeys(range(3000))]
for key in range(0, 3000, 2):
    del DICTS[4][key]
SETS = [set(), {1}, set(range(3000)), frozenset(("a", 2.5)), {(number,) for number in range(500)}]
SETS[2] -= set(range(0, 3000, 3))
ORDERED = collections.OrderedDict((number, [number]) for number in range(300))
DEFAULT = collections.defaultdict(list, a=[1])
DEQUES = [collections.deque(range(length)) for length in (0, 1, 64, 65, 1000)]
BUFFERS = [bytes(5000), bytearray(b"bytes" * 2000), array.array("d", range(3000)), memoryview(bytearray(100))]
TEXTS = ["ascii" * 1000, "latin \xe4" * 100, "\u20ac" * 100, "\U0001f600" * 100, "".join(["\xe4", "b"])]
TEXTS[1].encode()
NUMBERS = [0, 1, -5, 2**30, -(10**100), 1.5, 2j, decimal.Decimal("1.1"), decimal.Decimal("1" * 500)]
WEAK = [weakref.ref(SLOTTED[0]), weakref.ref(SLOTTED[1], print), weakref.proxy(SLOTTED[2])]
WEAK += [weakref.WeakValueDictionary(a=SLOTTED[3]), weakref.WeakSet(SLOTTED)]
TIMES = [datetime.datetime.now(), datetime.time(1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))]
TOOLS = [itertools.count(5), itertools.product([1], [2]), itertools.permutations([[1], [2]]), itertools.tee([1, [2]])]
TOOLS += [itertools.combinations([[1], [2]], 2), functools.partial(print, [1], key=[2]), re.compile("(a)").match("a")]
STREAMS = [io.BytesIO(b"bytes" * 100), io.StringIO("text"), io.BufferedReader(io.BytesIO(b"b")), struct.Struct("<iq")]
STREAMS.append(io.TextIOWrapper(io.BufferedWriter(io.BytesIO())))
VARIABLE = contextvars.ContextVar("VARIABLE", default=[1])
VARIABLE.set([2])


@functools.lru_cache(maxsize=None)
def unbounded(number):
    return [number]


@functools.lru_cache(maxsize=10)
def bounded(number):
    return [number]


for number in range(100):
    unbounded(number)
    bounded(number)


def generator(limit):
    kept = [limit]
    for number in range(limit):
        yield (kept, number)


async def coroutine(depth):
    kept = [depth]
    return await (coroutine(depth - 1) if depth else Forever()), kept


class Forever:
    def __await__(self):
        yield


GENERATORS = [generator(5) for _ in range(5)]
for started in GENERATORS[1:]:
    next(started)
COROUTINE = coroutine(3)
COROUTINE.send(None)


class Loop:
    def call_soon(self, *arguments, **keywords):
        pass

    def get_debug(self):
        return False


FUTURE = _asyncio.Future(loop=Loop())
FUTURE.add_done_callback(print)

ERRORS = []
for failing in (lambda: {}[1], lambda: [][1], lambda: open("/nowhere"), lambda: int("x"), lambda: None.x):
    try:
        failing()
    except Exception as error:
        ERRORS.append(error)

CHAIN = None
for number in range(2000):
    CHAIN = [CHAIN, number]
RING = []
RING.append(RING)


def stay(event):
    local = [event]
    event.wait()
    return local


STAY = threading.Event()
for _ in range(3):
    threading.Thread(target=stay, args=(STAY,), daemon=True).start()
while len(STAY._cond._waiters) < 3:
    pass
atexit.register(print, end="")
gc.collect()
os.write(1, b"ready\n")
os.read(0, 1)
os._exit(0)
