"""Reads deliveries from lines of JSON, and keeps each as the dict that it came as."""

import json
import sys


def lines():
    for number in range(30_000):
        yield '{"number": %d, "weight": %d.5, "express": %s}' % (number, number % 30, "true" if number % 3 else "false")


def main():
    deliveries = [json.loads(line) for line in lines()]
    weight = sum(delivery["weight"] for delivery in deliveries if delivery["express"])
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(deliveries), "deliveries, express:", weight, "kg")


main()
