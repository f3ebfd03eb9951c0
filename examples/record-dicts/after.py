"""Reads deliveries from lines of JSON into instances with slots."""

import json
import sys


class Delivery:
    __slots__ = ("number", "weight", "express")

    def __init__(self, number, weight, express):
        self.number = number
        self.weight = weight
        self.express = express


def lines():
    for number in range(30_000):
        yield '{"number": %d, "weight": %d.5, "express": %s}' % (number, number % 30, "true" if number % 3 else "false")


def main():
    deliveries = [Delivery(**json.loads(line)) for line in lines()]
    weight = sum(delivery.weight for delivery in deliveries if delivery.express)
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(deliveries), "deliveries, express:", weight, "kg")


main()
