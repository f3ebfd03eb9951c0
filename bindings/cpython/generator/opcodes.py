"""Prints the instruction set of the CPython that runs this, as `src/versions/opcodes/` has it.

    python3.X opcodes.py > ../src/versions/opcodes/v3_X.rs
    cargo fmt

All of it comes from the modules `opcode` and `dis`. What an instruction does to variables they do not say: that is
written down in `src/bytecode/meaning.rs`.
"""

import dis
import opcode
import sys

NUMBERS = 256


def all_instructions():
    """Names of all real instructions, specialised and instrumented forms included, by number."""
    known = getattr(dis, "_all_opmap", opcode.opmap)
    return {number: name for name, number in known.items() if number < NUMBERS}


def caches_of(number):
    """The inline cache entries that stand behind an instruction, in code units."""
    entries = getattr(opcode, "_inline_cache_entries", {})
    if isinstance(entries, list):
        return entries[number]
    return entries.get(opcode.opname[number], 0)


def jump_of(number, name):
    if number in opcode.hasjabs:
        return "Absolute"
    if number not in opcode.hasjrel:
        return "None"
    return "Backward" if "BACKWARD" in name else "Forward"


def main():
    version = "%d.%d" % sys.version_info[:2]
    forms = getattr(dis, "deoptmap", {})
    base, specialised = [], []
    for number, name in sorted(all_instructions().items()):
        if name in forms:
            specialised.append((number, opcode.opmap[forms[name]]))
        else:
            jump = jump_of(number, name) if number == opcode.opmap.get(name) else "None"
            caches = caches_of(number) if number == opcode.opmap.get(name) else 0
            base.append('(%d, "%s", %d, Jump::%s),' % (number, name, caches, jump))
    print("//! The instructions of CPython %s, as its own `opcode` module has them: written by `generator/opcodes.py`.\n" % version)
    print("use crate::bytecode::opcodes::{Jump, Opcodes};\n")
    print("pub const OPCODES: Opcodes = Opcodes {")
    print("jump_unit: %d," % (2 if sys.version_info >= (3, 10) else 1))
    print("plain: &[")
    print("\n".join(base))
    print("],")
    print("specialised: &[%s]," % ", ".join("(%d, %d)" % pair for pair in specialised))
    print("};")


if __name__ == "__main__":
    main()
