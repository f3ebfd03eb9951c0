"""Looks for the slowest requests of a day, line by line."""

import random
import sys

PATHS = ["/", "/cart", "/login", "/search", "/orders", "/help"]


def log(chance):
    for number in range(150_000):
        yield "%06d %s %d ms" % (number, chance.choice(PATHS), chance.randrange(2_000))


def main():
    count = 0
    slowest = ""
    for line in log(random.Random(7)):
        count += 1
        slowest = max(slowest, line, key=lambda line: int((line or "0 / 0 ms").split()[2]))
    print("ready", flush=True)
    sys.stdin.readline()
    print(count, "lines, the slowest:", slowest)


main()
