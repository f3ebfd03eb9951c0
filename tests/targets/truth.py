"""What a target program knows of its own heap, by type: how many objects, and the sum of sys.getsizeof.

A target builds its data and calls `hold()`. That measures until two measurements agree, prints the truth as one JSON
line, and blocks on standard input. Every byte that comes in asks for one more line; the end of input ends the program.

What is measured must be what is there while the program blocks. So the frame that measures is the frame that blocks,
nothing but numbers and text is kept from one measurement to the next, and all of it is dropped before the read.
"""

import gc
import json
import os
import sys
import types

_MODULE = type.__dict__["__module__"]
_QUALNAME = type.__dict__["__qualname__"]
_MRO = type.__dict__["__mro__"]
# Up to 3.10 a running function is a frame object, that the collector lists and that holds our own temporaries.
_FRAMES_ARE_OBJECTS = sys.version_info < (3, 11)
# The parts of a code object that are kept as such; asking for others makes new objects, and keeps them.
_CODE = ["co_consts", "co_names", "co_filename", "co_name"]
if sys.version_info < (3, 11):
    _CODE += ["co_code", "co_varnames", "co_freevars", "co_cellvars"]
    _CODE += ["co_lnotab"] if sys.version_info < (3, 10) else ["co_linetable"]
else:
    _CODE += ["co_qualname", "co_linetable", "co_exceptiontable"]
# Modules whose types' `__sizeof__` the census reproduces; others of the standard library have some too.
_MEASURED = {
    "builtins", "collections", "array", "itertools", "_io", "_struct", "decimal", "_queue", "xml.etree.ElementTree",
}


def type_name(cls, instance=None):
    """`module.qualname`, asked of `type` itself, so that no metaclass and no class attribute gets a say."""
    try:
        module = _MODULE.__get__(cls)
    except AttributeError:
        module = None
    if isinstance(module, str):
        return "%s.%s" % (module, _QUALNAME.__get__(cls))
    # A class that uses the name for something else: then object's own repr falls back on the name given in C.
    name = object.__repr__(instance)[1:].rpartition(" object at ")[0]
    return name if "." in name else "builtins." + name


def has_own_sizeof(cls):
    """Whether `sys.getsizeof` runs code for instances of this class that the census does not claim to reproduce."""
    for base in _MRO.__get__(cls):
        method = type.__dict__["__dict__"].__get__(base).get("__sizeof__")
        if method is not None:
            if not isinstance(method, (types.MethodDescriptorType, types.WrapperDescriptorType)):
                return True
            owner = method.__objclass__
            return _MODULE.__get__(owner) not in _MEASURED or owner.__name__ == "StgDict"
    return False


def referents(obj):
    """What an object holds, as far as Python code can find out without changing anything."""
    found = gc.get_referents(obj)
    kind = type(obj)
    if kind is types.CodeType:  # no part of the collector's business, but it holds most of the strings
        found += [getattr(obj, name) for name in _CODE]
    elif issubclass(kind, dict):
        found += dict.__iter__(obj)  # the collector is not told of keys that are text
    elif kind is range:
        found += [obj.start, obj.stop, obj.step]
    return found


def all_type_names():
    found = {}
    waiting = [object]
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found[cls] = type_name(cls, cls)
            waiting += type.__subclasses__(cls)
    return set(found.values())


def _add(totals, classes, obj):
    cls = type(obj)
    known = classes.get(cls)
    if known is None:
        name = type_name(cls, obj)
        known = classes[cls] = totals.setdefault(name, [0, 0])
    known[0] += 1
    known[1] += sys.getsizeof(obj)


def describe(objects, left_out):
    """The truth as JSON text. `objects`: all that the collector tracks. `left_out`: the id of the measuring frame."""
    tracked, untracked = {}, {}
    tracked_classes, untracked_classes = {}, {}
    seen = set(map(id, objects))
    seen.add(id(objects))
    for obj in objects:
        _add(tracked, tracked_classes, obj)
    for obj in objects:
        if id(obj) == left_out:
            continue
        waiting = referents(obj)
        while waiting:
            reached = waiting.pop()
            if id(reached) in seen:
                continue
            seen.add(id(reached))
            if not gc.is_tracked(reached):
                _add(untracked, untracked_classes, reached)
                waiting += referents(reached)
    own = set()
    for classes, totals in ((tracked_classes, tracked), (untracked_classes, untracked)):
        for cls, known in classes.items():
            if has_own_sizeof(cls):
                own.update(name for name, total in totals.items() if total is known)
    return json.dumps(
        {
            "python": "%d.%d.%d" % sys.version_info[:3],
            "pid": os.getpid(),
            "tracked": tracked,
            "untracked": untracked,
            "own_sizeof": sorted(own),
            "types": sorted(all_type_names() | set(tracked) | set(untracked)),
        },
        sort_keys=True,
    )


def without_run(objects, marker):
    """Leaves out what exists only while an interpreter runs the source text that called our caller: two frames, the
    function that holds the compiled text, and the compiler's list of the text's names and constants, `marker` among
    them."""
    caller, outer = sys._getframe(1), sys._getframe(2)
    kept = []
    for obj in objects:
        if obj is caller or obj is outer:
            continue
        if type(obj) is types.FunctionType and obj.__code__ is outer.f_code:
            continue
        if type(obj) is list and marker in obj:
            continue
        kept.append(obj)
    return kept


def merge(text, others):
    """One truth for several interpreters. Of untracked objects, which they share, only those of their own classes."""
    whole = json.loads(text)
    for other in json.loads(others):
        for part, wanted in (("tracked", ""), ("untracked", "__main__.")):
            for name, (count, size) in other[part].items():
                if name.startswith(wanted):
                    totals = whole[part].setdefault(name, [0, 0])
                    totals[0] += count
                    totals[1] += size
        for part in ("own_sizeof", "types"):
            whole[part] = sorted(set(whole[part]) | set(other[part]))
    return json.dumps(whole, sort_keys=True)


def hold(freeze=False, others=None):
    """Prints the truth and blocks. Returns when the input ends.

    `freeze` calls gc.freeze() before blocking; `others()` returns what other interpreters of the process
    say, as a JSON list.
    """
    gc.disable()
    me = id(sys._getframe()) if _FRAMES_ARE_OBJECTS else 0
    while True:
        last = text = None
        attempts = 0
        while text is None or text != last:
            last = text
            attempts += 1
            if attempts > 20:
                raise RuntimeError("no two measurements agree")
            beside = others() if others else "[]"
            gc.collect()
            # What a collection or gc.freeze() put into the permanent generation is tracked too, but is not listed.
            gc.unfreeze()
            objects = gc.get_objects()
            text = merge(describe(objects, me), beside)
            objects = beside = None
        # Not by print(): whatever a first call of it leaves behind was not measured.
        text = text.encode() + b"\n"
        while text:
            text = text[os.write(1, text) :]
        text = last = None
        if freeze:
            gc.freeze()
        if not os.read(0, 1):
            return


def skip(reason):
    """Says that this interpreter cannot run this target."""
    print(json.dumps({"skip": reason}), flush=True)
    raise SystemExit
