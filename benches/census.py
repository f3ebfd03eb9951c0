#!/usr/bin/env python3
"""What a census from outside costs, beside what it is compared with, in one run.

    cargo build --release
    python3 benches/census.py [--python PYTHON] [--objects 100000,1000000,5000000] [--runs 5]

PYTHON (default: the one that runs this) should have guppy3 installed; without it that column is left out. For each size,
in turn and in each run: the CPU time of `pymemscope attach PID -d 0 -o FILE.json`, its helper and the frozen copy's
included; the CPU time of guppy3's `heap()` and of a plain loop over `gc.get_objects()`, each in a fresh process with the
same heap; the program's longest stop, as the report states it and as a thread of the program sees it, and what a fork of
that process itself costs; the profiler's peak memory. The machine's speed drifts, so compare within a row.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measured import TICK, Look, Target, has, median, profiler_option, ratios


def attach(profiler, target, folder):
    """The look, the longest stop in seconds, and how many objects there are."""
    report = folder / "report.json"
    look = Look(profiler, target, ["attach", target.process.pid, "-d", 0, "--force", "-o", report])
    seen = json.loads(report.read_text())
    return look, max(seen["capture"]["pauses"]), seen["heap"]["objects"]


def measure(python, profiler, objects, runs, with_guppy):
    cpu, cpu_all, stops, peaks, loops, guppies, forks, gaps = ([] for _ in range(8))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(runs):
            target = Target(python, objects)
            rss = target.rss()
            forks.append(min(target.ask("fork")["seconds"] for _ in range(3)))
            look, stop, found = attach(profiler, target, folder)
            cpu.append(look.cpu)
            cpu_all.append(look.cpu + look.share)
            stops.append(stop)
            peaks.append(look.peak / rss)
            target.ask("watch")
            attach(profiler, target, folder)
            gaps.append(target.ask("gap")["seconds"])
            loops.append(target.ask("census")["cpu"])
            target.close()
            if with_guppy:
                target = Target(python, objects)
                guppies.append(target.ask("guppy")["cpu"])
                target.close()
    print(f"\n{objects:,} objects asked for, {found:,} found, {rss / 2**20:.0f} MiB resident, {runs} runs: median (min-max)")
    print(f"  pymemscope, CPU s                     {median(cpu)}")
    print(f"  the same with the program's share     {median(cpu_all)}  (in clock ticks of {1000 / TICK:.0f} ms)")
    print(f"  loop in the process, CPU s            {median(loops)}   ratio {ratios(loops, cpu)}")
    if guppies:
        print(f"  guppy3 heap(), CPU s                  {median(guppies)}   ratio {ratios(guppies, cpu)}")
    print(f"  longest stop, ms                      {median([1000 * stop for stop in stops], 1)}")
    print(f"  longest gap seen by a thread, ms      {median([1000 * gap for gap in gaps], 1)}")
    print(f"  fork of the program itself, ms        {median([1000 * each for each in forks], 1)}")
    print(f"  profiler's peak / program's resident  {median(peaks, 2)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    profiler_option(parser)
    parser.add_argument("--objects", default="100000,1000000,5000000")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with_guppy = has(options.python, "guppy")
    for objects in map(int, options.objects.split(",")):
        measure(options.python, options.profiler, objects, options.runs, with_guppy)


main()
