"""Holds values of every plain type, and says what each is called, by its address."""

import json
import sys


class Name(str):
    """A text of a class of its own."""


def held(start):
    return [
        "short " + start,
        "café ☕ \U0001f40d " + start,
        Name("own " + start),
        ("bytes " + start).encode() + b"\x00'\xff\n",
        10**30 + len(start),
        -(2**40) - len(start),
        0.1 * len(start),
        -1.5e300 / len(start),
        float("inf"),
        True,
        False,
    ]


def shown(value):
    if isinstance(value, (str, bool)):
        return str(value)
    return repr(value)


HELD = held("of this program")
LONG = "x" * 5000 + "of this program"
HUGE = 10 ** 100 + len(sys.argv)
OTHER = [object(), HELD]

print(json.dumps({
    "values": {str(id(value)): shown(value) for value in HELD},
    "long": id(LONG),
    "without": [id(each) for each in OTHER + [HUGE]],
}), flush=True)
sys.stdin.read()
