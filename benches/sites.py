#!/usr/bin/env python3
"""How often observed sites are right, and what observing costs, on the programs of `makers.py`.

    cargo build --release
    python3 benches/sites.py [--python PYTHON]... [--programs json,objects] [--seconds 8] [--rate 400] [--no-cost]

Each program runs with `tracemalloc` on, which the profiler is told to leave alone, makes its objects while it is watched,
and is held just before the last snapshot; then it says itself where the objects were made that the collector has tracked.
A row of the first table: how many were made; `likely`: the share of the observed ones that are shown so; `right`: the share
of these on lines that made as many of that type; `overlap`: of the shares of (type, line) that are shown with those that are
true.

The second table has pairs of runs without `tracemalloc`, watched and not watched in turn: the steps a second of the
program's CPU time, watched over not watched, and the CPU time of the profiler between its snapshots over the time that
passed: what a run that takes looks costs more than one that takes none.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from measured import HERE, profiler_option

PROGRAMS = ["json", "objects", "comprehensions", "copies", "generators", "threads", "libraries"]
# Seconds that the first snapshot has, and the last moment before the other one.
FIRST, LAST = 1.5, 0.5


class Maker:
    def __init__(self, python, program, is_traced):
        words = [python, str(HERE / "makers.py"), program, "traced" if is_traced else "plain"]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def ask(self, word):
        self.tell(word)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Watched:
    """A program that worked while it was watched: its report, what it says of its steps, the profiler's CPU seconds."""

    def __init__(self, options, maker, rate):
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            words = ["attach", maker.process.pid, "-d", options.seconds, "--no-tracemalloc", "-o", report]
            if rate:
                words += ["-r", rate]
            process = subprocess.Popen([options.profiler, *map(str, words)], stdout=subprocess.DEVNULL)
            time.sleep(FIRST)
            maker.tell("go")
            time.sleep(options.seconds - FIRST - LAST)
            self.steps = maker.ask("hold")
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                sys.exit(f"the profiler ended with {process.returncode}")
            self.cpu = usage.ru_utime + usage.ru_stime
            self.report = json.loads(report.read_text())


def observed(report):
    """By type and place, how many objects are shown to be made there, and how many of them likely."""
    all_sites, likely = Counter(), Counter()
    for site in report["sites"] or []:
        if site["source"] != "observed":
            continue
        for share in site["types"]:
            key = share["type"], site["file"], site["line"]
            all_sites[key] += share["count"]
            if site["confidence"] == "likely":
                likely[key] += share["count"]
    return all_sites, likely


def ratio(part, whole):
    return f"{part / whole:.3f}" if whole else "-"


def common(some, others):
    return sum(min(count, others[key]) for key, count in some.items())


def accuracy(options, python, program):
    maker = Maker(python, program, is_traced=True)
    watched = Watched(options, maker, options.rate)
    true = Counter({tuple(key): count for *key, count in maker.ask("truth")})
    maker.close()
    shown, likely = observed(watched.report)
    made, seen, sure = true.total(), shown.total(), likely.total()
    scaled = Counter({key: count * made / seen for key, count in shown.items()})
    capture = watched.report["capture"]
    print(f"{program:<16}{made:>9,}{ratio(sure, seen):>9}{ratio(common(likely, true), sure):>9}"
          f"{ratio(common(scaled, true), made):>9}   {capture['stack_samples']} looks, {capture['samples_rejected']} rejected")
    if options.lines:
        for key in sorted(true.keys() | shown.keys(), key=lambda key: -max(true[key], shown[key]))[:options.lines]:
            kind, file, line = key
            print(f"    {kind} {Path(file).name}:{line}: made {true[key]}, shown {shown[key]}, likely {likely[key]}")


def cost(options, python, program):
    speeds, shares = [], []
    for _ in range(options.pairs):
        speed, cpu = {}, {}
        for rate in (0, options.rate):
            maker = Maker(python, program, is_traced=False)
            watched = Watched(options, maker, rate)
            maker.close()
            speed[rate] = watched.steps["steps"] / watched.steps["cpu"]
            cpu[rate] = watched.cpu
        speeds.append(speed[options.rate] / speed[0])
        shares.append((cpu[options.rate] - cpu[0]) / options.seconds)
    print(f"{program:<16}{statistics.median(speeds):>9.3f} of its speed, profiler {statistics.median(shares):.3f} of a core")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append")
    parser.add_argument("--programs", default=",".join(PROGRAMS))
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rate", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--lines", type=int, default=0, help="show so many lines of each program")
    parser.add_argument("--no-cost", action="store_true")
    profiler_option(parser)
    options = parser.parse_args()
    for python in options.python or [sys.executable]:
        print(f"\n{python}\n{'':<16}{'made':>9}{'likely':>9}{'right':>9}{'overlap':>9}")
        for program in options.programs.split(","):
            accuracy(options, python, program)
        if not options.no_cost:
            for program in options.programs.split(","):
                cost(options, python, program)


main()
