"""Renders the price list again and again, as prices change, for as long as it is wanted."""

import random
import sys
import threading


def row(number, price):
    return b"<tr><td>product %d</td><td>%.2f</td></tr>\n" % (number, price)


def render(prices):
    page = b"<table>\n"
    for number, price in enumerate(prices):
        page += row(number, price)
    return page + b"</table>\n"


def main():
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    draw = random.Random(7)
    prices = [draw.random() * 100.0 for _ in range(20_000)]
    print("ready", flush=True)
    pages = 0
    while not over.is_set():
        prices[draw.randrange(len(prices))] *= 1.01
        pages += len(render(prices)) > 0
    print("rendered %d" % pages)


main()
