
import json, textwrap, tokenize


def numbers(count):
    total = 0
    for number in range(count):
        total += number if number % 3 else -1
        if total < 0:
            total = 0
    return total


def handled(items):
    found = []
    for item in items:
        try:
            value = items[item]
            other, value = value, item
        except (KeyError, IndexError) as error:
            found.append(str(error))
            continue
        finally:
            found.append(item)
        with warnings.catch_warnings():
            found.append((value, other))
    return found


def turns(count):
    for number in range(count):
        sent = yield number
        doubled = [number * 2 for number in range(3)]
        if sent:
            yield from doubled


class Counted:
    def __init__(self, count):
        super().__init__()
        self.count = count

    @property
    def twice(self):
        return self.count * 2


def work():
    numbers(500)
    handled([1, 2, 3, 4])
    handled({1: 2, 2: 3, 5: 6})
    list(turns(20))
    sum(Counted(number).twice for number in range(100))
    long_jumps(3)
    json.dumps(json.loads(json.dumps({"a": [1, 2.5, None], "b": {"c": "d"}}, indent=1)))
    textwrap.fill("many words " * 20, 30)
    never_read(handled.__code__)


# A body so long that jumps over it have arguments of more than a byte.
body = "\n        ".join("value = value + %d if value %% 7 else value - 1" % number for number in range(300))
exec("def long_jumps(value):\n    for round in range(40):\n        %s\n    return value" % body)


def all_code():
    """The code of every function that there is, each once."""
    functions = [each.__code__ for each in gc.get_objects() if isinstance(each, types.FunctionType)]
    return list({id(code): code for code in functions if isinstance(code, types.CodeType)}.values())


WATCHED = [numbers, handled, turns, long_jumps, never_read, Places.behind, accesses, textwrap.TextWrapper._wrap_chunks]
# Only code that runs often is specialised.
for _ in range(60):
    work()
if sys.version_info >= (3, 12):
    events = sys.monitoring.events
    local = [
        events.LINE,
        events.INSTRUCTION,
        events.LINE | events.INSTRUCTION,
        events.PY_START | events.PY_RETURN | events.PY_YIELD | events.CALL | events.JUMP | events.BRANCH,
        events.LINE | events.CALL | events.JUMP | events.BRANCH,
        events.INSTRUCTION | events.CALL | events.BRANCH | events.LINE | events.PY_RETURN,
    ]
    sys.monitoring.use_tool_id(3, "watching")
    for event in range(17):
        try:
            sys.monitoring.register_callback(3, 1 << event, lambda *_: None)
        except ValueError:
            pass
    for number, function in enumerate(WATCHED[1:]):
        sys.monitoring.set_local_events(3, function.__code__, local[number % len(local)])
    for _ in range(20):
        work()
codes = all_code()
say(codes)


def count(codes):
    """How many instructions stand in another one's place, by kind."""
    known = getattr(dis, "_all_opmap", {})
    instrumented = {number for name, number in known.items() if name.startswith("INSTRUMENTED_")}
    plain = set(dis.opmap.values())
    counts = dict.fromkeys(("specialised", "instrumented", "executors"), 0)
    for code in codes:
        raw = code._co_code_adaptive
        for each in dis.get_instructions(code):
            now = raw[each.offset]
            if now in instrumented:
                counts["instrumented"] += 1
            elif now == known.get("ENTER_EXECUTOR"):
                counts["executors"] += 1
            elif now not in plain:
                counts["specialised"] += 1
    return counts


if sys.version_info >= (3, 11):
    for kind, number in count(codes).items():
        print(kind, number)
print("ready", flush=True)
sys.stdin.read()
