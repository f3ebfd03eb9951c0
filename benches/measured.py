"""What the benchmarks share: the program that is looked at, and what a look of the profiler costs."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")


class Target:
    """The program that is looked at."""

    def __init__(self, python, *arguments):
        command = [python, str(HERE / "heap.py"), *map(str, arguments)]
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


class Look:
    """One command of the profiler: `cpu` seconds of its own, `share` of the program and the frozen copy, `peak` bytes."""

    def __init__(self, profiler, target, words):
        command = [profiler, *map(str, words)]
        before = target.cpu()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}")
        self.cpu = usage.ru_utime + usage.ru_stime
        self.share = target.cpu() - before
        self.peak = usage.ru_maxrss * 1024


def median(values, digits=3):
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def ratios(dividends, divisors):
    return median([a / b for a, b in zip(dividends, divisors)], 1)


def profiler_option(parser):
    parser.add_argument("--profiler", default=str(HERE.parent / "target/release/pymemscope"))


def has(python, module):
    found = subprocess.run([python, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0
    if not found:
        print(f"{module} is not installed for {python}: its rows are left out", file=sys.stderr)
    return found
