"""Keeps the stops of a bus network, each with slots for what it has."""

import sys


class Stop:
    __slots__ = ("number", "line", "minute")

    def __init__(self, number, line, minute):
        self.number = number
        self.line = line
        self.minute = minute


def timetable():
    return [Stop(number, number % 40, number % 1_440) for number in range(40_000)]


def main():
    stops = timetable()
    first = min(stops, key=lambda stop: stop.minute)
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(stops), "stops, the first of the day: line", first.line)


main()
