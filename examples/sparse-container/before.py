"""Counts visitors of a night; sessions that have ended are deleted one by one."""

import sys

SESSIONS = {}


def serve():
    for number in range(200_000):
        SESSIONS[number] = number % 60
    for number in range(200_000):
        if number % 100:
            del SESSIONS[number]


def main():
    serve()
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(SESSIONS), "sessions are open")


main()
