"""A price service that remembers the last quotes only: each line of its input is a batch of orders."""

import functools
import sys


@functools.lru_cache(maxsize=1_000)
def quote(order_id):
    return 19.9 + order_id % 80


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
