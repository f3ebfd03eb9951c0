"""Programs that the cost of recording is measured on: `workloads.py NAME` prints the CPU seconds of one."""

import json
import sys
import time


def alloc():
    """Small tuples and lists, made and dropped."""
    for _ in range(120):
        [(i, [i]) for i in range(20_000)]


def documents():
    """JSON, written and read."""
    document = {"rows": [{"key": i, "text": str(i), "values": [1.5 * i] * 3} for i in range(2_000)]}
    for _ in range(80):
        json.loads(json.dumps(document))


def numeric():
    """Floats, which hardly ask the allocator."""
    total = 0.0
    for i in range(8_000_000):
        total += i * 0.5


class Node:
    __slots__ = ("left", "right")

    def __init__(self, depth):
        self.left = Node(depth - 1) if depth else None
        self.right = Node(depth - 1) if depth else None


def tree():
    for _ in range(15):
        Node(15)


def strings():
    """Formatted, joined and split."""
    for _ in range(600):
        "".join([("x%d" % i) + "y" for i in range(5_000)]).split("y")


def live():
    """A large heap that stays."""
    kept = {}
    for i in range(1_500_000):
        kept[i] = (i, str(i))


def deeper(calls):
    if calls:
        deeper(calls - 1)
    else:
        for _ in range(120):
            [(i, [i]) for i in range(20_000)]


def deep_50():
    """As `alloc`, behind so many calls."""
    deeper(50)


def deep_300():
    deeper(300)


WORKLOADS = {work.__name__: work for work in (alloc, documents, numeric, tree, strings, live, deep_50, deep_300)}

if __name__ == "__main__":
    before = time.process_time()
    WORKLOADS[sys.argv[1]]()
    print(time.process_time() - before)
