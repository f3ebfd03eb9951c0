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
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")


class Target:
    """The program that is looked at."""

    def __init__(self, python, objects):
        command = [python, str(HERE / "heap.py"), str(objects)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = json.loads(self.process.stdout.readline())

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else None

    def rss(self):
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu(self):
        """Of the program and of what it waited for: the frozen copy is its child. In steps of a clock tick."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / TICK

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def attach(profiler, target, folder):
    """CPU seconds, the same with the program's own share, longest stop in seconds, peak bytes."""
    report = folder / "report.json"
    command = [profiler, "attach", str(target.process.pid), "-d", "0", "--force", "-o", str(report)]
    before = target.cpu()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    seen = json.loads(report.read_text())
    return cpu, cpu + target.cpu() - before, max(seen["capture"]["pauses"]), usage.ru_maxrss * 1024, seen["heap"]["objects"]


def median(values, digits=3):
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def measure(python, profiler, objects, runs, with_guppy):
    cpu, cpu_all, stops, peaks, loops, guppies, forks, gaps = ([] for _ in range(8))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(runs):
            target = Target(python, objects)
            rss = target.rss()
            forks.append(min(target.ask("fork")["seconds"] for _ in range(3)))
            own, everything, stop, peak, found = attach(profiler, target, folder)
            cpu.append(own)
            cpu_all.append(everything)
            stops.append(stop)
            peaks.append(peak / rss)
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
    print(f"  loop in the process, CPU s            {median(loops)}   ratio {median([a / b for a, b in zip(loops, cpu)], 1)}")
    if guppies:
        print(f"  guppy3 heap(), CPU s                  {median(guppies)}   ratio {median([a / b for a, b in zip(guppies, cpu)], 1)}")
    print(f"  longest stop, ms                      {median([1000 * stop for stop in stops], 1)}")
    print(f"  longest gap seen by a thread, ms      {median([1000 * gap for gap in gaps], 1)}")
    print(f"  fork of the program itself, ms        {median([1000 * each for each in forks], 1)}")
    print(f"  profiler's peak / program's resident  {median(peaks, 2)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--profiler", default=str(HERE.parent / "target/release/pymemscope"))
    parser.add_argument("--objects", default="100000,1000000,5000000")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    found = subprocess.run([options.python, "-c", "import guppy"], stderr=subprocess.DEVNULL)
    if found.returncode != 0:
        print(f"guppy3 is not installed for {options.python}: its row is left out", file=sys.stderr)
    for objects in map(int, options.objects.split(",")):
        measure(options.python, options.profiler, objects, options.runs, found.returncode == 0)


main()
