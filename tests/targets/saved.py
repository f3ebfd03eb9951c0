"""Objects that hold each other in every way that has a name. Says one JSON line, which references there are, and blocks on
standard input.

A reference is the holder's address, the held one's, the kind and the name or index.
"""

import collections
import functools
import gc
import json
import sys
import weakref


class Slotted:
    __slots__ = ("left", "right")


class Plain:
    shared = ("a class attribute",)

    def __init__(self):
        self.lines = []
        self.total = 12345.5


def outer(captured):
    def inner(default=[captured]):
        return captured, default

    return inner


def generator(rows):
    kept = [rows]
    yield kept
    yield None


PLAIN, SLOTTED = Plain(), Slotted()
SLOTTED.left, SLOTTED.right = PLAIN, [1000.5]
PRICES = {"eu": [PLAIN, (2000.5,)], 7: SLOTTED, "x" * 60: PLAIN, "line\nbreak": SLOTTED, ("a", 1): PLAIN}
LARGE = {"key %d" % number: [number] for number in range(500)}
CLOSURE = outer(PRICES)
DEQUE = collections.deque([PLAIN, SLOTTED])
PARTIAL = functools.partial(print, PLAIN)
GENERATOR = generator(PRICES)
KEPT = next(GENERATOR)
WEAK = weakref.ref(PLAIN)


def references():
    def say(holder, held, kind, name=None, index=None):
        found.append([id(holder), id(held), kind, name, index])

    found = []
    say(SLOTTED, PLAIN, "slot", "left")
    say(SLOTTED, SLOTTED.right, "slot", "right")
    say(PRICES, PRICES["eu"], "key", "'eu'")
    say(PRICES, SLOTTED, "key", "7")
    say(PRICES, SLOTTED, "key", "'line\\nbreak'")
    say(PRICES["eu"], PLAIN, "index", None, 0)
    say(PRICES["eu"], PRICES["eu"][1], "index", None, 1)
    say(PRICES["eu"][1], PRICES["eu"][1][0], "index", None, 0)
    for number in (0, 63, 64, 65, 499):
        key = "key %d" % number
        say(LARGE, LARGE[key], "key", repr(key))
        say(LARGE[key], LARGE[key][0], "index", None, 0)
    for key in PRICES:
        say(PRICES, key, "unnamed")
    say(CLOSURE, CLOSURE.__defaults__, "default", "__defaults__")
    say(CLOSURE, CLOSURE.__closure__, "closure", "__closure__")
    say(CLOSURE.__closure__, CLOSURE.__closure__[0], "closure", "captured")
    say(CLOSURE.__closure__[0], PRICES, "cell", "cell_contents")
    say(CLOSURE, CLOSURE.__code__, "member", "__code__")
    say(PARTIAL, PARTIAL.args, "member", "args")
    of_class = next(each for each in gc.get_referents(Plain) if type(each) is dict and "shared" in each)
    say(of_class, Plain.shared, "class attribute", "shared")
    return found


def main():
    truth = {"references": references(), "plain": id(PLAIN), "lines": id(PLAIN.lines)}
    truth["weak"], truth["generator"] = id(WEAK), id(GENERATOR)
    truth["generator_line"] = GENERATOR.gi_frame.f_lineno
    here = ["held by a local variable"]
    truth["local"] = id(here)
    print(json.dumps(truth), flush=True)
    sys.stdin.read()
    return here


main()
