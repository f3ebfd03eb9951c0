//! Patterns of what is held more often, or longer, than it has to be: copies.

#[path = "patterns/examples.rs"]
mod examples;
mod interpreters;
mod profiler;
mod programs;

use examples::{Expected, assert_comes_true};
use interpreters::for_each_interpreter;
use profiler::{findings, report};
use programs::Program;
use serde_json::Value;

#[test]
fn needless_copy() {
    assert_comes_true(&Expected {
        rule: "needless-copy",
        path: "__main__.ARTICLES",
        type_name: "builtins.list",
        location: None,
        confidence: "certain",
    });
}

/// Copies of every kind, and contents that are equal without being copies.
const COPIES: &str = r#"
import collections, copy, sys

class Node:
    def __init__(self, number):
        self.name = 'node %d' % number
        self.links = [number * 1000 + 7, 'link %d' % number, {'weight': number + 0.5}]

class Holder:
    pass

PRICES = {'price %d' % number: number + 0.5 for number in range(40_000)}
SEEN = {'visitor %d' % number for number in range(40_000)}
RECENT = collections.deque(str(number) for number in range(80_000))
TREE = [Node(number) for number in range(5_000)]

HOLDER = Holder()
HOLDER.prices = dict(PRICES)
HOLDER.seen = set(SEEN)
HOLDER.recent = collections.deque(RECENT)
HOLDER.tree = copy.deepcopy(TREE)

ZEROS = [[0] * 300_000 for _ in range(2)]
NAMES = [['name %d' % number for number in range(100_000)] for _ in range(2)]
NEW = [[{'state': 'new', 'count': 0} for _ in range(5_000)] for _ in range(2)]
CHANGED = [dict(PRICES, number=number) for number in range(2)]
print('ready', flush=True)
sys.stdin.readline()
"#;

#[test]
fn copies_are_told_from_what_is_equal() {
    for_each_interpreter(|python| {
        let program = Program::start(python.command().args(["-c", COPIES]));
        let report = report(&format!("attach {} -d 0", program.pid()));
        let found = findings(&report, "needless-copy");
        let text = |finding: &Value, place: &str| finding.pointer(place).and_then(Value::as_str).map(str::to_owned);
        let mut of_path = Vec::new();
        for finding in found {
            let paths = text(finding, "/evidence/paths").unwrap_or_default();
            assert!(paths.contains("__main__.HOLDER."), "{finding:#}");
            assert_eq!(finding["evidence"]["containers"], 2, "{finding:#}");
            of_path.push((text(finding, "/object/path"), text(finding, "/confidence")));
        }
        of_path.sort_unstable();
        let expected = [
            ("__main__.PRICES", "certain"),
            ("__main__.RECENT", "certain"),
            ("__main__.SEEN", "certain"),
            ("__main__.TREE", "likely"),
        ]
        .map(|(path, confidence)| (Some(path.to_owned()), Some(confidence.to_owned())));
        assert_eq!(of_path, expected, "{:#}", report["findings"]);
    });
}
