//! Exports of saved heaps: memlab reads them, and finds the retained sizes that stand in the snapshot; Graphviz's language
//! is well formed.

mod interpreters;
mod profiler;
mod targets;

use std::process::{Command, Stdio};
use std::time::Instant;

use interpreters::{all_required, for_each_interpreter, interpreters, provided};
use profiler::{answer, ask};
use pymemscope::capture::folder;
use serde_json::Value;
use targets::{DEADLINE, Target};

/// Prints what memlab finds of each node, in the order of the file: its name, its own size, what it retains.
const ASK_MEMLAB: &str = "
const {utils, analysis} = require('@memlab/core');
(async () => {
  const heap = await utils.getSnapshotFromFile(process.argv[1], {buildNodeIdIndex: true});
  await analysis.preparePathFinder(heap);
  const nodes = [];
  heap.nodes.forEach(node => { nodes.push([node.name, node.self_size, node.retainedSize, node.edge_count]); });
  console.log('\\n' + JSON.stringify(nodes));
})();";

#[test]
fn memlab_agrees_on_every_object() {
    let modules = provided().join("node/node_modules");
    if !modules.is_dir() {
        assert!(!all_required(), "memlab was not provided");
        return;
    }
    for_each_interpreter(|python| {
        let (target, _) = Target::start(python, "saved.py").unwrap();
        let place = tempfile::tempdir().unwrap();
        let (saved, exported) = (place.path().join("heap.pms"), place.path().join("heap.heapsnapshot"));
        ask(&format!("snapshot {} -o {}", target.pid(), saved.display())).done();
        assert!(target.finish().success());
        ask(&format!("export {} -o {}", saved.display(), exported.display())).done();
        let mut node = Command::new("node");
        node.args(["-e", ASK_MEMLAB]).arg(&exported).env("NODE_PATH", &modules);
        let said = answer(&mut node);
        let nodes: Value = serde_json::from_str(said.out.lines().last().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{error}: {said:?}"));
        let nodes = nodes.as_array().unwrap();

        let capture = folder::load(&saved).unwrap();
        let detail = folder::load_detail(&saved, &capture).unwrap();
        // One more is there for the tools' sake.
        assert_eq!(nodes.len(), detail.count() + 1);
        for (number, node) in nodes[..detail.count()].iter().enumerate() {
            let [name, size, retained, edges] = node.as_array().unwrap().as_slice() else {
                panic!("{node}");
            };
            assert_eq!(*size, detail.bytes[number], "{number}: {node}");
            assert_eq!(*retained, detail.retained_bytes[number], "{number}: {node}");
            let own = usize::from(number == 0);
            let weak = detail.weak.iter().filter(|each| each.holder == number as u32).count();
            let expected = detail.references(number as u32).len() + weak + own;
            assert_eq!(*edges, expected, "{number}: {node}");
            if let Some(type_of) = capture.heap.types.get(detail.types[number] as usize) {
                assert_eq!(*name, *type_of.name, "{number}: {node}");
            }
        }
    });
}

#[test]
fn a_drawing_shows_what_retains_most() {
    let (target, _) = Target::start(&interpreters()[0], "saved.py").unwrap();
    let place = tempfile::tempdir().unwrap();
    let saved = place.path().join("heap.pms");
    ask(&format!("snapshot {} -o {}", target.pid(), saved.display())).done();
    let dot = ask(&format!("export {} -f dot", saved.display())).done();
    assert!(dot.starts_with("digraph ") && dot.trim_end().ends_with('}'), "{dot}");
    let boxes = dot.lines().filter(|line| line.contains("retains ")).count();
    let arrows: Vec<&str> = dot.lines().filter(|line| line.contains(" -> ")).collect();
    assert!(
        (10..=61).contains(&boxes) && arrows.len() >= 5 && arrows.len() < boxes,
        "{dot}"
    );
    // Each hangs on one that was drawn before it.
    for arrow in arrows {
        let mut ends = arrow.trim().split(" -> n").map(|end| {
            let digits: String = end
                .trim_start_matches('n')
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse::<u32>().unwrap()
        });
        assert!(ends.next() < ends.next(), "{arrow}");
    }
}

#[test]
fn what_cannot_be_exported_is_said() {
    let place = tempfile::tempdir().unwrap();
    let (error, _) = ask(&format!("export {} -f dot", place.path().display())).refusal(1);
    assert!(error.contains("no snapshot"), "{error}");
    let said = ask(&format!("export {} -f json", place.path().display()));
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = ask(&format!("export {}", place.path().display()));
    assert_eq!(said.code, Some(2), "{said:?}");
}

/// Many objects, so that writing them takes a while.
const MANY: &str = "
import sys
KEPT = [[number] for number in range(400_000)]
print('ready', flush=True)
sys.stdin.readline()
";

#[test]
fn an_export_that_is_ended_early_leaves_no_file() {
    let python = interpreters().last().unwrap();
    let target = Target::spawn(python.command().args(["-c", MANY]));
    assert_eq!(target.line(), "ready\n");
    let place = tempfile::tempdir().unwrap();
    let saved = place.path().join("heap.pms");
    ask(&format!("snapshot {} -o {}", target.pid(), saved.display())).done();
    let folder = place.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let exported = folder.join("heap.heapsnapshot");
    let files = || std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    // What comes second is not begun, and so not written either.
    let second = place.path().join("heap.dot");
    let export = profiler::pymemscope(["export", saved.to_str().unwrap(), "-o", exported.to_str().unwrap()])
        .arg("-o")
        .arg(&second)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The file on its way is there, and has something in it; or it is done already.
    let deadline = Instant::now() + DEADLINE;
    while files().all(|file| file.metadata().is_ok_and(|file| file.len() == 0)) {
        assert!(Instant::now() < deadline, "nothing is written");
        std::thread::yield_now();
    }
    // SAFETY: the process is our child and has not been waited for.
    unsafe { libc::kill(export.id() as i32, libc::SIGTERM) };
    let ended = export.wait_with_output().unwrap();
    let left: Vec<_> = files().collect();
    match ended.status.success() {
        true => assert!(left == [exported] && second.is_file()),
        false => {
            assert!(left.is_empty(), "{left:?}");
            let said = String::from_utf8_lossy(&ended.stderr);
            let unwritten = format!("{}, {}", exported.display(), second.display());
            assert!(
                said.contains("stopped before it was done") && said.contains(&unwritten),
                "{said}"
            );
            assert!(!second.exists());
        }
    }
}
