//! `--redact`: no output shows keys, texts or arguments of the program; names of its code stay.

mod interpreters;
mod profiler;
mod programs;
#[path = "run/running.rs"]
mod running;

use std::fs;

use interpreters::for_each_interpreter;
use profiler::{answer, parse, pymemscope};
use programs::Program;
use serde_json::Value;

/// Keeps data that nobody else is to see under keys, in texts, and in its arguments.
const SECRETIVE: &str = "
import asyncio, sys, threading, types

class Vault:
    def __init__(self):
        self.by_name = {'SECRET of Ann': [b'SECRET' * 20_000], 777_123_777_123: [b'SECRET' * 30_000]}

VAULT = Vault()
setattr(VAULT, 'SECRET of Eve', [b'SECRET' * 40_000])
PLAIN = {'SECRET %d' % number: ['SECRET' * 2_000 for _ in range(8)] for number in range(3)}
MANY = {'SECRET %d' % number: str(number) * 10 for number in range(5_000)}

async def serve():
    rows = [bytes(100_000)]
    # Called when this task waits, and is no longer a call of the thread.
    asyncio.get_running_loop().call_soon(lambda: print('ready', flush=True))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

async def main():
    await asyncio.create_task(serve(), name='SECRET task')

sys.modules['SECRET module'] = types.ModuleType('SECRET module')
sys.modules['SECRET module'].rows = [bytes(200_000)]
STARTED, NEVER = threading.Event(), threading.Event()

def work():
    worked = [bytes(300_000)]
    STARTED.set()
    NEVER.wait()

threading.Thread(target=work, name='SECRET thread', daemon=True).start()
STARTED.wait()
asyncio.run(main())
";

fn paths(report: &Value) -> Vec<&str> {
    let owners = report["owners"].as_array().unwrap().iter();
    owners.map(|owner| owner["path"].as_str().unwrap()).collect()
}

#[test]
fn what_is_data_of_the_program_is_shown_nowhere() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", SECRETIVE, "--password=SECRET"]));
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let look = |more: &[&str]| {
            let pid = program.pid().to_string();
            let words = ["attach", &pid, "-d", "0", "--force", "--top", "1000"];
            let files = ["-o", &place("x.json"), "-o", &place("x.svg")].map(str::to_owned);
            let words = words.iter().map(|word| (*word).to_owned()).chain(files);
            let shown = answer(&mut pymemscope(words.chain(more.iter().map(|word| (*word).to_owned())))).done();
            let read = |name| fs::read_to_string(place(name)).unwrap();
            [shown, read("x.json"), read("x.svg")]
        };
        for told in look(&[]) {
            assert!(told.contains("SECRET") && told.contains("777123777123"), "{told}");
        }
        let outputs = look(&["--redact"]);
        for told in &outputs {
            assert!(!told.contains("SECRET") && !told.contains("777123777123"), "{told}");
            assert!(told.contains("PLAIN") && told.contains("MANY"), "{told}");
        }
        let report = parse(&outputs[1]);
        assert_eq!(report["capture"]["redacted"], true);
        let command = report["process"]["command"].as_array().unwrap();
        assert!(
            command.len() >= 4 && command[1..].iter().all(|word| is_hash(word.as_str().unwrap())),
            "{command:?}"
        );
        // The structure is still there to see.
        let hashed = |before: &str, after: &str| {
            let all = paths(&report);
            let inside = |path: &&&str| {
                let inside = path.strip_prefix(before).and_then(|path| path.strip_suffix(after));
                inside.is_some_and(is_hash)
            };
            let shown = &all[..all.len().min(40)];
            assert!(all.iter().any(|path| inside(&path)), "{before}…{after}: {shown:#?}");
        };
        hashed("__main__.VAULT.by_name[", "][0]");
        hashed("__main__.PLAIN[", "]");
        hashed("task ", " > serve() at <string>:17 > rows");
    });
}

fn is_hash(text: &str) -> bool {
    text.len() == 9
        && text
            .strip_prefix('#')
            .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[test]
fn a_program_that_was_started_is_redacted_too() {
    for_each_interpreter(|python| {
        let code = "KEPT = {'SECRET': [float(number) for number in range(300_000)]}";
        let outcome = running::Running::python(python, &["--redact"], code).end();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
        let text = outcome.report().to_string();
        assert!(
            !text.contains("SECRET") && !outcome.out.contains("SECRET"),
            "{}",
            outcome.out
        );
        let finding = outcome.report()["findings"][0].clone();
        let path = finding["object"]["path"].as_str().unwrap();
        assert!(path.starts_with("__main__.KEPT[#"), "{finding}");
        assert!(finding["summary"].as_str().unwrap().starts_with(path), "{finding}");
    });
}
