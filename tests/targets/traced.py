"""Makes objects that `tracemalloc` traces, and states what a snapshot taken inside says of them.

    traced.py FRAMES

Stating the truth allocates, too. That code is compiled under a name of its own, so that what it made can be left out; and
the truth is stated over and over until stating it changes nothing else.
"""

import ctypes
import json
import os
import sys
import threading
import tracemalloc

OLDER = [[] for _ in range(1000)]
tracemalloc.start(int(sys.argv[1]))

import argparse  # noqa: E402, F401  many lines of many files
import email.message  # noqa: E402, F401


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
for name in ("plain.py", "caf\xe9.py", "\u0434\u0438\u0440/\u20ac.py", "clef \U0001d11e.py", "lone \udcff.py", "<string>", "d" * 300):
    thread = threading.Thread(target=elsewhere, args=(name, ELSEWHERE))
    thread.start()
    thread.join()
GONE = [bytes(10000 + number) for number in range(100)]
del GONE
large = bytearray(96 << 20)
del large

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

def is_of_stating(traceback):
    names = [frame.filename for frame in traceback]
    return "<truth>" in names or names[-1].endswith(("tracemalloc.py", "json/encoder.py", "json/__init__.py", "fnmatch.py"))

def shown(name):
    return "".join("\\ufffd" if "\\ud800" <= character <= "\\udfff" else character for character in name)

def truth():
    snapshot = tracemalloc.take_snapshot()
    sites = []
    for statistic in snapshot.statistics("traceback"):
        if not is_of_stating(statistic.traceback):
            stack = [[shown(frame.filename), frame.lineno] for frame in statistic.traceback]
            sites.append([stack, statistic.count, statistic.size])
    sites.sort()
    domains = {}
    for trace in snapshot.traces:
        if trace.domain:
            count, size = domains.get(trace.domain, (0, 0))
            domains[trace.domain] = (count + 1, size + trace.size)
    domains = sorted(domains.items())
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
