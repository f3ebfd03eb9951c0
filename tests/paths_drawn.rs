//! What `paths` draws, which other programs read; and what it refuses.

#[path = "paths/asked.rs"]
mod asked;
mod interpreters;
mod profiler;
mod programs;

use std::fs;
use std::process::Stdio;

use asked::start;
use interpreters::{Interpreter, for_each_interpreter};
use profiler::ask;

/// What Python's own XML reader counts in a drawing: boxes and arrows.
fn boxes_and_arrows(python: &Interpreter, svg: &str) -> String {
    const COUNT: &str = "
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
classes = [each.get('class') for each in root.iter()]
print(classes.count('box'), classes.count('arrow'))";
    let mut child = python
        .command()
        .args(["-c", COUNT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), svg.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

/// Counts the nodes and edges of a file in the DOT language that has one statement on each line.
fn nodes_and_edges(dot: &str) -> String {
    let lines: Vec<&str> = dot.lines().collect();
    let [first, statements @ .., last] = &lines[..] else {
        panic!("{dot}")
    };
    assert_eq!((*first, *last), ("digraph paths {", "}"));
    let (mut nodes, mut edges) = (0, 0);
    for statement in statements {
        let (what, attributes) = statement
            .trim_start()
            .split_once(" [")
            .unwrap_or_else(|| panic!("{statement}"));
        assert!(attributes.ends_with("];"), "{statement}");
        let quotes = attributes.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert!(quotes.is_multiple_of(2), "{statement}");
        let is_node = |name: &str| {
            name.strip_prefix('n')
                .is_some_and(|number| number.parse::<u32>().is_ok())
        };
        match what.split_once(" -> ") {
            Some((from, to)) => {
                assert!(is_node(from) && is_node(to), "{statement}");
                edges += 1;
            }
            None if is_node(what) => nodes += 1,
            None => assert!(["graph", "node", "edge"].contains(&what), "{statement}"),
        }
    }
    format!("{nodes} {edges}")
}

#[test]
fn drawings_are_what_their_readers_read() {
    let folder = tempfile::tempdir().unwrap();
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        let place = |name: &str| folder.path().join(format!("{}-{name}", python.name()));
        for (name, words) in [
            ("journal", "--type __main__.Order".to_owned()),
            ("both", format!("--address {}", truth["both"])),
            ("whole", format!("--address {} --refs", truth["whole"]["id"])),
            ("strings", "--type str".to_owned()),
        ] {
            let (svg, dot) = (place(&format!("{name}.svg")), place(&format!("{name}.dot")));
            let words = format!(
                "paths {} {words} -o {} -o {}",
                target.pid(),
                svg.display(),
                dot.display()
            );
            let shown = ask(&words).done();
            assert!(shown.contains(&format!("Wrote {}", svg.display())), "{shown}");
            let drawn = boxes_and_arrows(python, &fs::read_to_string(svg).unwrap());
            assert_eq!(drawn, nodes_and_edges(&fs::read_to_string(dot).unwrap()), "{name}");
            match name {
                "journal" => assert_eq!(drawn, "5 4"),
                "both" => assert_eq!(drawn, "4 4"),
                _ => assert!(
                    drawn.split(' ').all(|count| count.parse::<u32>().unwrap() > 5),
                    "{drawn}"
                ),
            }
        }
        assert!(target.wait().success());
    });
}

#[test]
fn what_is_not_there_is_refused_in_one_line() {
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        let pid = target.pid();
        let refused = |words: &str, code| ask(&format!("paths {pid} {words}")).refusal(code);
        let (error, hint) = refused("--type __main__.Ordr", 1);
        assert!(error.contains("no objects of type '__main__.Ordr'") && hint.contains("did you mean __main__.Order"));
        let (_, hint) = refused("--type Order", 1);
        assert!(hint.contains("__main__.Order"), "{hint}");
        let (_, hint) = refused("--type zzzzzzzzzzzzzzzz", 1);
        assert!(
            !hint.contains("did you mean") && hint.contains("module.qualname"),
            "{hint}"
        );
        let (error, _) = refused("--address 0x10", 1);
        assert!(error.contains("no object begins at 0x10"), "{error}");
        let (_, hint) = refused(&format!("--address {}", truth["order"].as_u64().unwrap() + 8), 1);
        assert!(hint.contains("it lies within the __main__.Order at"), "{hint}");
        refused("", 2);
        refused("--type a --address 1", 2);
        refused("--type __main__.Order --depth 0", 2);
        refused("--type __main__.Order -o x.txt", 2);
        ask(&format!("paths {pid} --address nowhere")).usage_error();
        assert!(target.wait().success());
    });
}
