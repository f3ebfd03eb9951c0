"""Sums up a month of sales by product, then answers questions about the totals for as long as it is asked."""

import random
import sys


def read_sales(count):
    draw = random.Random(1)
    return [("product %d" % draw.randrange(500), draw.random() * 100.0) for _ in range(count)]


def sum_up(sales):
    totals = {}
    for product, price in sales:
        totals[product] = totals.get(product, 0.0) + price
    return totals


def answer(totals):
    print("ready", flush=True)
    for line in sys.stdin:
        print(totals.get(line.strip(), 0.0), flush=True)


def main():
    sales = read_sales(50_000)
    totals = sum_up(sales)
    answer(totals)


main()
