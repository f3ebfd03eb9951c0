"""Makes objects that `tracemalloc` traces, and states what a snapshot taken inside says of them.

    traced.py FRAMES

Stating the truth allocates, too. That code is compiled under a name of its own, so that what it made can be left out; the
truth is stated over and over until stating it changes nothing else.
"""

import _thread
import ctypes
import json
import os
import sys
import threading
import tracemalloc

OLDER = [[] for _ in range(1000)]
tracemalloc.start(int(sys.argv[1]))

import argparse  # noqa: E402, F401  many lines of many files


class Order:
    __slots__ = ("lines",)

    def __init__(self, lines):
        self.lines = lines


def load(count):
    return [Order({number: str(number)}) for number in range(count)]  # line of the orders


def deeper(depth):
    if depth:
        return deeper(depth - 1)
    return [bytearray(1000 + number) for number in range(50)]


def numbers(first):
    for number in range(first, first + 500):
        yield float(number)


def elsewhere(name, into):
    code = compile("def make():\n    return [[None] * 7 for _ in range(99)]\nmade = make()\n", name, "exec")
    names = {}
    exec(code, names)
    into.append(names)


ORDERS = load(3000)
DEEP = deeper(40)
NUMBERS = list(numbers(10000))
JSON = json.loads(json.dumps({"key %d" % number: [number] * 3 for number in range(500)}))
ELSEWHERE = []
NAMES = "plain.py", "caf\xe9.py", "\u0434\u0438\u0440/\u20ac.py", "clef \U0001d11e.py", "lone \udcff.py", "<string>", "d" * 300
for name in NAMES:
    thread = threading.Thread(target=elsewhere, args=(name, ELSEWHERE))
    thread.start()
    thread.join()
# Made in a thread that runs no Python code.
FRAMELESS = []
_thread.start_new_thread(FRAMELESS.extend, (map(float, range(1000)),))
while len(FRAMELESS) < 1000 or _thread._count():
    os.sched_yield()
GONE = [bytes(10000 + number) for number in range(100)]
del GONE
# A peak that cannot be an address: where no symbol tells them apart, those are taken for pointers.
large = 96 << 20
while large == 96 << 20 or tracemalloc.get_traced_memory()[1] % 16 == 0:
    large += 1
    bytearray(large)

# What an extension module traces of its own: memory of three devices.
track = ctypes.pythonapi.PyTraceMalloc_Track
track.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
untrack = ctypes.pythonapi.PyTraceMalloc_Untrack
untrack.argtypes = [ctypes.c_uint, ctypes.c_size_t]
for domain in (1, 389047, 2**32 - 1):
    for number in range(200):
        assert track(domain, 0x5000 + 16 * number, 1000 + number) == 0
    for number in range(0, 200, 2):
        assert untrack(domain, 0x5000 + 16 * number) == 0
# The same place in another domain than an object of Python's own.
assert track(7, id(DEEP), 123456) == 0

STATING = """
import gc

def is_of_stating(stack):
    names = [name for name, line in stack]
    own = ("tracemalloc.py", "json/encoder.py", "json/__init__.py")
    return "<truth>" in names or names[-1].endswith(own)

def shown(name):
    return name.encode("utf-8", "backslashreplace").decode("utf-8")

def truth():
    # The plain tuples behind the traces: objects of each would be traced in their turn.
    stacks, domains = {}, {}
    for domain, size, newest_first, *_ in tracemalloc.take_snapshot().traces._traces:
        for key, sums in ((newest_first, stacks), (domain, domains)):
            sum = sums.setdefault(key, [0, 0])
            sum[0] += 1
            sum[1] += size
    del domains[0]
    domains = sorted(domains.items())
    sites = [(newest_first[::-1], count, size) for newest_first, (count, size) in stacks.items()]
    shown_as = {name: shown(name) for name in {name for stack, count, size in sites for name, line in stack}}
    sites = [([(shown_as[name], line) for name, line in stack], count, size)
             for stack, count, size in sites if not is_of_stating(stack)]
    sites.sort()
    orders = load.__code__.co_firstlineno + 1
    peak = tracemalloc.get_traced_memory()[1]
    frames = tracemalloc.get_traceback_limit()
    return json.dumps(dict(sites=sites, domains=domains, peak=peak, frames=frames, orders=orders)) + "\\n"

def state():
    gc.collect()
    gc.disable()
    nothing = os.open("/dev/null", os.O_RDWR)
    stated = None
    for _ in range(100):
        before, stated = stated, truth().encode()
        os.write(nothing, stated)
        os.read(nothing, 1)
        if before == stated:
            break
    else:
        raise SystemExit("stating the truth changes it")
    while stated:
        stated = stated[os.write(1, stated):]
    while os.read(0, 1):
        pass

state()
"""
exec(compile(STATING, "<truth>", "exec"))
