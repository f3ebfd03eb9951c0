#!/usr/bin/env python3
"""What recording costs a program, on six workloads, in pairs with the same program alone.

    cargo build --release
    python3 benches/record.py [--python PYTHON] [--runs 7]

Each pair is the workload alone and under `pymemscope run -d 0`, which takes no snapshot before its end; what is compared is
the CPU time that the workload measures of itself. `start` is the CPU time of a whole program that does nothing. The
machine's speed drifts, so compare within a pair.
"""

import argparse
import os
import statistics
import subprocess
import sys

from measured import HERE, median, profiler_option
from workloads import WORKLOADS


def alone(command):
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def recorded(profiler, command):
    """The program prints its line first; the report goes to the same place."""
    words = [profiler, "run", "-d", "0", "--", *command]
    return float(subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout.split("\n", 1)[0])


def start(command):
    """The CPU seconds of the children that the command waits for are its own."""
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=7)
    profiler_option(parser)
    asked = parser.parse_args()
    print("| workload | alone, CPU s | recorded | ratio of pairs |\n|---|---|---|---|")
    middle = []
    for name in WORKLOADS:
        command = [asked.python, str(HERE / "workloads.py"), name]
        pairs = [(alone(command), recorded(asked.profiler, command)) for _ in range(asked.runs)]
        ratios = [after / before for before, after in pairs]
        middle.append(statistics.median(ratios))
        before, after = zip(*pairs)
        print(f"| {name} | {median(before)} | {median(after)} | {median(ratios)} |")
    print(f"\nmedian of the workloads: {statistics.median(middle):.3f}, most: {max(middle):.3f}")
    nothing = [asked.python, "-c", "pass"]
    starts = [start(nothing) for _ in range(asked.runs)]
    whole = [start([asked.profiler, "run", "-d", "0", "--", *nothing]) for _ in range(asked.runs)]
    print(f"start: {median(starts)} CPU s alone, {median(whole)} with the profiler and its report")


if __name__ == "__main__":
    main()
