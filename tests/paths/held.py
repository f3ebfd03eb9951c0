"""Objects that are held in every way in which Python holds objects, and the truth about it.

Says one JSON line, then evaluates each line of standard input as an expression and answers with the id of its value, or
with the value, where that is an id itself.
"""

import __main__
import collections
import functools
import gc
import heapq
import json
import random
import sys
import types
import weakref

NAMED, ITEM = 4, 5


def one(name):
    """A class with one instance, which is held in one way only."""
    return type(name, (), {"__module__": "__main__"})()


class Node:
    pass


class Slotted:
    __slots__ = ("value", "next")


class Link:
    __slots__ = ("next",)


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = [str(number) + " boxes"]


class Tree:
    def __init__(self, depth):
        self.children = [Tree(depth - 1) for _ in range(2)] if depth else []


class Both:
    pass


class Lost:
    pass


class Whole:
    pass


class Holder:
    attribute = one("OfClass")


def graph(count, seed):
    """Objects that refer to each other at random, the first of which all others are reached from."""
    chance = random.Random(seed)
    nodes = [Node() for _ in range(count)]
    for node in nodes:
        node.items = []
        node.table = {}
    for number, node in enumerate(nodes):
        if number:
            holder = nodes[chance.randrange(number)]
            attach(chance, holder, node)
        for _ in range(chance.randrange(3)):
            attach(chance, chance.choice(nodes), node)
    return nodes


def attach(chance, holder, node):
    manner = chance.randrange(4)
    if manner == 0:
        holder.items.append(node)
    elif manner == 1:
        holder.table["key %d" % len(holder.table)] = node
    else:
        setattr(holder, chance.choice("abcdef"), node)


def prices(nodes):
    """What the cheapest path from the first node to each costs: by id."""
    known = {}
    waiting = [(0, 0, nodes[0])]
    came = 0
    while waiting:
        price, _, node = heapq.heappop(waiting)
        if id(node) in known:
            continue
        known[id(node)] = price
        below = [(NAMED, value) for value in vars(node).values() if isinstance(value, Node)]
        below += [(NAMED + ITEM, value) for value in node.items]
        below += [(NAMED + ITEM, value) for value in node.table.values()]
        for step, value in below:
            came += 1
            heapq.heappush(waiting, (price + step, came, value))
    return known


def share():
    shared = one("InClosure")
    both = [one("InSharedList")]

    def reader():
        return shared, both

    return reader


def default(argument=one("InDefault"), *, keyword=one("InKeywordDefault")):
    return argument, keyword


def generate():
    local = one("InGenerator")
    yield 1
    yield local


async def work():
    awaited = one("InCoroutine")
    await pause()
    return awaited


@types.coroutine
def pause():
    yield


def make_list(count):
    """Makes a global linked list of so many, and the id of the last."""
    global HEAD, TAIL
    last = head = Link()
    for _ in range(count - 1):
        link = Link()
        link.next = head
        head = link
    HEAD, TAIL = head, id(last)
    return TAIL


def lose():
    one_, other = Lost(), Lost()
    one_.other, other.other = other, one_
    return id(one_)


def leak():
    """An object that only a reference count keeps alive."""
    try:
        import ctypes
    except ImportError:
        return None
    leaked = one("Leaked")
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(leaked))
    return id(leaked)


def whole():
    """An object and all that it reaches, with the bytes of that as `sys.getsizeof` has them."""
    instance = Whole()
    instance.texts = ["text %d" % number for number in range(10)]
    instance.table = {"a text as key": bytearray(1000)}
    return instance


gc.disable()
NODES = graph(400, 7)
PRICES = prices(NODES)
FIRST = NODES[0]
CHOSEN = [id(node) for node in sorted(NODES, key=lambda node: PRICES.get(id(node), 0))[-1::-40]]
CHOSEN = [(node, PRICES[node]) for node in CHOSEN if node in PRICES][:6]
del NODES, PRICES

ATTRIBUTE = Node()
ATTRIBUTE.inner = one("InAttribute")
SLOT = Slotted()
SLOT.value = one("InSlot")
LIST = [None, one("InList")]
TUPLE = (one("InTuple"),)
DICT = {"eu": {3: one("InDict")}}
ORDERED = collections.OrderedDict(key=one("InOrderedDict"))
DEQUE = collections.deque([one("InDeque")])
CLOSURE = share()
GENERATOR = generate()
next(GENERATOR)
COROUTINE = work()
COROUTINE.send(None)
PARTIAL = functools.partial(print, one("InPartial"))
JOURNAL = [Order(number) for number in range(500)]
SINGLE = {"order": Order(-1)}
ROOT = Tree(6)
SET = {one("InSet")}
both = Both()
LEFT, RIGHT = [both], {"right": both}
BOTH = id(both)
del both
WEAK = one("Weakly")
REFERENCE = weakref.ref(WEAK)
WHOLE = whole()
LOST = lose()
LEAKED = leak()


def referents(value):
    """What an instance holds by its attributes."""
    return sorted(id(each) for each in vars(value).values())


def serve():
    local = [one("InLocal")]
    print(json.dumps({
        "chosen": CHOSEN,
        "both": BOTH,
        "weak": id(WEAK),
        "reference": id(REFERENCE),
        "lost": LOST,
        "leaked": LEAKED,
        "whole": {"id": id(WHOLE), "parts": referents(WHOLE)},
        "order": id(JOURNAL[3]),
    }), flush=True)
    for line in sys.stdin:
        value = eval(line)
        print(value if isinstance(value, int) and value > 1 << 20 else id(value), flush=True)
        del value
    return local


serve()
