"""Programs that make objects and keep some of them, each in its own way, for `sites.py` to look at.

    makers.py PROGRAM traced|plain

Works from the line `go` on until the line `hold`, and answers that with how many steps it took, and in how many seconds of
CPU time. To `truth` it answers, when `traced`, by type and place how many objects were made since `go` that the collector
tracked, as `tracemalloc` has it. Answers are lines of JSON.
"""

import collections
import copy
import csv
import functools
import gc
import io
import itertools
import json
import re
import sys
import threading
import time
import tracemalloc
import xml.etree.ElementTree as ElementTree

ORDERS = json.dumps([
    {"id": number, "customer": {"name": f"customer {number}", "tags": ["new", "late"]},
     "lines": [{"sku": f"A{number}", "price": number / 7, "sizes": [1, 2, 3]} for _ in range(3)]}
    for number in range(20)
])
ROWS = "\n".join(f"{number},customer {number},{number / 7},2026-11-{number % 28 + 1}" for number in range(40))
MARKUP = "<orders>" + "".join(f"<order id='{n}'><line sku='a{n}'>x</line></order>" for n in range(30)) + "</orders>"


def parse_json():
    orders = json.loads(ORDERS)
    by_id = {order["id"]: order for order in orders}
    return orders, by_id


class Field:
    def __init__(self, name, kind):
        self.name = name
        self.kind = kind

    def __get__(self, instance, owner):
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance, value):
        instance.__dict__[self.name] = self.kind(value)


class State:
    def __init__(self, adding):
        self.adding = adding
        self.fields_cache = {}


class Model:
    fields = ()

    def __init__(self, **values):
        self._state = State(adding=True)
        for field in self.fields:
            setattr(self, field.name, values.pop(field.name))

    @classmethod
    def from_row(cls, names, row):
        made = cls(**dict(zip(names, row)))
        made._state.adding = False
        return made


class Line(Model):
    number, price, tags = Field("number", int), Field("price", float), Field("tags", list)
    fields = (number, price, tags)


class Customer(Model):
    name, orders = Field("name", str), Field("orders", list)
    fields = (name, orders)


def objects():
    rows = [Line.from_row(("number", "price", "tags"), (n, n / 3, ("a", "b"))) for n in range(20)]
    found = []
    for number in range(10):
        customer = Customer(name="customer", orders=rows[number:number + 3])
        found.append(customer)
    return rows, found


def comprehensions():
    squares = [[x * y for x in range(12)] for y in range(12)]
    columns = [list(column) for column in zip(*squares)]
    by_number = {n: [n, n + 1] for n in range(40)}
    pairs = [(a, b) for a in squares for b in (1, 2)]
    sets = [{x % 7 for x in row} for row in columns]
    named = [{"name": n, "row": row} for n, row in enumerate(squares)]
    return squares, columns, by_number, pairs, sets, named


TEMPLATE = {
    "title": "template", "parts": [{"name": str(n), "sizes": [n, n + 1], "at": (n, [n])} for n in range(12)],
    "lines": [Line(number=n, price=1, tags=["x"]) for n in range(4)],
}


def deep_copies():
    return copy.deepcopy(TEMPLATE)


def numbers(upto):
    for number in range(upto):
        yield [number]


def pairs_of(source):
    for first in source:
        yield first, next(source, None)


def walk(depth):
    if depth:
        yield from walk(depth - 1)
        yield {"depth": depth, "left": [depth]}
        yield from walk(depth - 1)


def generators():
    pairs = list(pairs_of(numbers(40)))
    nodes = list(walk(5))
    waiting = [numbers(n) for n in range(8)]
    first = [next(each, None) for each in waiting]
    return pairs, nodes, waiting, first


def events():
    made = []
    for number in range(30):
        event = {"number": number, "handlers": [functools.partial(print, number)]}
        made.append((event, threading.Lock()))
    return made


def queue():
    waiting = collections.deque()
    for number in range(60):
        waiting.append([number, (number, [])])
    return waiting


PATTERN = re.compile(r"(\w+) (\d+),([\d.]+)")
Row = collections.namedtuple("Row", "number name price day")


def libraries():
    rows = list(csv.reader(io.StringIO(ROWS)))
    named = list(map(Row._make, rows))
    tree = ElementTree.fromstring(MARKUP)
    found = PATTERN.findall(ROWS)
    matches = list(PATTERN.finditer(ROWS))
    grouped = {key: list(group) for key, group in itertools.groupby(rows, lambda row: row[3])}
    ordered = sorted(zip(rows, found), key=lambda pair: pair[1])
    counted = collections.Counter(row[3] for row in rows)
    return named, tree, found, matches, grouped, ordered, counted


PROGRAMS = {
    "json": [parse_json], "objects": [objects], "comprehensions": [comprehensions], "copies": [deep_copies],
    "generators": [generators], "threads": [comprehensions, events, queue], "libraries": [libraries],
}
# One step's objects in so many are kept.
KEPT = 12


class Worker(threading.Thread):
    def __init__(self, step):
        super().__init__(daemon=True)
        self.step = step
        self.kept = []
        self.steps = 0
        self.going = threading.Event()
        self.held = threading.Event()
        self.start()

    def run(self):
        while True:
            if not self.going.is_set():
                self.held.set()
                self.going.wait()
            made = self.step()
            self.steps += 1
            if self.steps % KEPT == 0:
                self.kept.append(made)
            del made


def once_tracked():
    """What the collector tracks, and what it tracked at first: up to 3.13 every tuple, until it had looked at it."""
    found = gc.get_objects()
    if sys.version_info >= (3, 14):
        return found
    known = {id(each) for each in found}
    for each in found:
        for held in gc.get_referents(each):
            if type(held) is tuple and id(held) not in known:
                known.add(id(held))
                found.append(held)
    return found


def truth():
    """By type and place, how many objects that the collector tracked have a record."""
    counts = collections.Counter()
    for each in once_tracked():
        trace = tracemalloc.get_object_traceback(each)
        if trace is not None:
            kind, frame = type(each), trace[-1]
            counts[f"{kind.__module__}.{kind.__qualname__}", frame.filename, frame.lineno] += 1
    return [[*key, count] for key, count in counts.items()]


def main():
    name, is_traced = sys.argv[1], sys.argv[2] == "traced"
    if is_traced:
        tracemalloc.start(1)
    workers = [Worker(step) for step in PROGRAMS[name]]
    print("ready", flush=True)
    for worker in workers:
        worker.held.wait()
    for line in sys.stdin:
        if line.strip() == "go":
            for worker in workers:
                worker.kept.clear()
                worker.steps = 0
                worker.held.clear()
            gc.collect()
            if is_traced:
                tracemalloc.clear_traces()
            began = time.process_time()
            for worker in workers:
                worker.going.set()
        elif line.strip() == "hold":
            for worker in workers:
                worker.going.clear()
            for worker in workers:
                worker.held.wait()
            taken = time.process_time() - began
            print(json.dumps({"steps": sum(worker.steps for worker in workers), "cpu": taken}), flush=True)
        elif line.strip() == "truth":
            print(json.dumps(truth()), flush=True)


main()
