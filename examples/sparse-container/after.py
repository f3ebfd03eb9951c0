"""Counts visitors of a night; the sessions that are still open are copied when most have ended."""

import sys

SESSIONS = {}


def serve():
    global SESSIONS
    for number in range(200_000):
        SESSIONS[number] = number % 60
    SESSIONS = {number: minute for number, minute in SESSIONS.items() if number % 100 == 0}


def main():
    serve()
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(SESSIONS), "sessions are open")


main()
