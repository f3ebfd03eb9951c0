"""Looks for the warmest minute of a week of measurements, which are kept in an array."""

import array
import math
import sys

SAMPLES = array.array("d", (20.0 + 5.0 * math.sin(second / 13_000.0) for second in range(7 * 86_400)))


def minutes():
    return (sum(SAMPLES[start : start + 60]) / 60 for start in range(0, len(SAMPLES), 60))


def main():
    warmest = max(minutes())
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(SAMPLES), "samples, the warmest minute:", warmest)


main()
