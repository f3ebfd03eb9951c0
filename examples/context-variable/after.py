"""Serves requests, each of which starts a task that goes on without the request."""

import asyncio
import contextvars
import sys

CURRENT = contextvars.ContextVar("current_request")
SUBSCRIBERS = []


class Request:
    def __init__(self, number):
        self.user = number % 50
        self.body = "order %d, " % number * 100


async def subscribe(user, end):
    await end.wait()
    return user


async def handle(number, end):
    token = CURRENT.set(Request(number))
    user = CURRENT.get().user
    CURRENT.reset(token)
    del token
    SUBSCRIBERS.append(asyncio.ensure_future(subscribe(user, end)))


async def main():
    end = asyncio.Event()
    for number in range(2_000):
        await asyncio.ensure_future(handle(number, end))
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: print("ready", flush=True))
    await loop.run_in_executor(None, sys.stdin.readline)
    end.set()
    print("served users up to", max(await asyncio.gather(*SUBSCRIBERS)))


asyncio.run(main())
