"""Huge dicts and sets, with deletions: tables with holes, tables that shrank, tables that were rebuilt."""

import truth

SIZE = 200000

TEXT_KEYS = {"key-%d" % number: number for number in range(SIZE)}
NUMBER_KEYS = {number * 31: None for number in range(SIZE)}
HOLES = {number: str(number) for number in range(SIZE)}
for number in range(0, SIZE, 3):
    del HOLES[number]
NEARLY_EMPTY = {number: (number,) for number in range(SIZE)}
for number in range(SIZE - 5):
    del NEARLY_EMPTY[number]
POPPED = {number: number for number in range(SIZE)}
while len(POPPED) > 100:
    POPPED.popitem()
CLEARED = {number: number for number in range(1000)}
CLEARED.clear()
COPIED = HOLES.copy()
REFILLED = {number: [] for number in range(1000)}
for number in range(1000):
    del REFILLED[number]
    REFILLED["s%d" % number] = ()
SET = set(range(SIZE))
SET_HOLES = set(range(SIZE))
for number in range(0, SIZE, 2):
    SET_HOLES.discard(number)
SET_SMALL_AGAIN = set(range(5000))
for number in range(4999):
    SET_SMALL_AGAIN.remove(number)
SET_CLEARED = set("abcdefghijklmnop")
SET_CLEARED.clear()
FROZEN = frozenset("item-%d" % number for number in range(50000))
SMALL = [{number: number for number in range(count)} for count in range(60)]
SMALL_SETS = [set(range(count)) for count in range(60)]
MIXED = {}
for number in range(2000):
    MIXED["s%d" % number] = number
MIXED[1] = 2

if __name__ == "__main__":
    truth.hold()
