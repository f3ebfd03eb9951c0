"""Offers the same articles in four regions, which all share one list."""

import sys

ARTICLES = ["article %d" % number for number in range(60_000)]
REGIONS = {}


class Region:
    def __init__(self, name):
        self.name = name
        self.articles = ARTICLES


def main():
    for name in ("north", "east", "south", "west"):
        REGIONS[name] = Region(name)
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(len(region.articles) for region in REGIONS.values()), "offers")


main()
