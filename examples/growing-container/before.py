"""A price service that remembers every order it ever quoted: each line of its input is a batch of orders."""

import sys

QUOTES = {}


def quote(order_id):
    if order_id not in QUOTES:
        QUOTES[order_id] = {"order": order_id, "total": 19.9 + order_id % 80}
    return QUOTES[order_id]["total"]


def main():
    taken = 0
    turnover = 0.0
    for batch in [20_000]:  # the orders of last night
        for order_id in range(batch):
            turnover += quote(order_id)
        taken += batch
    print("ready", flush=True)
    for line in sys.stdin:
        for order_id in range(taken, taken + int(line)):
            turnover += quote(order_id)
        taken += int(line)
        print(taken, flush=True)


main()
