"""Sends a letter for each order in the background, and never lets go of the tasks."""

import asyncio
import sys

BACKGROUND = set()


async def send(order):
    await asyncio.sleep(0)
    return ("Dear customer,\nyour order %d is on its way.\n" % order) * 10


async def main():
    for order in range(12_000):
        BACKGROUND.add(asyncio.ensure_future(send(order)))
        if order % 1_000 == 0:
            await asyncio.sleep(0)
    await asyncio.wait(BACKGROUND)


loop = asyncio.new_event_loop()
loop.run_until_complete(main())
print("ready", flush=True)
sys.stdin.readline()
