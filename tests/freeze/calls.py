"""Stands in one system call, over and over, and says for each time what it returned and how long it took.

Usage: calls.py NAME ROUNDS THREADS. Speaks one line `ready`, then one line for each round: the result, and the seconds.
THREADS more threads wait for a lock meanwhile.
"""

import ctypes
import errno
import os
import select
import signal
import socket
import struct
import sys
import threading
import time

LIMIT = 0.4
LIBC = ctypes.CDLL(None, use_errno=True)
NEVER = None


class Timespec(ctypes.Structure):
    _fields_ = [("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long)]


def checked(result):
    """What a C function returned, or the name of its error."""
    return result if result >= 0 else errno.errorcode[ctypes.get_errno()]


def timespec(seconds):
    return ctypes.byref(Timespec(int(seconds), int(seconds % 1 * 1e9)))


def later(action):
    """Has a child process do something a while later; its end sends a SIGCHLD, which nobody here asked for."""
    if os.fork() == 0:
        time.sleep(LIMIT)
        action()
        os._exit(0)


def pair_with_limit(limit):
    ours, theirs = socket.socketpair()
    if limit:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(limit), int(limit % 1 * 1e6)))
    return ours, theirs


def recv(limit, answer):
    ours, theirs = pair_with_limit(limit)
    if answer:
        later(lambda: theirs.send(b"x"))
    buffer = ctypes.create_string_buffer(8)
    return lambda: (checked(LIBC.recv(ours.fileno(), buffer, 8, 0)), theirs)[0]


def accept(limit, answer):
    server = socket.create_server(("127.0.0.1", 0))
    if limit:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(limit), int(limit % 1 * 1e6)))
    if answer:
        later(lambda: socket.create_connection(server.getsockname()).close())

    def call():
        accepted = checked(LIBC.accept(server.fileno(), None, None))
        if isinstance(accepted, str):
            return accepted
        os.close(accepted)
        return "accepted"

    return call


def read():
    reader, writer = os.pipe()
    later(lambda: os.write(writer, b"xy"))
    return lambda: (len(os.read(reader, 8)), writer)[0]


def epoll_wait(limit, answer):
    reader, writer = os.pipe()
    poll = select.epoll()
    poll.register(reader, select.EPOLLIN)
    if answer:
        later(lambda: os.write(writer, b"x"))
    events = ctypes.create_string_buffer(64)
    milliseconds = -1 if limit is NEVER else int(limit * 1000)
    return lambda: checked(LIBC.epoll_wait(poll.fileno(), events, 1, milliseconds))


def poll(limit, answer):
    reader, writer = os.pipe()
    if answer:
        later(lambda: os.write(writer, b"x"))
    descriptors = (ctypes.c_char * 8).from_buffer_copy(struct.pack("ihh", reader, select.POLLIN, 0))
    milliseconds = -1 if limit is NEVER else int(limit * 1000)
    return lambda: checked(LIBC.poll(descriptors, 1, milliseconds))


def select_call(limit, answer):
    reader, writer = os.pipe()
    if answer:
        later(lambda: os.write(writer, b"x"))
    bits = (ctypes.c_ulong * 16)()
    bits[reader // 64] = 1 << reader % 64
    timeval = None if limit is NEVER else (ctypes.c_long * 2)(int(limit), int(limit % 1 * 1e6))
    return lambda: checked(LIBC.select(reader + 1, bits, None, None, timeval))


def futex(limit, answer):
    lock = threading.Lock()
    lock.acquire()
    if answer:
        threading.Timer(LIMIT, lock.release).start()
    return lambda: lock.acquire(timeout=-1 if limit is NEVER else limit)


def sigtimedwait(limit, answer):
    if answer:
        later(lambda: os.kill(os.getppid(), signal.SIGUSR1))
    signals = (ctypes.c_ulong * 16)(1 << signal.SIGUSR1 - 1)
    wait = None if limit is NEVER else timespec(limit)
    return lambda: checked(LIBC.sigtimedwait(signals, None, wait))


def semtimedop(limit, answer):
    semaphore = LIBC.semget(0, 1, 0o600)
    LIBC.semctl(semaphore, 0, 16, 0)
    if answer:
        up = struct.pack("HhH", 0, 1, 0)
        later(lambda: LIBC.semop(semaphore, up, 1))
    down = struct.pack("HhH", 0, -1, 0)
    wait = None if limit is NEVER else timespec(limit)

    def call():
        result = checked(LIBC.semtimedop(semaphore, down, 1, wait))
        LIBC.semctl(semaphore, 0, 0)
        return result or "done"

    return call


def sleep():
    wait = timespec(LIMIT)
    return lambda: checked(LIBC.nanosleep(wait, None))


CALLS = {
    "read": read,
    "recv": lambda: recv(NEVER, True),
    "recv-limit": lambda: recv(LIMIT, False),
    "recv-limit-answered": lambda: recv(10, True),
    "accept": lambda: accept(NEVER, True),
    "accept-limit": lambda: accept(LIMIT, False),
    "poll": lambda: poll(NEVER, True),
    "poll-limit": lambda: poll(LIMIT, False),
    "epoll_wait": lambda: epoll_wait(NEVER, True),
    "epoll_wait-limit": lambda: epoll_wait(LIMIT, False),
    "epoll_wait-limit-answered": lambda: epoll_wait(10, True),
    "select": lambda: select_call(NEVER, True),
    "select-limit": lambda: select_call(LIMIT, False),
    "futex": lambda: futex(NEVER, True),
    "futex-limit": lambda: futex(LIMIT, False),
    "sigtimedwait": lambda: sigtimedwait(NEVER, True),
    "sigtimedwait-limit": lambda: sigtimedwait(LIMIT, False),
    "semtimedop": lambda: semtimedop(NEVER, True),
    "semtimedop-limit": lambda: semtimedop(LIMIT, False),
    "sleep": sleep,
}


def main():
    name, rounds, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    never_released = threading.Lock()
    never_released.acquire()
    for _ in range(threads):
        threading.Thread(target=never_released.acquire, daemon=True).start()
    print("ready", flush=True)
    for _ in range(rounds):
        call = CALLS[name]()
        start = time.monotonic()
        result = call()
        print(result, time.monotonic() - start, flush=True)


main()
