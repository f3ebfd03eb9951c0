"""Does the same round of work again and again, and knows what share of the processor's time each part of it took.

Takes the first item of a list, asks a list for a member, builds a text, and does something else; each part so often that
the clock between them takes next to nothing. Prints the shares when its standard input ends.
"""

import json
import select
import sys
import time

BLOCKED = ["10.0.%d.%d" % (number // 256, number % 256) for number in range(20_000)]


class Desk:
    def __init__(self):
        self.waiting = list(range(100_000))

    def serve(self, count):
        for _ in range(count):
            self.waiting.append(self.waiting.pop(0))


def accepted(count):
    return [address for address in range(count) if "10.1.%d" % address not in BLOCKED]


def page(count):
    text = b"." * 100_000
    for _ in range(count):
        text += b"<br>"
    return text


def others(count):
    return sum(number % 7 for number in range(count))


def main():
    desk = Desk()
    now = time.process_time
    parts = [("list-as-queue", desk.serve, 0), ("list-membership", accepted, 0), ("string-building", page, 0), ("", others, 0)]
    # As often as takes about the same time, found once.
    for index, (name, work, _) in enumerate(parts):
        count, taken = 1, 0.0
        while taken < 0.01:
            count *= 2
            before = now()
            work(count)
            taken = now() - before
        parts[index] = (name, work, count)
    print("ready", flush=True)
    spent = {name: 0.0 for name, _, _ in parts}
    while not select.select([sys.stdin], [], [], 0)[0]:
        for name, work, count in parts:
            before = now()
            work(count)
            spent[name] += now() - before
    whole = sum(spent.values())
    print(json.dumps({name: seconds / whole for name, seconds in spent.items()}), flush=True)


main()
