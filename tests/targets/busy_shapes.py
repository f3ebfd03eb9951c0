"""Gives the same time to each of many ways to write what another data structure would do better, again and again.

Each works on something of its own, which it has a name of its own for. Ends when its standard input does.
"""

import select
import sys
import time


def items():
    return tuple(range(5_000))


# What is searched for a member.


def by_argument(names):
    return -1 in names


GLOBAL = items()


def in_comprehension():
    return [n for n in (-1,) if n in GLOBAL]


class Shop:
    offers = items()

    def search(self):
        return -1 in self.offers


class Till:
    __slots__ = ["__coins"]

    def __init__(self):
        self.__coins = items()

    def search(self):
        return -1 not in self.__coins


def closure():
    kept = items()

    def search():
        return any(n in kept for n in (-1,))

    return search


CONFIG = {"shop": [{3: items()}]}
KEY = "shop"


def in_container():
    return -1 in CONFIG[KEY][0][3]


SEVERAL = items()


def one_of_several():
    return -1 in () or -1 in SEVERAL or -1 in (1, 2)


class Name:
    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


NAMES = [Name() for _ in range(1_000)]


def with_own_comparison():
    return Name() in NAMES


# What items are taken from at the front.

FILLED = list(range(200_000))
EMPTIED = list(range(200_000))
SLICED = list(range(200_000))


def insert():
    FILLED.insert(0, FILLED.pop())


def delete():
    first = EMPTIED[0]
    del EMPTIED[0]
    EMPTIED.append(first)


def leave_out():
    global SLICED
    first, SLICED = SLICED[0], SLICED[1:]
    SLICED.append(first)


# What is counted, by keys whose hash takes a while, so that a look finds the program where it was.

KEYS = [10**20_000 + number for number in range(120)]
GOT = {}
ASKED = {}
BEGUN = {}
TRIED = {}


def get():
    for key in KEYS:
        GOT[key] = GOT.get(key, 0) + 1


def ask():
    for key in KEYS:
        if key in ASKED:
            ASKED[key] += 1
        else:
            ASKED[key] = 1


def begin():
    for key in KEYS:
        if key not in BEGUN:
            BEGUN[key] = 0
        BEGUN[key] += 1


def attempt():
    for key in KEYS:
        try:
            TRIED[key] += 1
        except KeyError:
            TRIED[key] = 1


def main():
    argument, till, shop = items(), Till(), Shop()
    works = [in_comprehension, shop.search, till.search, closure(), in_container, one_of_several, with_own_comparison]
    works += [lambda: by_argument(argument), insert, delete, leave_out, get, ask, begin, attempt]
    for work in works:
        work()
    print("ready", flush=True)
    now = time.process_time
    while not select.select([sys.stdin], [], [], 0)[0]:
        for work in works:
            end = now() + 0.005
            while now() < end:
                work()


main()
