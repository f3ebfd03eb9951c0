#!/usr/bin/env python3
"""What questions about references cost from outside, beside the tools that answer them inside, in one run.

    cargo build --release
    python3 benches/questions.py [--python PYTHON] [--objects 1000000] [--runs 5] [--chain 10000000]

PYTHON (default: the one that runs this) should have guppy3, pympler and objgraph installed; the rows of those that are
missing are left out. Each row is one question, asked of the profiler and of the others in fresh processes with the same
heap: CPU seconds of the whole command and, apart, what the program itself and the frozen copy spent on it; then each
tool's CPU seconds and the ratio to ours. Peak is the profiler's, over the program's resident memory. At the end, the
same commands on a linked list of so many nodes. The machine's speed drifts, so compare within a row.
"""

import argparse
import sys
import tempfile

from measured import Look, Target, has, median, profiler_option, ratios

# The question, the profiler's words for it, and who else answers it: (what is shown, module, request to heap.py).
QUESTIONS = [
    ("what is there", "attach {pid} -d 0 --force -o {folder}/x.json", [
        ("guppy3 heap()", "guppy", "guppy"),
        ("pympler muppy, summary", "pympler", "muppy"),
        ("objgraph growth, 2nd call", "objgraph", "growth"),
    ]),
    ("how much goes with the root", "paths {pid} --address {root:#x} --force -o {folder}/x.json", [
        ("guppy3 domisize", "guppy", "domisize"),
        ("pympler asizeof", "pympler", "asizeof"),
    ]),
    ("who holds this object", "paths {pid} --address {middle:#x} --force -o {folder}/x.json", [
        ("guppy3 shpaths", "guppy", "shpaths"),
        ("objgraph find_backref_chain", "objgraph", "backrefs"),
    ]),
    ("who holds these", "paths {pid} --type {type} --force -o {folder}/x.json", []),
    ("save it", "snapshot {pid} --force -o {folder}/x.pms", []),
]


def look(profiler, words, target, folder):
    said = {name: target.said[name] for name in ("root", "middle", "type")}
    return Look(profiler, target, words.format(pid=target.process.pid, folder=folder, **said).split())


def show(title, looks, rss, others):
    shares, peaks = [each.share for each in looks], [each.peak / rss for each in looks]
    cpu = [each.cpu for each in looks]
    print(f"{title}: {median(cpu)} s, in the program {median(shares)} s, peak {median(peaks, 2)}")
    for name, theirs in others:
        print(f"    {name:<30} {median(theirs)} s   ratio {ratios(theirs, cpu)}")


def compare(options, shape, size, questions):
    target = Target(options.python, size, shape)
    rss = target.rss()
    print(f"\n{shape} of {size:,}, {rss / 2**20:.0f} MiB resident, {options.runs} runs: median (min-max)")
    with tempfile.TemporaryDirectory() as folder:
        for title, words, others in questions:
            looks = [look(options.profiler, words, target, folder) for _ in range(options.runs)]
            show(title, looks, rss, [(name, ask(options, size, request)) for name, request in others])
    target.close()


def ask(options, size, request):
    """Each time in a process of its own: some of them change the heap for good."""
    answers = []
    for _ in range(options.runs):
        target = Target(options.python, size)
        answers.append(target.ask(request)["cpu"])
        target.close()
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    profiler_option(parser)
    parser.add_argument("--objects", default="1000000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--chain", type=int, default=10_000_000)
    options = parser.parse_args()
    there = {module for module in ("guppy", "pympler", "objgraph") if has(options.python, module)}
    questions = [
        (title, words, [(name, request) for name, module, request in others if module in there])
        for title, words, others in QUESTIONS
    ]
    for objects in map(int, options.objects.split(",")):
        compare(options, "units", objects, questions)
    if options.chain:
        compare(options, "chain", options.chain, [(title, words, []) for title, words, _ in questions])


main()
