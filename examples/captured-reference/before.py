"""Makes a button for each region, whose label needs one number and keeps the whole table."""

import sys

BUTTONS = []


def load():
    return [(number, "street %d" % number) for number in range(30_000)]


def add_button(region):
    streets = load()

    def label():
        return "%s (%d)" % (region, len(streets))

    BUTTONS.append(label)


def main():
    add_button("north")
    print("ready", flush=True)
    sys.stdin.readline()
    print(", ".join(label() for label in BUTTONS))


main()
