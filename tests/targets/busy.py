"""Changes its heap as fast as it can, in two threads, until its input ends."""

import json
import os
import sys
import threading

import truth


class Part:
    def __init__(self, number):
        self.number = number
        self.parts = [number]


class Slotted:
    __slots__ = ("value",)


STORE = {}
RUNNING = True


def churn(seed):
    number = seed
    while RUNNING:
        number += 7919
        key = number % 5003
        part = Part(number)
        part.table = {str(number): (number, [part]), "set": {number, "x" * (number % 300)}}
        if number % 5 == 0:
            part.kind = type("Kind%d" % (number % 7), (Part,), {"__slots__": ("value",)})
        if number % 3 == 0:
            slotted = Slotted()
            slotted.value = bytes(number % 2000)
            part.parts.append(slotted)
        part.generator = (item for item in part.parts)
        STORE[key] = part
        STORE.pop((number * 31) % 5003, None)
        if number % 1001 == 0:
            STORE.clear()


NAMES = set(truth.all_type_names()) | {"__main__.Kind%d" % number for number in range(7)}
THREADS = [threading.Thread(target=churn, args=(seed,), daemon=True) for seed in range(2)]
for thread in THREADS:
    thread.start()
print(json.dumps({"python": "%d.%d.%d" % sys.version_info[:3], "pid": os.getpid(), "types": sorted(NAMES)}), flush=True)
os.read(0, 1)
os._exit(0)
