"""A small web shop, as a program to look at: it serves orders from memory, and its memory grows.

It takes orders from made-up customers for as long as it runs, or for as many seconds as its argument says. Three of
its habits are worth finding: a price table that is filled on every miss and never emptied, a journal of all orders in
one long list, and a cache without a bound.
"""

import functools
import random
import sys
import time

PRICES = {}
"""Prices quoted so far, by customer group, country and article: never emptied."""

JOURNAL = []
"""Every order since the start."""

COUNTRIES = ["at", "be", "ch", "de", "dk", "es", "fi", "fr", "it", "nl", "no", "pl", "pt", "se"]


class Article:
    def __init__(self, number):
        self.number = number
        self.name = "article %05d" % number
        self.base_price = 1.0 + number % 500


class Order:
    def __init__(self, customer, country, lines):
        self.customer = customer
        self.country = country
        self.lines = lines
        self.total = sum(price for _, price in lines)


class Inventory:
    def __init__(self, size):
        self.articles = {number: Article(number) for number in range(size)}

    def pick(self, chance):
        return self.articles[chance.randrange(len(self.articles))]


@functools.lru_cache(maxsize=None)
def delivery_note(customer, country):
    """Rendered once for each customer, and kept for ever."""
    return "Dear customer %d,\nyour order will be sent to %s.\n" % (customer, country.upper()) * 3


def price_of(article, country, customer):
    key = (customer % 50, country, article.number)
    if key not in PRICES:
        PRICES[key] = round(article.base_price * (1.05 + 0.01 * COUNTRIES.index(country)), 2)
    return PRICES[key]


def take_order(inventory, chance):
    customer, country = chance.randrange(200_000), chance.choice(COUNTRIES)
    articles = [inventory.pick(chance) for _ in range(chance.randint(1, 4))]
    order = Order(customer, country, [(article, price_of(article, country, customer)) for article in articles])
    delivery_note(customer, country)
    JOURNAL.append(order)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else float("inf")
    chance = random.Random(4242)
    inventory = Inventory(20_000)
    for _ in range(105_000):  # what came in before you looked
        take_order(inventory, chance)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(40):
            take_order(inventory, chance)
        time.sleep(0.01)
    print("took %d orders" % len(JOURNAL))


if __name__ == "__main__":
    main()
