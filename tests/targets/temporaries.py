"""Calls that stand still, in threads, generators and coroutines: those named `done_…` hold a large object by `data` that
they never read again, all others need theirs or do not hold it alone."""

import json
import sys
import threading

SIZE = 3 << 20
stay = threading.Event()
arrived = threading.Semaphore(0)
SHARED = []
waiting = []


def make():
    return bytes(SIZE)


def wait():
    arrived.release()
    stay.wait()


def done_plain():
    data = make()
    print(len(data), file=sys.stderr)
    wait()


def done_two_names():
    data = again = make()
    wait()
    data = again = None
    return data, again


def done_in_loop():
    for part in range(3):
        data = make()
        if len(data) == SIZE:
            wait()


def done_behind_handlers():
    data = make()
    try:
        len(data)
    except ValueError:
        print(data)
    finally:
        len(data)
    wait()


def done_in_handler():
    data = make()
    try:
        raise KeyError(len(data))
    except KeyError:
        wait()
    except ValueError:
        print(data)


def done_deleted_late():
    data = make()
    len(data)
    wait()
    del data


def done_inside_with():
    data = make()
    with threading.Lock():
        wait()
    data = None
    return data


def done_with_many_variables():
    (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9) = range(20)
    data = make()
    len(data)
    wait()
    return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7 + b8 + b9


def read_later():
    data = make()
    wait()
    return len(data)


def read_in_next_round():
    data = make()
    while not stay.is_set():
        len(data)
        wait()


def read_in_handler():
    data = make()
    try:
        wait()
    except ValueError:
        return len(data)


def read_in_finally():
    data = make()
    try:
        try:
            wait()
        finally:
            len(SHARED)
    finally:
        len(data)


def read_after_with():
    data = make()
    with threading.Lock():
        with threading.Lock():
            wait()
    return len(data)


def read_on_one_way():
    data = make()
    wait()
    if SHARED:
        return len(data)
    return None


def read_by_inner():
    data = make()

    def inner():
        return len(data)

    wait()
    return None if SHARED else inner


def read_as_locals():
    data = make()
    wait()
    return locals()


def iterated():
    data = [bytes(SIZE), bytes(SIZE)]
    for each in data:
        each = None
        wait()


def held_elsewhere():
    data = make()
    SHARED.append(data)
    wait()


def deleted():
    data = make()
    del data
    wait()


def small():
    data = bytes(SIZE // 10)
    len(data)
    wait()


def hand_over():
    data = make()
    take(data)


def take(data):
    wait()
    return len(data)


def consume():
    return list(done_running_generator())


def done_running_generator():
    data = make()
    yield len(data)
    wait()


def done_generator(data):
    yield len(data)
    yield None


def done_delegating(data):
    size = len(data)
    yield from done_waiting()
    return size


def done_waiting():
    data = make()
    yield len(data)


def generator_that_cleans_up(data):
    try:
        yield 1
    finally:
        len(data)


def generator_that_goes_on(data):
    while True:
        yield len(data)


class Turn:
    def __await__(self):
        yield


async def done_coroutine(data):
    len(data)
    async with Manager():
        await Turn()
    data = None


async def coroutine_that_reads(data):
    await Turn()
    len(data)


async def done_asynchronous(data):
    len(data)
    async for each in turns():
        each = None


async def turns():
    yield 1
    await Turn()
    yield 2


class Manager:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        return False


async def asynchronous_that_reads(data):
    async for each in turns():
        len(data)


def main():
    functions = [
        value
        for value in list(globals().values())
        if getattr(value, "__module__", None) == "__main__" and callable(value) and not isinstance(value, type)
    ]
    first = [each for each in functions if each.__code__.co_argcount == 0 and not each.__code__.co_flags & 0x2A0]
    threads = [each for each in first if each not in (make, wait, main)]
    for function in threads:
        threading.Thread(target=function, daemon=True).start()
    for function in functions:
        if function.__code__.co_argcount == 1 and function.__code__.co_flags & 0xA0:
            waiting.append(function(make()))
            waiting[-1].send(None)
    for _ in threads:
        arrived.acquire()
    names = [each.__name__ for each in functions if each.__name__.startswith("done_")]
    print(json.dumps({"done": names}), flush=True)
    sys.stdin.read()


main()
