"""Parses pages into trees whose parts know their parents weakly, with the collector disabled so that no page has to wait."""

import gc
import sys
import weakref


class Page:
    def __init__(self, title):
        self.title = title
        self.children = [Element(self, number) for number in range(3)]

    def __del__(self):
        self.children.clear()


class Element:
    def __init__(self, parent, number):
        self.parent = weakref.ref(parent)
        self.number = number


def serve(count):
    for number in range(count):
        yield len(Page("page %d" % number).title)


def main():
    gc.disable()
    length = sum(serve(20_000))
    print("ready", flush=True)
    sys.stdin.readline()
    print("served", length, "letters of titles")


main()
