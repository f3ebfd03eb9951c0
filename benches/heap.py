"""A mixed heap of N objects that does on request what the census is compared with, each answered by one JSON line.

Units of 20 objects: an instance with a dict, a slotted one, a dict, a list, a tuple, a set, a bytes, a function with its
cell and closure, texts, floats and ints. About a third of them are tracked by the collector.
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


def census():
    """What a thorough loop in the process itself costs: type and size of everything that is tracked."""
    started = time.process_time()
    counts, sizes = Counter(), Counter()
    for each in gc.get_objects():
        counts[type(each)] += 1
        sizes[type(each)] += sys.getsizeof(each)
    return {"cpu": time.process_time() - started}


def guppy():
    from guppy import hpy

    started = time.process_time()
    str(hpy().heap())
    return {"cpu": time.process_time() - started}


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


def main():
    heap = [unit(number) for number in range(int(sys.argv[1]) // 20)]
    gc.collect()
    ticker = Ticker()
    print(json.dumps({"tracked": len(gc.get_objects()), "units": len(heap)}), flush=True)
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
            answer = {"census": census, "guppy": guppy, "fork": fork}[request]()
        print(json.dumps(answer), flush=True)


main()
