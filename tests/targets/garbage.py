"""Garbage that waits for a collection, an object that only C code holds, and what the collector says of itself."""

import ctypes
import gc
import json
import os

LEAKED = 1 << 20


class Node:
    __slots__ = ("other",)


class Closing:
    """Refers to itself, and has something that goes with it."""

    __slots__ = ("me", "payload")

    def __del__(self):
        pass


class Leaked:
    __slots__ = ("kept",)


def plant():
    for _ in range(1000):
        one, two = Node(), Node()
        one.other, two.other = two, one
    for _ in range(10):
        closing = Closing()
        closing.me, closing.payload = closing, bytes(5000)
    leaked = Leaked()
    leaked.kept = bytearray(LEAKED)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(leaked))


def say(**facts):
    """Not by print(): whatever a first call of it leaves behind is garbage too."""
    os.write(1, json.dumps(facts).encode() + b"\n")
    os.read(0, 1)


def main():
    text = json.dumps({"pairs": 1000, "closing": 10, "leaked": LEAKED}).encode() + b"\n"
    gc.disable()
    gc.collect()
    plant()
    os.write(1, text)
    os.read(0, 1)
    # The payloads are not tracked, so that a collection does not count them.
    say(garbage=gc.collect() + 10)

    # So many collections of the younger generations since the last of the older ones, and so many objects since all.
    for generation in (2, 1, 1, 0, 0, 0):
        gc.collect(generation)
    made = [[] for _ in range(5000)]
    say(count=gc.get_count())

    gc.enable()
    gc.set_threshold(100_000, 7, 9)
    gc.freeze()
    say(frozen=gc.get_freeze_count(), threshold=gc.get_threshold())

    gc.unfreeze()
    gc.set_debug(gc.DEBUG_SAVEALL)
    plant()
    gc.collect()
    say(saved=len(gc.garbage))


if __name__ == "__main__":
    main()
