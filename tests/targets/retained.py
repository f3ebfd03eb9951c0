"""Objects that hold each other in ways that are easy to reckon with, and what each of them retains, in bytes.

The bytes are those of the blocks: everything here is small enough for pymalloc, which rounds up to 16. Says one JSON line
and blocks on standard input.
"""

import gc
import json
import sys

GC_HEAD = 16
KEYS = [1000 + number for number in range(10)]


def block(size):
    assert size <= 512, size
    return (size + 15) // 16 * 16


def own(obj):
    """The blocks of an object itself, without what it holds. Lists and dicts have their items in a second one."""
    if isinstance(obj, (list, dict)):
        first = type(obj).__basicsize__ + GC_HEAD
        return block(first) + block(sys.getsizeof(obj) - first)
    return block(sys.getsizeof(obj))


def deep(*objects):
    """Objects made of tuples, lists and floats, each of them held once."""
    inner = (deep(*each) for each in objects if isinstance(each, (tuple, list)))
    return sum(own(each) for each in objects) + sum(inner)


def floats(count):
    return tuple([number + 0.5 for number in range(count)])


class Link:
    __slots__ = ("value", "next")

    def __init__(self, value, following):
        self.value, self.next = value, following


class Ring(Link):
    __slots__ = ()


class Lost(Link):
    __slots__ = ()


class Holder:
    pass


def linked(cls, count):
    """A list of links, and what it retains."""
    head, bytes_of_all = None, 0
    for number in range(count):
        head = cls(number + 0.5, head)
        bytes_of_all += own(head) + own(head.value)
    return head, bytes_of_all


def ring(cls, count):
    head, bytes_of_all = linked(cls, count)
    last = head
    while last.next is not None:
        last = last.next
    last.next = head
    return head, bytes_of_all


def alone():
    items = [floats(50) for _ in range(40)]
    return items, deep(items)


def two_dicts():
    """Two dicts with values of their own and some that both hold; what each of them retains."""
    shared = [floats(50) for _ in range(5)]
    both = []
    for _ in range(2):
        private = [floats(30) for _ in range(5)]
        values = dict(zip(KEYS, shared + private))
        both.append((values, own(values) + deep(*private)))
    return both


def nested():
    """A dict in a dict, whose values a list holds too."""
    values = [floats(50) for _ in range(10)]
    inner = dict(zip(KEYS, values))
    outer = {KEYS[0]: inner}
    return outer, values, own(outer) + own(inner), deep(values)


def instance():
    """An object with a dict of its own making; and what it retains, its own block apart."""
    holder = Holder()
    payload = [floats(50) for _ in range(50)]
    holder.__dict__ = {"payload": payload}
    return holder, own(holder.__dict__) + deep(payload)


gc.disable()
ALONE, alone_bytes = alone()
(LEFT, left_bytes), (RIGHT, right_bytes) = two_dicts()
OUTER, VALUES, outer_bytes, values_bytes = nested()
HEAD, head_bytes = linked(Link, 2000)
RING, ring_bytes = ring(Ring, 2000)
HOLDER, holder_bytes = instance()
lost_bytes = ring(Lost, 300)[1]

print(json.dumps({
    "owners": {
        "__main__.ALONE": alone_bytes,
        "__main__.LEFT": left_bytes,
        "__main__.RIGHT": right_bytes,
        "__main__.OUTER": outer_bytes,
        "__main__.HEAD": head_bytes,
        "__main__.RING": ring_bytes,
    },
    "values": {"own": own(VALUES), "shared": values_bytes - own(VALUES)},
    "holder": holder_bytes,
    "types": {"__main__.Link": head_bytes, "__main__.Ring": ring_bytes, "__main__.Lost": lost_bytes},
}), flush=True)
sys.stdin.read()
