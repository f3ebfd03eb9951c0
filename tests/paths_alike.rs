//! Chains that look alike are told once: places in containers, long runs of one step, tasks of one function.

#[path = "paths/asked.rs"]
mod asked;
mod interpreters;
mod profiler;
mod programs;

use asked::{explain, groups, id, number, start, text};
use interpreters::for_each_interpreter;
use programs::Program;
use serde_json::Value;

#[test]
fn what_is_held_alike_is_one_group() {
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        id(&mut target, "make_list(100_000)");
        let rows = |class: &str| -> Vec<(String, u64)> {
            let answer = explain(&target, &format!("--type __main__.{class}"));
            assert!(answer.get("left_out").is_none(), "{answer}");
            let total: u64 = groups(&answer).iter().map(|group| number(group, "count")).sum();
            assert_eq!(answer["found"]["count"], total);
            let row = |group: &Value| (text(group, "path").to_owned(), number(group, "count"));
            groups(&answer).iter().map(row).collect()
        };
        let row = |path: &str, count| (path.to_owned(), count);
        assert_eq!(
            rows("Order"),
            [row("__main__.JOURNAL[…]", 500), row("__main__.SINGLE['order']", 1)]
        );
        assert_eq!(
            rows("Link"),
            [row("__main__.HEAD.next…", 99_999), row("__main__.HEAD", 1)]
        );
        assert_eq!(
            rows("Tree"),
            [row("__main__.ROOT.children…[…]", 126), row("__main__.ROOT", 1)]
        );

        let answer = explain(&target, "--type __main__.Order");
        let journal = &groups(&answer)[0];
        assert_eq!(text(&journal["example"], "path"), "__main__.JOURNAL[0]");
        let dominators = journal["dominators"].as_array().unwrap();
        let list = dominators
            .iter()
            .find(|each| each["path"] == "__main__.JOURNAL")
            .unwrap();
        assert!(number(list, "retained_bytes") > number(journal, "retained_bytes"));
        assert!(number(journal, "retained_bytes") > number(journal, "bytes"));

        // A chain through all of a list is short to read, and as long as it is.
        let answer = explain(&target, "--type __main__.Link --refs --depth 1");
        assert_eq!(number(&answer["found"], "count"), 100_000);
        let order = explain(&target, &format!("--address {} --depth 1", truth["order"]));
        assert_eq!(text(&groups(&order)[0], "path"), "…[3]");
        assert!(target.wait().success());
    });
}

/// Many tasks of one function, dicts whose entries are alike, chains through globals of a large module.
const ALIKE: &str = "
import asyncio
class Row:
    pass
class Region:
    def __init__(self):
        self.rows = [Row()]
class Step:
    pass
REGIONS = {'north': Region(), 'south': Region(), 'west': Region()}
for number in range(70):
    globals()['GLOBAL%d' % number] = number
NESTED = HEAD = None
for number in range(5000):
    NESTED = (NESTED, Step()) if number == 0 else (NESTED,)
LONG = []
for number in range(5000):
    LONG = [LONG]
LONG_END = LONG
while LONG_END:
    LONG_END = LONG_END[0]
LONG_END.append(Step())
del LONG_END
async def work():
    row = Row()
    await asyncio.get_running_loop().create_future()
    return row
async def main():
    tasks = [asyncio.ensure_future(work()) for _ in range(40)]
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(lambda: print('ready', flush=True))
    await asyncio.get_running_loop().run_in_executor(None, input)
    for task in tasks:
        task.cancel()
asyncio.run(main())
";

#[test]
fn what_is_alike_is_told_once() {
    for_each_interpreter(|python| {
        let mut target = Program::start(python.command().args(["-c", ALIKE]));
        let answer = explain(&target, "--type __main__.Row");
        let rows: Vec<(&str, u64)> = groups(&answer)
            .iter()
            .map(|group| (text(group, "path"), number(group, "count")))
            .collect();
        let [(tasks, 40), ("__main__.REGIONS[…].rows[…]", 3)] = rows[..] else {
            panic!("{rows:?}")
        };
        assert!(
            tasks.starts_with("task '…' > work() at ") && tasks.ends_with(" > row"),
            "{tasks}"
        );
        let answer = explain(&target, "--type __main__.Step");
        let mut paths: Vec<&str> = groups(&answer)
            .iter()
            .map(|group| text(&group["example"], "path"))
            .collect();
        paths.sort_unstable();
        assert_eq!(
            paths,
            ["__main__.LONG([0] × 5000)[0]", "__main__.NESTED([0] × 4999)[1]"]
        );
        target.tell("");
        target.wait();
    });
}
