"""Prints the numbers of a layout table as the headers of installed CPythons have them.

    python3 layout.py                  of the Python that runs this
    python3 layout.py PYTHON           of another one
    python3 layout.py OLDER NEWER      what changed from one to the other: what a new version file has to say

Each line is a place in `Layout` (src/layout) and a number. Needs gcc (or $CC) and the headers (python3-dev, libpython3-dev).
"""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ASK_INCLUDES = "import sysconfig as s; print(s.get_path('include')); print(s.get_path('platinclude'))"


def candidates():
    """The lines of `fields.txt`: a place, and the C expressions that may give its number, best first."""
    with open(os.path.join(HERE, "fields.txt")) as file:
        for line in file:
            if "=" in line and not line.startswith("#"):
                place, words = line.split("=")
                yield place.strip(), [expression(each.strip()) for each in words.split("|")]


def expression(words):
    if words.startswith("sizeof "):
        return "sizeof(%s)" % words[len("sizeof ") :]
    if words.startswith("value "):
        return words[len("value ") :]
    structure, member = words.rsplit(" ", 1)
    return "offsetof(%s, %s)" % (structure, member)


def numbers(python):
    """The number at each place that the headers of an interpreter know."""
    includes = subprocess.run([python, "-c", ASK_INCLUDES], check=True, capture_output=True, text=True).stdout.split()
    options = ["-w"]
    for include in includes:
        # On Debian `pyconfig.h` sends to the machine's own folder beside this one.
        options += ["-I" + include, "-I" + os.path.join(include, "internal"), "-I" + os.path.dirname(include)]
    lines = [(place, each) for place, expressions in candidates() for each in expressions]
    with tempfile.TemporaryDirectory() as folder:
        text = compile_probe(lines, options, folder)
    found = {}
    for line in text.splitlines():
        place, number = line.split()
        found.setdefault(place, int(number))
    return found


def compile_probe(lines, options, folder):
    """Compiles the probe without the lines that these headers cannot compile, and runs it."""
    with open(os.path.join(HERE, "probe.c")) as file:
        before, after = file.read().split("    /* LINES */\n")
    first = before.count("\n") + 1
    source, program = os.path.join(folder, "probe.c"), os.path.join(folder, "probe")
    compiler = os.environ.get("CC", "gcc")
    for _ in range(5):
        with open(source, "w") as file:
            file.write(before + "".join('    {"%s", (long)(%s)},\n' % line for line in lines) + after)
        command = [compiler, "-fmax-errors=0", *options, source, "-o", program]
        result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
        if result.returncode == 0:
            return subprocess.run([program], check=True, capture_output=True, text=True).stdout
        wrong = {int(number) - first for number in re.findall(r"^\S*probe\.c:(\d+):\S* error", result.stderr, re.M)}
        rest = [line for index, line in enumerate(lines) if index not in wrong]
        if len(rest) == len(lines):
            break
        lines = rest
    sys.exit("the headers cannot be used:\n" + result.stderr[:4000])


def main():
    pythons = sys.argv[1:] or [sys.executable]
    tables = [numbers(python) for python in pythons[-2:]]
    for place, number in tables[-1].items():
        if len(tables) == 1 or tables[0].get(place) != number:
            print(place, number)


if __name__ == "__main__":
    main()
