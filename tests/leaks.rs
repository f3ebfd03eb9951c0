//! Leaks are found wherever they are held, and by the place that holds them.

mod interpreters;
mod profiler;
mod programs;

use interpreters::for_each_interpreter;
use profiler::terminal::OnTerminal;
use profiler::{findings, parse, pymemscope};
use programs::Program;
use serde_json::Value;

/// Grows in many places at once, in one of them up to a bound, and makes other containers anew that have another length each time.
const LEAKING: &str = r#"
import asyncio, collections

class Holder:
    pass

class Slotted:
    __slots__ = ('inner', 'items')

def some(count, start):
    return [(start, number) for number in range(count)]

class Service:
    def __init__(self):
        self.router = Holder()
        self.router.state = Slotted()
        self.router.state.inner = Holder()
        self.router.state.inner.sessions = {number: str(number) for number in range(12_000)}
        self.router.state.items = [[number] for number in range(3)]

    def handle(self, step):
        sessions = self.router.state.inner.sessions
        for number in range(200):
            sessions[len(sessions)] = str(step)

def generate():
    buffered = some(12_000, 0)
    while True:
        buffered.extend(some(200, 1))
        yield len(buffered)

async def consume(queue):
    pending = some(12_000, 0)
    while True:
        pending.extend(some(200, 1))
        # Slower than what comes in.
        queue.extend(some(300, 1))
        for _ in range(100):
            queue.popleft()
        await asyncio.sleep(0.01)

async def steady():
    rows = some(15_000, 0)
    while True:
        await asyncio.sleep(0.01)

async def main():
    service = Service()
    rows = some(12_000, 0)
    backlog = Holder()
    backlog.queue = collections.deque(some(12_000, 0))
    latest = collections.deque(some(12_000, 0), maxlen=10_000_000)
    generator = generate()
    tasks = [asyncio.ensure_future(consume(backlog.queue)), asyncio.ensure_future(steady())]
    users = {name: [[] for _ in range(12_000)] for name in 'abc'}
    step = 0
    while True:
        step += 1
        # Never longer than in a snapshot before.
        scratch = some(max(12_000, 24_000 - step), step)
        if step == 3:
            print('ready', flush=True)
        rows.extend(some(200, step))
        latest.extend(some(200, step))
        for name in 'abc':
            users[name].extend([[step]] * 150)
        service.handle(step)
        next(generator)
        await asyncio.sleep(0.01)

asyncio.run(main())
"#;

fn object_paths(found: &[&Value]) -> Vec<String> {
    let path = |finding: &&Value| finding["object"]["path"].as_str().unwrap().to_owned();
    found.iter().map(path).collect()
}

#[test]
fn containers_that_grow_are_found_wherever_they_are_held() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", LEAKING]));
        let pid = program.pid().to_string();
        let words = ["attach", &pid, "-d", "600", "--interval", "1", "-j"];
        let mut profiler = OnTerminal::start(&mut pymemscope(words));
        // The four before it make the three intervals that a trend in a call takes, however long they are.
        profiler.shows("snapshot 5: freezing");
        profiler.interrupt();
        let report = parse(&profiler.answer().out);
        let found = findings(&report, "growing-container");
        let paths = object_paths(&found);
        for end in [
            "> rows",
            ".router.state.inner.sessions",
            "> buffered",
            "> pending",
            "queue",
        ] {
            let these: Vec<&&Value> = found
                .iter()
                .filter(|finding| finding["object"]["path"].as_str().unwrap().ends_with(end))
                .collect();
            let [finding] = these[..] else {
                panic!("{end}: {paths:#?}")
            };
            assert_eq!(finding["severity"], "warning", "{finding:#}");
            let path = finding["object"]["path"].as_str().unwrap();
            assert!(
                path.starts_with("task 'Task-") && path.contains("() at <string>:"),
                "{path}"
            );
        }
        // Three that are held alike are one cause.
        let users: Vec<&&Value> = found
            .iter()
            .filter(|finding| finding["evidence"].get("others_alike").is_some())
            .collect();
        assert_eq!(users.len(), 1, "{paths:#?}");
        assert_eq!(users[0]["evidence"]["others_alike"], 2, "{:#}", users[0]);
        assert!(
            !paths.iter().any(|path| path.ends_with("scratch")) && paths.len() == 6,
            "{paths:#?}"
        );
    });
}
