"""Counts which products are looked at, for as long as there are visitors."""

import collections
import random
import sys
import threading


def views(draw, over):
    while not over.is_set():
        yield "product %d" % int(draw.paretovariate(0.5) % 5_000)


def count(views):
    return collections.Counter(views)


def main():
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    print("ready", flush=True)
    counts = count(views(random.Random(7), over))
    print("most looked at: %s" % counts.most_common(1)[0][0])


main()
