//! What suspended calls hold is held by their task, their generator or whoever waits for them, and says in which call.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::{ask, owner, report};
use programs::Program;
use serde_json::Value;

const TASKS: &str = r#"
import asyncio

REGISTRY = set()
SHARED = [bytes(90_000) for _ in range(3)]

class Service:
    def __init__(self):
        self.cache = [bytes(90_000) for _ in range(3)]

async def fetch(service):
    rows = [bytes(90_000) for _ in range(4)]
    shared = SHARED
    await asyncio.sleep(3600)

async def handle(service):
    await fetch(service)

async def agen():
    parts = [bytes(90_000) for _ in range(3)]
    while True:
        yield len(parts)
        await asyncio.sleep(3600)

async def consume():
    async for part in agen():
        pass

async def short():
    return [bytes(90_000) for _ in range(3)]

def lines():
    buffered = [bytes(90_000) for _ in range(3)]
    while True:
        yield len(buffered)

async def main():
    service = Service()
    reader = lines()
    next(reader)
    if hasattr(asyncio.current_task(), 'set_name'):
        asyncio.current_task().set_name('the main one')
    REGISTRY.add(asyncio.create_task(handle(service), name='request 7'))
    REGISTRY.add(asyncio.create_task(consume(), name='consumer'))
    done = asyncio.create_task(short())
    unnamed = asyncio.create_task(handle(service))
    await done
    await asyncio.sleep(0)
    # Called when this task waits, and is no longer a call of the thread.
    asyncio.get_running_loop().call_soon(lambda: print('ready', flush=True))
    await asyncio.get_running_loop().run_in_executor(None, input)

asyncio.run(main())
"#;

/// Of all that keeps much.
fn paths(report: &Value) -> Vec<&str> {
    let owners = report["owners"].as_array().unwrap().iter();
    let large = owners.filter(|owner| owner["bytes"].as_u64() > Some(200_000));
    large.map(|owner| owner["path"].as_str().unwrap()).collect()
}

#[test]
fn tasks_and_the_calls_in_them_are_named() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", TASKS]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        for (path, kind) in [
            (
                "task 'request 7' > handle() at <string>:17 > fetch() at <string>:14 > rows",
                "frame",
            ),
            (
                "task 'the main one' > main() at <string>:51 > reader > lines() at <string>:35 > buffered",
                "frame",
            ),
            ("task 'the main one' > main() at <string>:51 > done.result", "other"),
            ("__main__.SHARED", "module"),
        ] {
            let all = paths(&report);
            assert!(all.contains(&path), "{path}: {all:#?}");
            assert_eq!(owner(&report, path)["kind"], kind, "{path}");
        }
        let all = paths(&report);
        let one = |part: &str, end: &str| {
            let these: Vec<&&str> = all
                .iter()
                .filter(|path| path.contains(part) && path.ends_with(end))
                .collect();
            assert_eq!(these.len(), 1, "{part}: {all:#?}");
        };
        one(
            "task 'consumer' > consume() at <string>:26",
            " > agen() at <string>:23 > parts",
        );
        one("task '", " > service.cache");
        // It was called something by its number when somebody asked for it, and not before.
        one(
            "task 'Task-",
            " > handle() at <string>:17 > fetch() at <string>:14 > rows",
        );
        for owner in report["owners"].as_array().unwrap() {
            assert!(owner["retained_bytes"].as_u64() <= owner["bytes"].as_u64(), "{owner}");
        }
        // Nothing of a task hangs on what will wake it up.
        assert!(
            !all.iter()
                .any(|path| path.contains("_scheduled") || path.contains("callback")),
            "{all:#?}"
        );
    });
}

/// Each of these puts another kind of task in place of the usual one, as programs and libraries do.
const KINDS: [(&str, &str, u32); 4] = [
    (
        "made in Python",
        "asyncio.Task = asyncio.tasks.Task = asyncio.tasks._PyTask",
        8,
    ),
    (
        "derived from one made in Python",
        "class Tagged(asyncio.tasks._PyTask):
    def __init__(self, *words, **options):
        self.lines = lines(); next(self.lines)
        super().__init__(*words, **options)
FACTORY = lambda loop, coro, **options: Tagged(coro, loop=loop, **options)",
        8,
    ),
    (
        "derived from one made in C",
        "class Tagged(asyncio.Task):
    def __init__(self, *words, **options):
        self.lines = lines(); next(self.lines)
        super().__init__(*words, **options)
FACTORY = lambda loop, coro, **options: Tagged(coro, loop=loop, **options)",
        8,
    ),
    ("begun at once", "FACTORY = asyncio.eager_task_factory", 12),
];

const OTHER_TASKS: &str = r#"
import asyncio, types

FACTORY = None

def lines():
    tags = [bytes(90_000) for _ in range(3)]
    while True:
        yield len(tags)

KIND

class Service:
    def __init__(self):
        self.cache = [bytes(90_000) for _ in range(3)]

async def fetch():
    rows = [bytes(90_000) for _ in range(4)]
    await asyncio.sleep(3600)

async def handle(service):
    await fetch()

async def short():
    return [bytes(90_000) for _ in range(3)]

async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(FACTORY)
    kept = [loop.create_task(handle(Service())), loop.create_task(short())]
    kept[0].set_name('request 7')
    await kept[1]
    await asyncio.sleep(0)
    # Called when this task waits, and is no longer a call of the thread.
    loop.call_soon(lambda: print('ready', flush=True))
    await loop.run_in_executor(None, input)

asyncio.run(main())
"#;

#[test]
fn tasks_of_other_kinds_are_roots_as_well() {
    for_each_interpreter(|python| {
        for (kind, code, _) in KINDS.into_iter().filter(|(.., since)| python.minor.1 >= *since) {
            let code = OTHER_TASKS.replace("KIND", code);
            let program = Program::start(python.command().args(["-c", &code]));
            let report = report(&format!("attach {} -d 0", program.pid()));
            let all = paths(&report);
            let one = |parts: &[&str], end: &str| {
                let fits = |path: &&&str| parts.iter().all(|part| path.contains(part)) && path.ends_with(end);
                let these = all.iter().filter(fits).count();
                assert_eq!(these, 1, "{kind}: {parts:?} {end} in {all:#?}");
            };
            let request = "task 'request 7' > handle() at <string>:";
            one(&[request, " > fetch() at <string>:"], " > rows");
            one(&[request], " > service.cache");
            if code.contains("self.lines") {
                one(&["task 'request 7'.lines > lines() at <string>:"], " > tags");
            }
            assert!(!all.iter().any(|path| path.contains("_scheduled")), "{kind}: {all:#?}");

            let words = format!("paths {} --type __main__.Service -j", program.pid());
            let why: Value = serde_json::from_str(&ask(&words).done()).unwrap();
            let path = why["groups"][0]["path"].as_str().unwrap();
            assert!(
                path.starts_with(request) && path.ends_with(" > service"),
                "{kind}: {why:#}"
            );
        }
    });
}
