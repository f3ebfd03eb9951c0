"""A heap of N objects that does on request what the profiler is compared with, each answered by one JSON line.

    python heap.py N [units | chain]

Units of 20 objects: an instance with a dict, a slotted one, a dict, a list, a tuple, a set, a bytes, a function with its
cell and closure, texts, floats and ints. About a third of them are tracked by the collector. A chain is a linked list of N
slotted nodes. Whatever is compared is given the same: the root, which is the list of units or the first node, or an object
in the middle.
"""

import gc
import json
import os
import sys
import threading
import time
from collections import Counter


class Plain:
    def __init__(self, number):
        self.number = number + 1000
        self.name = "name %d" % number


class Slotted:
    __slots__ = ("ratio", "number")

    def __init__(self, number):
        self.ratio = number + 0.5
        self.number = number + 2000


def closure(captured):
    def function():
        return captured

    return function


def unit(number):
    key = "key %d" % number
    return (
        Plain(number),
        Slotted(number),
        {key: number + 0.25, "text": "value %d" % number},
        [number + 3000, "item %d" % number],
        {number + 0.75},
        b"bytes %d" % number,
        closure(number + 4000),
    )


def timed(question):
    started = time.process_time()
    question()
    return {"cpu": time.process_time() - started}


def census():
    """What a thorough loop in the process itself costs: type and size of everything that is tracked."""
    counts, sizes = Counter(), Counter()

    def count():
        for each in gc.get_objects():
            counts[type(each)] += 1
            sizes[type(each)] += sys.getsizeof(each)

    return timed(count)


def guppy():
    from guppy import hpy

    return timed(lambda: str(hpy().heap()))


def domisize():
    from guppy import hpy

    return timed(lambda: hpy().iso(HEAP).domisize)


def shpaths():
    from guppy import hpy

    return timed(lambda: str(hpy().iso(middle()).shpaths))


def asizeof():
    from pympler import asizeof

    return timed(lambda: asizeof.asizeof(HEAP))


def muppy():
    from pympler import muppy, summary

    return timed(lambda: summary.summarize(muppy.get_objects()))


def backrefs():
    import objgraph

    return timed(lambda: objgraph.find_backref_chain(middle(), objgraph.is_proper_module))


def growth():
    import objgraph

    objgraph.growth()
    return timed(objgraph.growth)


def fork():
    """How long the process stands still for a fork of its own."""
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os._exit(0)
    took = time.perf_counter() - started
    os.waitpid(child, 0)
    return {"seconds": took}


class Ticker(threading.Thread):
    """Sees how long the process stands still, whoever stops it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.longest = 0.0

    def run(self):
        before = time.perf_counter()
        while True:
            time.sleep(0.0005)
            now = time.perf_counter()
            self.longest = max(self.longest, now - before)
            before = now


def middle():
    return HEAP[len(HEAP) // 2][0]


class Node:
    __slots__ = ("next",)


def chain(length):
    first = None
    for _ in range(length):
        node = Node()
        node.next = first
        first = node
    return first


def main():
    ticker = Ticker()
    some = middle() if isinstance(HEAP, list) else HEAP.next
    there = {"tracked": len(gc.get_objects()), "root": id(HEAP), "middle": id(some), "type": f"__main__.{type(some).__name__}"}
    print(json.dumps(there), flush=True)
    for line in sys.stdin:
        request = line.strip()
        if request == "watch":
            if not ticker.is_alive():
                ticker.start()
            ticker.longest = 0.0
            answer = {}
        elif request == "gap":
            answer = {"seconds": ticker.longest}
        else:
            answer = globals()[request]()
        print(json.dumps(answer), flush=True)


OBJECTS = int(sys.argv[1])
HEAP = chain(OBJECTS) if sys.argv[2:] == ["chain"] else [unit(number) for number in range(OBJECTS // 20)]
gc.collect()
main()
# Taken apart from its head: the last reference to a long chain would take all of it down in one recursion.
while getattr(HEAP, "next", None):
    HEAP = HEAP.next
