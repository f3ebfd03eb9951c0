"""Looks for the slowest requests of a day, and keeps every line of the log in a list for it."""

import random
import sys

PATHS = ["/", "/cart", "/login", "/search", "/orders", "/help"]


def log(chance):
    for number in range(150_000):
        yield "%06d %s %d ms" % (number, chance.choice(PATHS), chance.randrange(2_000))


def main():
    lines = list(log(random.Random(7)))
    slowest = max(lines, key=lambda line: int(line.split()[2]))
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(lines), "lines, the slowest:", slowest)


main()
