"""Calls `leaf` by ways on which frames come back at the same address, with the same code and the same instruction, while
their callers have gone on. With an argument, prints each stack that `leaf` was called with, and how often; without one it
does the same and allocates nothing to find that out."""

import gc
import itertools
import sys
import threading

TOLD = len(sys.argv) > 1
STACKS = {}
LIMIT = 256


def leaf():
    TOLD and tell(sys._getframe())
    return bytes(3000)


def tell(frame):
    stack = []
    while frame is not None and len(stack) < LIMIT:
        code = frame.f_code
        stack.append("%s:%d" % (getattr(code, "co_qualname", code.co_name), frame.f_lineno))
        frame = frame.f_back
    key = " ".join(stack)
    STACKS[key] = STACKS.get(key, 0) + 1


def chain(depth):
    return leaf() if depth == 0 else chain(depth - 1)


def same_frames_from_other_lines():
    for _ in range(20):
        chain(30)
        chain(30)
        for _ in range(3):
            chain(3)
            chain(3)
        (chain(2),
         chain(2), [chain(2),
                    chain(2)])


class Failed(Exception):
    pass


FAILED = Failed()


def fail(depth):
    if depth == 0:
        leaf()
        raise FAILED
    fail(depth - 1)


def caught(depth):
    try:
        fail(depth)
    except Failed:
        return leaf()


def exceptions():
    for _ in range(20):
        caught(5)
        caught(5)
        try:
            fail(5)
        except Failed:
            pass
        [0, 1, [caught(3),
                caught(3)]]


class Made:
    def __init__(self, depth, fails=False):
        leaf()
        if depth:
            self.inner = Made(depth - 1, fails)
        elif fails:
            raise FAILED


def classes():
    for _ in range(20):
        Made(4)
        Made(4)
        for depth in (0, 2):
            try:
                Made(depth, True)
            except Failed:
                pass
            try:
                Made(depth, True)
            except Failed:
                pass


def endless():
    while True:
        leaf()
        yield


def delegating(depth):
    if depth:
        yield from delegating(depth - 1)
    else:
        yield from endless()


def first(iterator):
    return next(iterator)


def second(iterator):
    for found in iterator:
        return found


def drain(iterator):
    for _ in iterator:
        pass


def raises():
    leaf()
    raise FAILED
    yield


def loops_end(one, other, failing):
    try:
        for _ in one:
            for _ in other:
                for _ in failing:
                    pass
    except Failed:
        pass


def generators():
    kept = delegating(8)
    for _ in range(20):
        first(kept)
        first(kept)
        second(kept)
        next(kept)
    ending = [none() for _ in range(100)]
    while ending:
        drain(ending.pop())
        drain(ending.pop())
    endless_one = itertools.repeat(None)
    failing = [raises() for _ in range(100)]
    while failing:
        loops_end(endless_one, endless_one, failing.pop())
        loops_end(endless_one, endless_one, failing.pop())


def none():
    leaf()
    if LIMIT < 0:
        yield


class Pause:
    def __await__(self):
        leaf()
        yield
        leaf()


async def waiting(depth):
    if depth:
        await waiting(depth - 1)
    await Pause()
    chain(2)


def coroutines():
    waiters = [waiting(number % 5) for number in range(15)]
    while waiters:
        for waiter in list(waiters):
            try:
                waiter.send(None)
            except StopIteration:
                waiters.remove(waiter)
            leaf()


class Special:
    @property
    def read(self):
        return leaf()

    def __getattr__(self, name):
        return chain(1)

    def __getitem__(self, index):
        return leaf()

    def __len__(self):
        return len(leaf())

    def __del__(self):
        chain(1)


def from_c(depth):
    if depth == 0:
        return [leaf()]
    return sorted([depth], key=lambda number: from_c(number - 1)
                  and number)


def specials():
    special = Special()
    for _ in range(30):
        special.read
        special.read
        special.missing
        special.missing
        special[0]
        special[0], special[1]
        len(special)
        Special()
        Special()
        (special.read, Special(),
         special.read)
    from_c(12)
    from_c(12)
    list(map(chain, range(4)))
    list(map(chain, range(4)))


def local():
    one, other = Special(), Special()
    return leaf()


def trace(frame, event, argument):
    # A call that is about to begin is none yet before 3.11.
    if event in ("line", "return") and frame.f_code is not tell.__code__:
        chain(1)
    return trace


def traced():
    chain(3)
    for _ in range(3):
        sys.settrace(trace)
        chain(3)
        caught(2)
        sys.settrace(None)
        chain(3)
    sys.settrace(trace)
    sys._getframe().f_trace = trace
    chain(3)
    chain(3)
    sys.settrace(None)
    sys._getframe().f_trace = None
    sys.setprofile(trace)
    chain(3)
    list(none())
    sys.setprofile(None)
    chain(3)


def deep():
    for depth in (300, 900, 500):
        chain(depth)
        chain(depth)


def all_of_it():
    same_frames_from_other_lines()
    exceptions()
    classes()
    generators()
    coroutines()
    specials()
    for _ in range(10):
        local()
        local()


def main():
    gc.disable()
    # What the type keeps from its first call on is no block of a later one's.
    bytes(3000)
    sys.setrecursionlimit(2000)
    all_of_it()
    all_of_it()
    deep()
    traced()
    threads = [threading.Thread(target=exceptions) for _ in range(3)]
    if TOLD:
        # One at a time: they count in one table.
        for thread in threads:
            thread.start()
            thread.join()
    else:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


main()
for stack, count in STACKS.items():
    print(count, stack)
