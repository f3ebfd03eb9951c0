"""Says of many code objects which local variables are never read again, as `dis` and plain sets of names have it.

A line for each code object: its address, the addresses of its variables' names, and for each instruction that can be
reached its offset with the variables that are never read from there, as the bits of a hexadecimal number.
"""

import ctypes, dis, gc, os, re, sys, sysconfig, types, warnings

if sys.version_info >= (3, 14) and "PYTHON_JIT" not in os.environ:
    # Only then are there executors to enter.
    os.execve(sys.orig_argv[0], sys.orig_argv, {**os.environ, "PYTHON_JIT": "1"})

READ_ALL = {"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe"}
ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"}
ALWAYS = {"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
JUMPS = set(dis.hasjrel) | set(dis.hasjabs)


def accesses(instruction):
    """Pairs of what is done and to which variable: `LOAD_FAST_LOAD_FAST` has two."""
    name = instruction.opname
    if name == "LOAD_FAST_AND_CLEAR":
        return [("LOAD", instruction.argval), ("STORE", instruction.argval)]
    verbs = re.findall("(LOAD|STORE|DELETE)_FAST", name)
    variables = instruction.argval if isinstance(instruction.argval, tuple) else [instruction.argval]
    return list(zip(verbs, variables))


class Places:
    """The ways through a code object. A place is an offset and what the interpreter would have on its stack of blocks."""

    def __init__(self, code):
        self.code = code
        # Inline caches belong to their instruction.
        self.instructions = [each for each in dis.get_instructions(code) if each.opname != "CACHE"]
        self.by_offset = {each.offset: number for number, each in enumerate(self.instructions)}
        self.entries = dis._parse_exception_table(code) if hasattr(dis, "_parse_exception_table") else None
        self.next, self.handler = {}, {}
        open_places = [(0, ())]
        while open_places:
            place = open_places.pop()
            if place not in self.next:
                self.next[place] = self.behind(*place)
                self.handler[place] = self.raised(*place)
                open_places += self.next[place]
                open_places += [self.handler[place]] if self.handler[place] else []

    def behind(self, offset, blocks):
        number = self.by_offset[offset]
        instruction = self.instructions[number]
        name, target = instruction.opname, instruction.argval
        next = self.instructions[number + 1].offset if number + 1 < len(self.instructions) else None
        if name in ENDS:
            return []
        if name in ALWAYS:
            return [(target, blocks)]
        if self.entries is None:
            stepped = self.with_blocks(name, target, next, blocks)
            if stepped is not None:
                return stepped
        elif name == "END_ASYNC_FOR":
            return [(next, blocks)]
        if instruction.opcode in JUMPS:
            return [(next, blocks), (target, blocks)]
        return [(next, blocks)]

    def with_blocks(self, name, target, next, blocks):
        """What `ceval.c` does up to 3.10."""
        if name in ("SETUP_FINALLY", "SETUP_WITH", "SETUP_ASYNC_WITH"):
            return [(next, blocks + (("handler", target),))]
        if name == "BEGIN_FINALLY":
            return [(next, blocks + (("null",),))]
        if name == "CALL_FINALLY":
            return [(target, blocks + (("return", next),))]
        if name == "POP_BLOCK":
            assert blocks[-1][0] == "handler"
            return [(next, blocks[:-1])]
        if name in ("POP_EXCEPT", "END_ASYNC_FOR"):
            assert blocks[-1][0] == "exception"
            return [(next, blocks[:-1])]
        if name == "POP_FINALLY":
            assert blocks[-1][0] != "handler"
            return [(next, blocks[:-1])]
        if name == "END_FINALLY":
            kind = blocks[-1]
            if kind[0] == "exception":
                return []
            return [(kind[1] if kind[0] == "return" else next, blocks[:-1])]
        if name == "WITH_CLEANUP_FINISH" and blocks[-1][0] == "exception":
            return [(next, blocks), (next, blocks[:-1] + (("null",),))]

    def raised(self, offset, blocks):
        if self.entries is not None:
            for entry in self.entries:
                if entry.start <= offset < entry.end:
                    return entry.target, ()
            return None
        while blocks:
            *below, top = blocks
            blocks = tuple(below)
            if top[0] == "handler":
                return top[1], blocks + (("exception",),)


def never_read(code):
    """By offset the variables that are never read from there, as bits in the order of `co_varnames`."""
    places = Places(code)
    bits = {name: 1 << number for number, name in enumerate(code.co_varnames)}
    done = {}
    for each in places.instructions:
        keep, add = -1, 0
        for verb, name in reversed(accesses(each)):
            bit = bits.get(name, 0)
            keep, add = (keep, add | bit) if verb == "LOAD" else (keep & ~bit, add & ~bit)
        done[each.offset] = keep, add
    live = dict.fromkeys(places.next, 0)
    order = sorted(live, reverse=True)
    changed = True
    while changed:
        changed = False
        for place in order:
            here = 0
            for next in places.next[place]:
                here |= live[next]
            keep, add = done[place[0]]
            here = here & keep | add
            handler = places.handler[place]
            if handler is not None:
                here |= live[handler]
            if here != live[place]:
                live[place] = here
                changed = True
    always = 0
    if READ_ALL & set(code.co_names):
        always = -1
    if "super" in code.co_names:
        always |= 1
    for name in code.co_cellvars:
        always |= bits.get(name, 0)
    everything = (1 << len(code.co_varnames)) - 1
    before, at = {}, {}
    for place, here in live.items():
        before[place[0]] = before.get(place[0], 0) | here
        for next in places.next[place]:
            here |= live[next]
        at[place[0]] = at.get(place[0], 0) | here
    for previous, each in zip(places.instructions, places.instructions[1:]):
        if previous.opname == "YIELD_VALUE" and each.offset in at:
            at[each.offset] |= before.get(previous.offset, 0)
    return {offset: everything & ~(here | always) for offset, here in at.items()}


def inside(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from inside(constant)


def standard_library(part, parts):
    """Every code object of the standard library's files; of many parts one."""
    top = sysconfig.get_path("stdlib")
    number = 0
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(each for each in folders if each not in ("site-packages", "dist-packages", "lib2to3", "test", "tests"))
        for file in sorted(files):
            if file.endswith(".py"):
                number += 1
                if number % parts == part:
                    yield from of_file(os.path.join(folder, file))


def of_file(path):
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        # A link to nowhere, or a file with mistakes for tests.
        return
    yield from inside(code)


def line(code):
    said = never_read(code)
    names = ",".join("%x" % id(name) for name in code.co_varnames)
    places = " ".join("%x:%x" % each for each in sorted(said.items()))
    return "code:%x %s %s" % (id(code), names or "-", places)


def place(name):
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))


def say(codes):
    """Writes the lines, with where the runtime is."""
    print("_PyRuntime", place("_PyRuntime"))
    if sys.version_info >= (3, 11):
        print("Py_Version", place("Py_Version"))
    for code in codes:
        print(line(code))


warnings.simplefilter("ignore")
