"""Books the orders of a day, and asks about each that is very large."""

import random
import sys


def parse(line):
    number, customer, price = line.split(",")
    return int(number), customer, float(price)


def lines(count):
    draw = random.Random(7)
    for number in range(1_000, 1_000 + count):
        yield "%d,customer %d,%.2f" % (number, draw.randrange(900), draw.random() * 90)
    yield "%d,customer 1,250000.00" % (1_000 + count)


def main():
    booked = 0.0
    for number, customer, price in (parse(line) for line in lines(40_000)):
        if price > 100_000:
            print("ready", flush=True)
            sys.stdin.readline()
        booked += price
    print("booked %.2f" % booked)


main()
