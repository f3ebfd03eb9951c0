"""Weak references of every kind: plain, with callbacks, proxies, in weak containers, to objects that are gone."""

import weakref

import truth


class Thing:
    def __init__(self, number):
        self.number = number
        self.self = self

    def method(self):
        return self.number


class Slotted:
    __slots__ = ("value", "__weakref__")


class Reference(weakref.ref):
    __slots__ = ("extra",)


LOG = []


def forget(reference):
    LOG.append(1)


THINGS = [Thing(number) for number in range(1000)]
SLOTTED = [Slotted() for _ in range(100)]
PLAIN = [weakref.ref(thing) for thing in THINGS]
CALLBACKS = [weakref.ref(thing, forget) for thing in THINGS]
CLOSURES = [weakref.ref(thing, lambda _, kept=[1]: kept) for thing in THINGS[:100]]
PROXIES = [weakref.proxy(thing) for thing in THINGS[:500]]
CALLABLE = [weakref.proxy(thing.method.__func__) for thing in THINGS[:5]]
SUBCLASSED = [Reference(thing) for thing in THINGS[:50]]
for number, reference in enumerate(SUBCLASSED):
    reference.extra = [number]
METHODS = [weakref.WeakMethod(thing.method) for thing in THINGS[:50]]
TO_SLOTTED = [weakref.ref(thing) for thing in SLOTTED]
DEAD = [weakref.ref(Thing(number)) for number in range(200)]
SET = weakref.WeakSet(THINGS)
VALUES = weakref.WeakValueDictionary((number, thing) for number, thing in enumerate(THINGS))
KEYS = weakref.WeakKeyDictionary((thing, [number]) for number, thing in enumerate(THINGS))
FINALIZERS = [weakref.finalize(thing, forget, None) for thing in THINGS[:20]]
del THINGS[900:]

if __name__ == "__main__":
    truth.hold()
