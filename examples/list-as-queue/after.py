"""Prints the labels of parcels in the order in which they came in, for as long as there are any."""

import collections
import sys
import threading


class Desk:
    def __init__(self):
        self.waiting = collections.deque()

    def accept(self, parcel):
        self.waiting.append(parcel)

    def next_label(self):
        return self.waiting.popleft()


def main():
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    desk = Desk()
    for number in range(100_000):
        desk.accept("parcel %d" % number)
    print("ready", flush=True)
    printed = 0
    while not over.is_set():
        label = desk.next_label()
        printed += len(label) > 0
        desk.accept("parcel %d" % (100_000 + printed))
    print("printed %d" % printed)


main()
