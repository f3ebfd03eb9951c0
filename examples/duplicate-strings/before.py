"""Keeps the parcels of a depot, each with the name of its country as it was read from a line."""

import sys

COUNTRIES = ["Austria", "Belgium", "Denmark", "Finland", "France", "Germany", "Italy", "Switzerland"]


class Parcel:
    __slots__ = ("number", "country")

    def __init__(self, line):
        number, country = line.split(",")
        self.number = int(number)
        self.country = country


def lines():
    for number in range(50_000):
        yield "%d,%s" % (number, COUNTRIES[number % len(COUNTRIES)])


def main():
    parcels = [Parcel(line) for line in lines()]
    abroad = sum(parcel.country != "Germany" for parcel in parcels)
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(parcels), "parcels,", abroad, "of them to other countries")


main()
