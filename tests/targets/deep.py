"""Nesting a million levels deep: anything that walks a heap by recursion ends here."""

import truth

LEVELS = 1000000


class Node:
    __slots__ = ("following",)

    def __init__(self, following):
        self.following = following


class Attribute:
    def __init__(self, following):
        self.following = following


LISTS = []
TUPLES = ([],)
NODES = None
ATTRIBUTES = None
DICTS = {}
for level in range(LEVELS):
    LISTS = [LISTS]
for level in range(LEVELS // 5):
    TUPLES = (TUPLES,)
    NODES = Node(NODES)
    ATTRIBUTES = Attribute(ATTRIBUTES)
    DICTS = {"d": DICTS}

if __name__ == "__main__":
    truth.hold()
