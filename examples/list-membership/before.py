"""Lets through the mail that comes from nobody who is blocked, for as long as there is any."""

import random
import sys
import threading

BLOCKED = ["sender%d@example.net" % number for number in range(20_000)]


def is_welcome(sender):
    return sender not in BLOCKED


def mail(draw):
    while True:
        yield "sender%d@example.org" % draw.randrange(1_000_000)


def main():
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    print("ready", flush=True)
    delivered = 0
    for sender in mail(random.Random(7)):
        if is_welcome(sender):
            delivered += 1
        if over.is_set():
            break
    print("delivered %d" % delivered)


main()
