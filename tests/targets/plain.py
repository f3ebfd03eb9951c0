"""Plain data: numbers of every size, text, bytes, and the containers that hold them."""

import truth


class Price(int):
    """An int that the collector does not track and that nobody else makes: its count is known exactly."""

    __slots__ = ()


class Weight(float):
    __slots__ = ()


ORDERS = {
    "order-%06d" % number: {
        "lines": [{"sku": "sku-%d" % (number % 97), "amount": number % 7, "price": number * 1.25}],
        "total": Price(number * 1000),
        "weight": Weight(number / 3),
        "tags": {"a%d" % (number % 11), "b", number},
        "key": (number, "k", None),
        "nested": (number, [number], {}),
    }
    for number in range(3000)
}
INTEGERS = [sign * 2**power + offset for power in range(0, 700, 3) for sign in (1, -1) for offset in (-1, 0, 1)]
FLOATS = [number / 7 for number in range(20000)]
COMPLEX = [complex(number, -number) for number in range(500)]
BYTES = [bytes(length) for length in range(0, 1200)] + [bytes(100003)]
BUFFERS = [bytearray(length) for length in (0, 1, 7, 8, 100, 5000)]
GROWN = bytearray()
for _ in range(1000):
    GROWN += b"grown"
SHRUNK = bytearray(10000)
del SHRUNK[10:]
AHEAD = bytearray(b"0123456789")
del AHEAD[:4]
EMPTY = [[], {}, (), set(), frozenset(), "", b"", bytearray(), 0, 0.0, None, False, ..., NotImplemented]
LISTS = [list(range(length)) for length in range(40)]
APPENDED = []
for _ in range(1234):
    APPENDED.append(None)
POPPED = list(range(1000))
for _ in range(900):
    POPPED.pop()
TUPLES = [tuple(range(length)) for length in range(60)]
TUPLES_OF_LISTS = [([], length) for length in range(100)]
SETS = [set(range(length)) for length in (0, 1, 4, 5, 6, 50, 1000)] + [frozenset(range(length)) for length in (1, 9, 70)]
RANGES = [range(5), range(10**20), range(3, 10**6, 7)]
SLICES = [slice(None), slice(1, 10**9, 2)]
VIEWS = [memoryview(BUFFERS[-1]), memoryview(BUFFERS[-1])[3:10], memoryview(bytes(8)).cast("I")]
SELF = []
SELF.append(SELF)
DICT_KINDS = [
    {1: 2},
    {None: 1},
    {"a": 1, "b": 2},
    {"a": 1, 2: 2},
    dict.fromkeys(range(5)),
    dict.fromkeys("abcdefghijk"),
    {(1, 2): frozenset([1])},
]
VIEWS_OF_DICTS = [DICT_KINDS[2].keys(), DICT_KINDS[2].values(), DICT_KINDS[2].items(), iter(DICT_KINDS[2]), iter(LISTS[5])]

if __name__ == "__main__":
    truth.hold()
