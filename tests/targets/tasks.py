"""An asyncio program in the middle of its work: tasks waiting, tasks done and kept, futures, queues, locks."""

import asyncio
import contextvars
import threading

import truth

REQUEST = contextvars.ContextVar("request")


class Session:
    def __init__(self, number):
        self.number = number
        self.log = []


async def sleeper(session):
    REQUEST.set(session)
    session.log.append("begun")
    await asyncio.sleep(3600)


async def waiter(future, session):
    try:
        return await future
    finally:
        session.log.append("over")


async def consumer(queue):
    while True:
        item = await queue.get()
        queue.task_done()


async def quick(number):
    return {"result": [number] * 10}


async def failing(number):
    raise LookupError(number)


async def locker(lock):
    async with lock:
        await asyncio.sleep(3600)


async def ticks():
    number = 0
    while True:
        yield number
        number += 1
        await asyncio.sleep(3600)


async def iterate():
    async for number in ticks():
        pass


async def main():
    loop = asyncio.get_running_loop()
    kept = {"futures": [loop.create_future() for _ in range(50)], "sessions": [Session(n) for n in range(100)]}
    kept["futures"][0].set_result([1])
    kept["futures"][1].add_done_callback(lambda future, kept=[1]: kept)
    kept["futures"][2].add_done_callback(print)
    kept["futures"][2].add_done_callback(len)
    kept["futures"][3].cancel()
    queue, lock, event = asyncio.Queue(), asyncio.Lock(), asyncio.Event()
    waiting = [asyncio.ensure_future(sleeper(session)) for session in kept["sessions"]]
    waiting += [asyncio.ensure_future(waiter(future, session)) for future, session in zip(kept["futures"][4:], kept["sessions"])]
    waiting += [asyncio.ensure_future(consumer(queue)) for _ in range(5)]
    waiting += [asyncio.ensure_future(locker(lock)) for _ in range(5)]
    waiting += [asyncio.ensure_future(iterate()), asyncio.ensure_future(event.wait())]
    waiting += [asyncio.gather(*(sleeper(session) for session in kept["sessions"][:5]))]
    waiting += [asyncio.ensure_future(asyncio.wait_for(sleeper(Session(-1)), 3600))]
    waiting += [asyncio.shield(asyncio.ensure_future(sleeper(Session(-2))))]
    done = [asyncio.ensure_future(quick(number)) for number in range(100)]
    failed = [asyncio.ensure_future(failing(number)) for number in range(10)]
    # Not by asyncio.gather: what it leaves behind sends the collector of 3.12.1 round in circles for ever.
    while not all(task.done() for task in done + failed):
        await asyncio.sleep(0)
    for task in failed:
        task.exception()
    for number in range(20):
        queue.put_nowait([number])
    for _ in range(10):
        await asyncio.sleep(0)
    kept["timers"] = [loop.call_later(3600, print, number, [number]) for number in range(20)]
    # Blocks the whole loop, as a slow callback would: every other task stands where it waits.
    truth.hold()
    import os

    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
