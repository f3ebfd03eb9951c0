"""Sends a letter for each order in the background, and lets go of each task when it is done."""

import asyncio
import sys

BACKGROUND = set()


async def send(order):
    await asyncio.sleep(0)
    return ("Dear customer,\nyour order %d is on its way.\n" % order) * 10


async def main():
    for order in range(12_000):
        task = asyncio.ensure_future(send(order))
        BACKGROUND.add(task)
        task.add_done_callback(BACKGROUND.discard)
        if order % 1_000 == 0:
            await asyncio.sleep(0)
    while BACKGROUND:
        await asyncio.sleep(0)


loop = asyncio.new_event_loop()
loop.run_until_complete(main())
print("ready", flush=True)
sys.stdin.readline()
