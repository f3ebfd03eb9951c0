#!/usr/bin/env python3
"""What recording costs a program, on eight workloads, in pairs with the same program alone.

    cargo build --release
    python3 benches/record.py [--python PYTHON] [--runs 7] [--only NAME ...] [--peers]

Each round is the workload alone, under `pymemscope run -d 0`, which takes no snapshot before its end, and under
`run --every -d 0`; what is compared is the CPU time that the workload measures of itself. `start` is the CPU time of a whole
program that does nothing. The machine's speed drifts, so compare within a round.

With --peers, `tracemalloc`, `memray`, `scalene` and `fil-profile` take part in the same rounds, as far as pip can install
them for this Python, into an environment that goes at the end.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import HERE, median, profiler_option
from workloads import WORKLOADS

SCRIPT = str(HERE / "workloads.py")


def cpu(command, **environment):
    """What the workload prints of itself; reports go to the same place, before or after it."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    for line in done.stdout.splitlines():
        with contextlib.suppress(ValueError):
            return float(line)
    raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-300:]}")


def own_ways(python, profiler):
    """How a workload is run, by name: alone first, and under the profiler."""
    run = [profiler, "run", "-d", "0"]
    return {
        "alone": lambda name: cpu([python, SCRIPT, name]),
        "recorded": lambda name: cpu([*run, "--", python, SCRIPT, name]),
        "--every": lambda name: cpu([*run, "--every", "--", python, SCRIPT, name]),
    }


def peer_ways(python, folder):
    """The same under other tools, those that can be installed; what cannot be is said."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    own = str(Path(folder, "bin", "python"))
    output = str(Path(folder, "output"))
    memray = [own, "-m", "memray", "run", "-q", "-f", "-o", output]
    scalene = [own, "-m", "scalene", "run", "-o", output, SCRIPT]
    peers = {
        "memray": ("memray", lambda name: cpu([*memray, SCRIPT, name])),
        "memray --trace-python-allocators": (
            "memray",
            lambda name: cpu([*memray, "--trace-python-allocators", SCRIPT, name]),
        ),
        "scalene": ("scalene", lambda name: cpu([*scalene, name])),
        "fil-profile": (
            "filprofiler",
            lambda name: cpu([str(Path(folder, "bin", "fil-profile")), "-o", output, "--no-browser", "run", SCRIPT, name]),
        ),
    }
    ways = {"tracemalloc": lambda name: cpu([python, SCRIPT, name], PYTHONTRACEMALLOC="1")}
    for package in dict.fromkeys(package for package, _ in peers.values()):
        if subprocess.run([own, "-m", "pip", "install", "-q", package], stderr=subprocess.DEVNULL).returncode != 0:
            print(f"{package} cannot be installed for {python}: it is left out", file=sys.stderr)
            peers = {name: peer for name, peer in peers.items() if peer[0] != package}
    return {**ways, **{name: way for name, (_, way) in peers.items()}}


def rounds(ways, name, runs):
    """The CPU seconds of each way, by round; a way that fails is said and left out."""
    seconds = {way: [] for way in ways}
    for _ in range(runs):
        for way, work in ways.items():
            try:
                seconds[way].append(work(name))
            except RuntimeError as failure:
                print(failure, file=sys.stderr)
    return {way: found for way, found in seconds.items() if len(found) == runs}


def start(command):
    """The CPU seconds of the children that the command waits for are its own."""
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def compare(ways, names, runs):
    print("| workload | alone, CPU s | " + " | ".join(f"{way}, ratio" for way in list(ways)[1:]) + " |")
    print("|---|" + "---|" * len(ways))
    middle = {way: [] for way in ways}
    for name in names:
        seconds = rounds(ways, name, runs)
        cells = [median(seconds["alone"])]
        for way in list(ways)[1:]:
            ratios = [after / before for before, after in zip(seconds["alone"], seconds.get(way, []))]
            cells.append(median(ratios, 2) if ratios else "failed")
            middle[way] += [statistics.median(ratios)] if ratios else []
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    for way, found in middle.items():
        if found:
            print(f"\n{way}: median of the workloads {statistics.median(found):.3f}, most {max(found):.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS), metavar="NAME")
    parser.add_argument("--peers", action="store_true")
    profiler_option(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ways = own_ways(asked.python, asked.profiler)
        if asked.peers:
            ways.update(peer_ways(asked.python, folder))
        compare(ways, asked.only, asked.runs)
    nothing = [asked.python, "-c", "pass"]
    starts = [start(nothing) for _ in range(asked.runs)]
    whole = [start([asked.profiler, "run", "-d", "0", "--", *nothing]) for _ in range(asked.runs)]
    print(f"start: {median(starts)} CPU s alone, {median(whole)} with the profiler and its report")


if __name__ == "__main__":
    main()
