"""Generators, coroutines and asynchronous generators suspended half way, frames and tracebacks that are kept."""

import asyncio
import contextlib
import functools
import sys
import types

import truth


def counting(limit, payload):
    total = 0
    for number in range(limit):
        total += number
        received = yield [number, payload]
        if received:
            total = received
    return total


def delegating(payload):
    local = {"payload": payload}
    yield from counting(5, local)


def closing_over(value):
    cell = [value]

    def inner():
        nonlocal cell
        while True:
            cell.append(value)
            yield cell

    return inner()


@types.coroutine
def pause(value):
    return (yield value)


async def waiting(payload, depth):
    kept = [payload]
    if depth:
        async with Manager() as manager:
            return await waiting((payload, manager), depth - 1)
    got = await pause(kept)
    return kept, got


class Manager:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        return False


async def ticking(payload):
    for number in range(10):
        await pause(("tick", number))
        yield [payload, number]


async def using(generator):
    async for item in generator:
        await pause(item)


def failing(depth, payload):
    if depth:
        failing(depth - 1, [payload])
    raise ValueError(payload)


def kept_frame(payload):
    local = {"payload": payload}
    return sys._getframe(), local


def many_locals():
    a = b = c = d = e = f = g = h = ["many"]
    x, y, z = 1.5, 2**80, "z"
    yield (a, b, c, d, e, f, g, h, x, y, z)
    yield locals()


GENERATORS = [counting(100, number) for number in range(300)]
for step, generator in enumerate(GENERATORS):
    for _ in range(step % 4):
        next(generator)
FINISHED = [counting(0, None) for _ in range(20)]
for generator in FINISHED:
    list(generator)
DELEGATING = [delegating(number) for number in range(100)]
for generator in DELEGATING:
    next(generator)
CLOSURES = [closing_over(number) for number in range(100)]
for generator in CLOSURES:
    next(generator)
EXPRESSIONS = [(item * 2 for item in [number, [], "x"]) for number in range(100)]
for generator in EXPRESSIONS[::2]:
    next(generator)
MANY_LOCALS = [many_locals() for _ in range(50)]
for generator in MANY_LOCALS:
    next(generator)
COROUTINES = [waiting(number, depth) for depth in range(4) for number in range(50)]
for step, coroutine in enumerate(COROUTINES):
    if step % 5:
        coroutine.send(None)
TICKING = [ticking(number) for number in range(50)]
STEPS = [generator.__anext__() for generator in TICKING]
for step in STEPS[:40]:
    step.send(None)
USING = [using(ticking(number)) for number in range(50)]
for coroutine in USING:
    coroutine.send(None)
FRAMES = [kept_frame(number) for number in range(100)]
GENERATOR_FRAMES = [generator.gi_frame for generator in GENERATORS[:50]]
EXCEPTIONS = []
for depth in range(20):
    try:
        try:
            failing(depth, "payload")
        except ValueError as error:
            raise KeyError("outer") from error
    except KeyError as error:
        EXCEPTIONS.append(error)
EXIT_STACK = contextlib.ExitStack()
EXIT_STACK.callback(print, "never")
PARTIALS = [functools.partial(counting, 3), functools.partial(functools.partial(max, 1), 2)]

if __name__ == "__main__":
    truth.hold()
    # Coroutines that never ran would be complained about at exit.
    for coroutine in COROUTINES + USING:
        coroutine.close()
