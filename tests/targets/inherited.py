"""Classes that inherit from built-in types, each with a dict, with slots, and with neither."""

import array
import collections
import datetime
import decimal
import functools
import io
import random
import threading

import truth

BASES = {
    list: lambda cls: cls(range(10)),
    dict: lambda cls: cls(a=1, b=[]),
    int: lambda cls: cls(2**70),
    float: lambda cls: cls(1.5),
    complex: lambda cls: cls(1, 2),
    str: lambda cls: cls("text \u20ac"),
    bytes: lambda cls: cls(b"bytes"),
    bytearray: lambda cls: cls(b"bytes"),
    tuple: lambda cls: cls((1, [], "a")),
    set: lambda cls: cls(range(20)),
    frozenset: lambda cls: cls("abc"),
    Exception: lambda cls: cls("message", 1),
    OSError: lambda cls: cls(2, "no such file", "name"),
    KeyError: lambda cls: cls("key"),
    UnicodeDecodeError: lambda cls: cls("utf-8", b"\xff", 0, 1, "bad"),
    type: lambda cls: cls("Made", (), {"a": 1}),
    object: lambda cls: cls(),
    property: lambda cls: cls(len),
    staticmethod: lambda cls: cls(len),
    classmethod: lambda cls: cls(len),
    functools.partial: lambda cls: cls(int, "1", base=10),
    collections.deque: lambda cls: cls(range(100)),
    collections.OrderedDict: lambda cls: cls(a=1, b=2),
    collections.defaultdict: lambda cls: cls(list, a=[1]),
    collections.Counter: lambda cls: cls("abracadabra"),
    collections.ChainMap: lambda cls: cls({}, {1: 2}),
    array.array: lambda cls: cls("d", [1.0, 2.0]),
    datetime.datetime: lambda cls: cls(2024, 2, 29, 12, tzinfo=datetime.timezone.utc),
    datetime.date: lambda cls: cls(2024, 2, 29),
    datetime.timedelta: lambda cls: cls(1, 2, 3),
    decimal.Decimal: lambda cls: cls("1.000000000000000000000000000000000000000000000000000000001"),
    io.BytesIO: lambda cls: cls(b"initial"),
    io.StringIO: lambda cls: cls("initial"),
    random.Random: lambda cls: cls(1),
    threading.local: lambda cls: cls(),
}

VARIABLE_SIZE = (int, bytes, tuple, type)  # cannot have slots
NEED_A_DICT = (property,)  # to keep their own documentation in

KEPT = []
for base, make in BASES.items():
    name = base.__name__
    with_dict = type(name + "WithDict", (base,), {})
    KEPT += [make(with_dict) for _ in range(20)]
    for instance in KEPT[-10:]:
        instance.attribute = [1]
    if not issubclass(base, NEED_A_DICT):
        KEPT += [make(type(name + "Bare", (base,), {"__slots__": ()})) for _ in range(20)]
    if not issubclass(base, VARIABLE_SIZE + NEED_A_DICT):
        with_slots = type(name + "WithSlots", (base,), {"__slots__": ("first", "second")})
        KEPT += [make(with_slots) for _ in range(20)]
        for instance in KEPT[-10:]:
            instance.first = {}
    slots = () if issubclass(base, VARIABLE_SIZE) else ("deep",)
    grandchild = type(name + "Grandchild", (with_dict,), {"__slots__": slots})
    KEPT += [make(grandchild) for _ in range(5)]
    KEPT[-1].attribute = None

if __name__ == "__main__":
    truth.hold()
