"""Renders a greeting for every visitor, and caches it for ever though no visitor comes twice."""

import functools
import sys


@functools.lru_cache(maxsize=None)
def greeting(visitor):
    return "Dear visitor %d,\nwelcome to the shop!\n" % visitor


def main():
    length = sum(len(greeting(visitor)) for visitor in range(30_000))
    print("ready", flush=True)
    sys.stdin.readline()
    print("sent", length, "letters")


main()
