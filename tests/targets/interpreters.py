"""Sub-interpreters, each with data of its own and standing idle, some of them with an allocator of their own.

Since 3.9 every interpreter has a collector of its own and can only speak for itself, so each one measures itself. In
3.8 there is one collector, and the main interpreter sees everything.
"""

import os
import sys
import tempfile

import truth

try:
    import _interpreters as interpreters  # 3.13 and later
except ImportError:
    import _xxsubinterpreters as interpreters

if sys.version_info < (3, 10):
    KINDS = [{}, {}, {}]
elif sys.version_info < (3, 13):
    KINDS = [{"isolated": False}, {"isolated": True}, {"isolated": True}]
else:
    KINDS = [{"config": "legacy"}, {"config": "isolated"}, {"config": "isolated"}]

SETUP = """
import sys
sys.path.insert(0, {folder!r})
import gc
import os
import truth
gc.disable()
gc.set_threshold({count} + 7, 5, 3)

class InSub:
    def __init__(self, number):
        self.number = number
        self.text = "sub %d" % number

class Amount(int):
    __slots__ = ()

KEPT = [InSub(number) for number in range({count})]
AMOUNTS = [Amount(number) for number in range({count})]
TABLE = {{number: [number] for number in range({count})}}

def measure(descriptor, marker):
    gc.collect()
    gc.unfreeze()
    objects = gc.get_objects()
    objects = truth.without_run(objects, marker)
    text = truth.describe(objects, 0).encode()
    while text:
        text = text[os.write(descriptor, text):]
"""


class InMain:
    pass


def in_sub(identity, code):
    failure = interpreters.run_string(identity, code)
    if failure is not None:
        raise RuntimeError(failure)


def measure_subs():
    texts = []
    for sub in SUBS:
        with tempfile.TemporaryFile("w+") as file:
            in_sub(sub, "measure(%d, 'the text that is being run')" % file.fileno())
            file.seek(0)
            texts.append(file.read())
    return "[%s]" % ",".join(texts)


MAIN = [InMain() for _ in range(100)]
SUBS = []
for count, kind in zip((10, 1000, 3000), KINDS):
    SUBS.append(interpreters.create(**kind))
    in_sub(SUBS[-1], SETUP.format(folder=os.path.dirname(os.path.abspath(__file__)), count=count))

if __name__ == "__main__":
    truth.hold(others=None if sys.version_info < (3, 9) else measure_subs)
    os._exit(0)
