"""Reads the headings of a folder of reports, and closes each file at once."""

import os
import sys
import tempfile


def heading(path):
    with open(path) as file:
        return file.readline()


def main():
    with tempfile.TemporaryDirectory() as folder:
        headings = set()
        for number in range(300):
            path = os.path.join(folder, "report %d.txt" % number)
            with open(path, "w") as report:
                report.write("Report of week %d\n" % (number % 52) + "all is well\n" * 20)
            headings.add(heading(path))
        print("ready", flush=True)
        sys.stdin.readline()
        print(len(headings), "headings")


main()
