"""Classes with and without __slots__, metaclasses, and instances in every state that their attributes can be in."""

import abc
import collections
import dataclasses
import enum
import typing

import truth


class Plain:
    def __init__(self, number):
        self.number = number
        self.name = "plain-%d" % number


class Slotted:
    __slots__ = ("left", "right", "unset")

    def __init__(self, number):
        self.left = number
        self.right = [number]


class SlottedChild(Slotted):
    __slots__ = ("more",)


class SlottedThenDict(Slotted):
    pass


class SlottedWithDict:
    __slots__ = ("a", "__dict__")


class SlottedWithWeakref:
    __slots__ = ("a", "__weakref__")


class NoAttributes:
    pass


class EmptySlots:
    __slots__ = ()


class Wide:
    """More attributes than shared keys have room for."""

    def __init__(self, count):
        for index in range(count):
            setattr(self, "attribute_%d" % index, index)


class Meta(type):
    registry = []

    def __new__(mcs, name, bases, namespace, **options):
        cls = super().__new__(mcs, name, bases, namespace)
        mcs.registry.append(cls)
        return cls

    def __call__(cls, *args):
        return super().__call__(*args)


class MetaOfMeta(type):
    pass


class StrangeMeta(type, metaclass=MetaOfMeta):
    __slots__ = ()

    @property
    def __module__(cls):
        return "not.where.it.is"


class WithMeta(metaclass=Meta):
    def __init__(self):
        self.x = 1


class WithStrangeMeta(metaclass=StrangeMeta):
    pass


class Abstract(abc.ABC):
    @abc.abstractmethod
    def work(self):
        ...


class Concrete(Abstract):
    def work(self):
        return 1


class Color(enum.Enum):
    RED = 1
    GREEN = "green"


class Flags(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass
class Record:
    a: int
    b: str = "b"
    c: list = dataclasses.field(default_factory=list)


class Generic(typing.Generic[typing.TypeVar("T")]):
    def __init__(self):
        self.value = 1


Point = collections.namedtuple("Point", "x y")


class Typed(typing.NamedTuple):
    name: str
    value: list


class Diamond(Concrete, Record):
    pass


class Outer:
    class Inner:
        def __init__(self):
            self.a = 1


class Descriptors:
    @property
    def prop(self):
        return 1

    @staticmethod
    def static():
        return 1

    @classmethod
    def klass(cls):
        return 1

    def method(self):
        return 1


def local_class(number):
    class Local:
        value = number

        def __init__(self):
            self.number = number

    return Local


PLAIN = [Plain(number) for number in range(2000)]
MATERIALISED = [Plain(number) for number in range(500)]
for instance in MATERIALISED:
    instance.__dict__
EXTENDED = [Plain(number) for number in range(200)]
for index, instance in enumerate(EXTENDED):
    setattr(instance, "own_%d" % (index % 3), index)
EMPTIED = [Plain(number) for number in range(200)]
for index, instance in enumerate(EMPTIED):
    del instance.name
    if index % 2:
        del instance.number
REPLACED = [Plain(number) for number in range(100)]
for instance in REPLACED:
    instance.__dict__ = {"number": 1, "other": []}
SHARED_DICT = [Plain(number) for number in range(10)]
for instance in SHARED_DICT:
    instance.__dict__ = SHARED_DICT[0].__dict__
NON_STRING = Plain(1)
NON_STRING.__dict__[1] = "one"
KEPT_DICTS = [Plain(number).__dict__ for number in range(100)]
SLOTTED = [Slotted(number) for number in range(2000)]
SLOTTED_CHILDREN = [SlottedChild(number) for number in range(100)]
for instance in SLOTTED_CHILDREN:
    instance.more = SLOTTED
SLOTTED_THEN_DICT = [SlottedThenDict(number) for number in range(100)]
for instance in SLOTTED_THEN_DICT:
    instance.free = 1
WITH_DICT = [SlottedWithDict() for _ in range(10)]
WITH_DICT[0].z = 1
WITH_WEAKREF = [SlottedWithWeakref() for _ in range(10)]
BARE = [NoAttributes() for _ in range(100)] + [EmptySlots() for _ in range(100)] + [object() for _ in range(100)]
WIDE = [Wide(count) for count in (1, 5, 28, 29, 30, 31, 32, 60, 200)]
METAS = [WithMeta() for _ in range(50)] + [WithStrangeMeta() for _ in range(50)]
RECORDS = [Record(number) for number in range(300)] + [Concrete() for _ in range(10)] + [Diamond(1)]
POINTS = [Point(number, number) for number in range(300)] + [Typed("t", []) for _ in range(50)]
GENERICS = [Generic() for _ in range(10)] + [Generic[int], typing.List[int], typing.Optional[str]]
INNER = [Outer.Inner() for _ in range(10)]
LOCALS = [local_class(number) for number in range(50)]
LOCAL_INSTANCES = [cls() for cls in LOCALS]
MADE = [type("Made%d" % number, (Plain,), {"field": number}) for number in range(30)]
# As classes with many type arguments are called: what tells them apart stands at the end.
ARGUMENTS = ", ".join("models.Customer%02d" % number for number in range(14))
LONG_NAMED = [type("Page[%s, models.%s]" % (ARGUMENTS, last), (), {}) for last in ("Invoice", "Receipt")]
LONG_NAMED_INSTANCES = [cls() for cls in LONG_NAMED for _ in range(7)]
BOUND = [instance.__init__ for instance in PLAIN[:100]] + [Descriptors().method, Descriptors.klass, Descriptors.static]
SUPERS = [super(Plain, PLAIN[0]), super(SlottedChild, SLOTTED_CHILDREN[0])]

if __name__ == "__main__":
    truth.hold()
