"""Threads blocked in calls of every sort, each with its own locals."""

import os
import queue
import select
import socket
import threading
import time

import truth

LOCAL = threading.local()
LOCK = threading.Lock()
LOCK.acquire()
READY = threading.Semaphore(0)
EVENT = threading.Event()
CONDITION = threading.Condition()
QUEUE = queue.Queue()
SIMPLE_QUEUE = queue.SimpleQueue()
SERVER = socket.socket()
SERVER.bind(("127.0.0.1", 0))
SERVER.listen(1)
LEFT, RIGHT = socket.socketpair()
PIPE = os.pipe()
EPOLL = select.epoll()
EPOLL.register(PIPE[0], select.EPOLLIN)


def wait_on_condition():
    with CONDITION:
        CONDITION.wait()


def blocked(call, number):
    LOCAL.values = {"thread": number, "list": [number] * 10}
    kept = {"number": number, "payload": ["local of thread", number]}
    READY.release()
    call()
    return kept


CALLS = [
    LOCK.acquire,
    EVENT.wait,
    wait_on_condition,
    QUEUE.get,
    SIMPLE_QUEUE.get,
    SERVER.accept,
    lambda: LEFT.recv(1),
    lambda: os.read(PIPE[0], 1),
    lambda: select.select([PIPE[0]], [], []),
    lambda: EPOLL.poll(),
    lambda: time.sleep(3600),
    lambda: EVENT.wait(3600),
]
THREADS = [threading.Thread(target=blocked, args=(CALLS[n % len(CALLS)], n), daemon=True) for n in range(24)]
for thread in THREADS:
    thread.start()
for _ in THREADS:
    READY.acquire()

if __name__ == "__main__":
    # Two measurements agree only when all threads have come to rest in their calls.
    truth.hold()
    os._exit(0)
