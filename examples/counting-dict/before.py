"""Counts which products are looked at, for as long as there are visitors."""

import random
import sys
import threading


def views(draw, over):
    lately = draw.choices(["product %d" % number for number in range(5_000)], k=20_000)
    while not over.is_set():
        yield from lately


def count(views):
    counts = {}
    for product in views:
        counts[product] = counts.get(product, 0) + 1
    return counts


def main():
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    print("ready", flush=True)
    counts = count(views(random.Random(7), over))
    print("most looked at: %s" % max(counts, key=counts.get))


main()
