//! A saved heap answers what the living one answers, and folders that cannot answer are refused by name.

#[path = "paths/asked.rs"]
mod asked;
mod interpreters;
mod profiler;
mod programs;

use std::path::Path;

use asked::{explain, explain_heap, groups, hex, id, start, text};
use interpreters::{for_each_interpreter, interpreters};
use profiler::ask;
use programs::Program;
use serde_json::Value;

/// What is asked of every saved heap: ways of holding, much that is alike, and kinds of objects that there are many of.
const TYPES: &[&str] = &[
    "__main__.Order",
    "__main__.Link",
    "__main__.Tree",
    "__main__.InSlot",
    "__main__.InDict",
    "__main__.InClosure",
    "__main__.InSharedList",
    "__main__.InDefault",
    "__main__.OfClass",
    "__main__.InGenerator",
    "__main__.InCoroutine",
    "__main__.InLocal",
    "__main__.Lost",
    "dict",
    "function",
    "module",
];

/// Without what is said of the process and of the way in which its heap was come by.
fn answer(whose: &str, words: &str) -> Value {
    let mut answer = explain_heap(whose, words);
    let fields = answer.as_object_mut().unwrap();
    fields.remove("process").unwrap();
    fields.remove("capture").unwrap();
    answer
}

fn save(target: &Program, folder: &Path) -> String {
    let saved = folder.join("heap.pms").display().to_string();
    ask(&format!("snapshot {} -o {saved}", target.pid())).done();
    saved
}

#[test]
fn a_saved_heap_says_what_the_living_one_says() {
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        let tail = id(&mut target, "make_list(20_000)");
        let folder = tempfile::tempdir().unwrap();
        let saved = save(&target, folder.path());
        let mut questions: Vec<String> = TYPES.iter().map(|name| format!("--type {name}")).collect();
        let known = ["order", "both", "lost", "leaked", "reference"].map(|name| &truth[name]);
        let chosen = truth["chosen"].as_array().unwrap().iter().map(|pair| &pair[0]);
        let objects = chosen.take(3).chain(known).filter(|address| !address.is_null());
        questions.extend(objects.map(|address| format!("--address {address}")));
        questions.push(format!("--address {tail}"));
        questions.push(format!("--address {}", hex(&truth["weak"])));
        questions.push(format!("--address {} --refs", truth["whole"]["id"]));
        questions.push(format!("--address {} --refs", truth["reference"]));
        questions.push("--type __main__.Order --refs --depth 2".to_owned());
        for words in questions {
            let living = answer(&target.pid().to_string(), &words);
            assert_eq!(answer(&saved, &words), living, "{words}");
        }
        assert!(target.wait().success());
    });
}

#[test]
fn the_program_need_not_be_there_any_more() {
    let (mut target, _) = start(&interpreters()[0]);
    let folder = tempfile::tempdir().unwrap();
    let saved = save(&target, folder.path());
    let living = explain(&target, "--type __main__.InDict");
    assert!(target.wait().success());
    let answer = explain_heap(&saved, "--type __main__.InDict");
    assert_eq!(answer["process"]["pid"], living["process"]["pid"]);
    assert_eq!(answer["process"]["command"], living["process"]["command"]);
    assert_eq!(text(&groups(&answer)[0], "path"), "__main__.DICT['eu'][3]");
    let shown = ask(&format!("paths {saved} --type __main__.InDict")).done();
    assert!(shown.contains("__main__.DICT['eu'][3]"), "{shown}");

    let (_, hint) = ask(&format!("paths {saved} --type __main__.InDit")).refusal(1);
    assert!(
        hint.contains("__main__.InDict") && hint.contains(&format!("report {saved}")),
        "{hint}"
    );
    let (error, _) = ask(&format!("paths {saved} --address 0x10")).refusal(1);
    assert!(error.contains(&saved), "{error}");
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let answer = ask("paths nowhere.pms --type dict");
    assert!(
        answer.code == Some(2) && answer.err.contains("no such file"),
        "{answer:?}"
    );
    let (error, _) = ask(&format!("paths {} --type dict", folder.path().display())).refusal(1);
    assert!(error.contains("no snapshot"), "{error}");
}
