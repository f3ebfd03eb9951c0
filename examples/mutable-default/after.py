"""Collects the warnings of a night of jobs, in a list for each."""

import sys


class Warned:
    __slots__ = ("job", "text")

    def __init__(self, job, text):
        self.job = job
        self.text = text


def check(job, warnings=None):
    warnings = [] if warnings is None else warnings
    if job % 2:
        warnings.append(Warned(job, "job %d was late" % job))
    return len(warnings)


def main():
    late = max(check(job) for job in range(20_000))
    print("ready", flush=True)
    sys.stdin.readline()
    print("a job had", late, "warnings")


main()
