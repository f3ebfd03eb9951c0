//! Why objects are alive, against what the program itself knows: paths that it evaluates, costs that it reckons out, what
//! it has lost and what it holds.

#[path = "paths/asked.rs"]
mod asked;
mod interpreters;
mod profiler;
mod programs;

use asked::{explain, groups, hex, id, number, start, text};
use interpreters::for_each_interpreter;
use profiler::ask;
use programs::Program;
use serde_json::Value;

/// What a step by a name costs, and one by an index or a key.
const NAMED: u64 = 4;
const ITEM: u64 = 5;

#[test]
fn paths_are_the_cheapest_and_lead_to_the_object() {
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        let chosen = truth["chosen"].as_array().unwrap();
        assert!(chosen.len() > 3);
        for pair in chosen {
            let (id, price) = (pair[0].as_u64().unwrap(), pair[1].as_u64().unwrap());
            let answer = explain(&target, &format!("--address {id}"));
            let first = &groups(&answer)[0];
            let path = text(&first["example"], "path");
            // The program has a way of its own to follow a path.
            assert_eq!(self::id(&mut target, path), id, "{path}");
            let steps = path.strip_prefix("__main__.FIRST").unwrap_or_else(|| panic!("{path}"));
            let count = |of: char| steps.matches(of).count() as u64;
            assert_eq!(count('.') * NAMED + count('[') * ITEM, price, "{path}");
            assert_eq!(first["state"], "held");
            for group in groups(&answer) {
                let path = text(&group["example"], "path");
                if path.starts_with("__main__.") && !path.contains(" > ") {
                    assert_eq!(self::id(&mut target, path), id, "{path}");
                }
            }
        }
        assert!(target.wait().success());
    });
}

/// By class: the one path by which its one object is held, and the steps of it that hold it alone.
const HELD: &[(&str, &str, &[&str])] = &[
    ("InAttribute", "__main__.ATTRIBUTE.inner", &["__main__.ATTRIBUTE"]),
    ("InSlot", "__main__.SLOT.value", &["__main__.SLOT"]),
    ("InList", "__main__.LIST[1]", &["__main__.LIST"]),
    ("InTuple", "__main__.TUPLE[0]", &["__main__.TUPLE"]),
    (
        "InDict",
        "__main__.DICT['eu'][3]",
        &["__main__.DICT", "__main__.DICT['eu']"],
    ),
    ("InOrderedDict", "__main__.ORDERED['key']", &["__main__.ORDERED"]),
    ("InDeque", "__main__.DEQUE[0]", &["__main__.DEQUE"]),
    ("InSet", "__main__.SET > __main__.InSet", &["__main__.SET"]),
    ("InClosure", "__main__.CLOSURE > shared", &["__main__.CLOSURE"]),
    (
        "InSharedList",
        "__main__.CLOSURE > both[0]",
        &["__main__.CLOSURE", "__main__.CLOSURE > both"],
    ),
    ("InDefault", "__main__.default.__defaults__[0]", &["__main__.default"]),
    (
        "InKeywordDefault",
        "__main__.default.__kwdefaults__['keyword']",
        &["__main__.default"],
    ),
    ("OfClass", "__main__.Holder.attribute", &["__main__.Holder"]),
    ("InPartial", "__main__.PARTIAL.args[0]", &["__main__.PARTIAL"]),
];

#[test]
fn every_way_of_holding_has_a_name() {
    for_each_interpreter(|python| {
        let (mut target, _) = start(python);
        for (class, path, dominators) in HELD {
            let answer = explain(&target, &format!("--type __main__.{class}"));
            let [group] = &groups(&answer)[..] else {
                panic!("{class}: {answer}")
            };
            assert_eq!(text(group, "path"), *path, "{class}");
            let found: Vec<&str> = group["dominators"]
                .as_array()
                .unwrap()
                .iter()
                .map(|each| text(each, "path"))
                .collect();
            for dominator in *dominators {
                assert!(found.contains(dominator), "{dominator} of {class}: {found:?}");
            }
            assert_eq!(answer["found"]["count"], 1);
        }
        for (class, before, after) in [
            ("InGenerator", "__main__.GENERATOR > generate() at ", " > local"),
            ("InCoroutine", "__main__.COROUTINE > work() at ", " > awaited"),
        ] {
            let answer = explain(&target, &format!("--type __main__.{class}"));
            let path = text(&groups(&answer)[0], "path");
            let place = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            assert!(place.is_some_and(|place| place.contains("held.py:")), "{path}");
            let dominators = groups(&answer)[0]["dominators"].as_array().unwrap();
            let holder = before.split(" > ").next();
            assert!(
                dominators.iter().any(|each| Some(text(each, "path")) == holder),
                "{dominators:?}"
            );
        }
        // A thread is named after what its version tells of it.
        let answer = explain(&target, "--type __main__.InLocal");
        let path = text(&groups(&answer)[0], "path");
        assert!(
            path.starts_with("thread MainThread > ")
                && path.contains(" > serve() at held.py:")
                && path.ends_with(" > local[0]"),
            "{path}"
        );
        assert!(target.wait().success());
    });
}

#[test]
fn the_end_of_a_long_list_has_a_short_path() {
    for_each_interpreter(|python| {
        let (mut target, _) = start(python);
        let tail = id(&mut target, "make_list(100_000)");
        let answer = explain(&target, &format!("--address {tail}"));
        let chain = &groups(&answer)[0]["example"];
        assert_eq!(text(chain, "path"), "__main__.HEAD(.next × 99999)");
        assert_eq!(number(chain, "length"), 100_001);
        assert_eq!(chain["steps"].as_array().unwrap().len(), 3);
        assert!(groups(&answer)[0]["dominators"].as_array().unwrap().len() <= 8);
        let shown = ask(&format!("paths {} --address {tail}", target.pid())).done();
        let goes_with = shown.split("goes with").nth(1).unwrap_or_else(|| panic!("{shown}"));
        assert!(goes_with.contains("__main__.HEAD (__main__.Link, "), "{shown}");
        assert!(goes_with.contains("(.next × 99998) (__main__.Link, "), "{shown}");
        assert!(target.wait().success());
    });
}

#[test]
fn several_holders_are_all_told_and_weak_ones_apart() {
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        let paths = |answer: &Value| -> Vec<String> {
            let mut paths: Vec<String> = groups(answer)
                .iter()
                .map(|group| text(group, "path").to_owned())
                .collect();
            paths.sort_unstable();
            paths
        };
        let answer = explain(&target, &format!("--address {}", truth["both"]));
        assert_eq!(paths(&answer), ["__main__.LEFT[0]", "__main__.RIGHT['right']"]);
        for group in groups(&answer) {
            let steps = group["example"]["steps"].as_array().unwrap();
            let is_dominator = |step: &Value| step["dominator"].as_bool().unwrap();
            assert!(!steps[1..].iter().any(is_dominator), "{group}");
        }
        let referrers =
            serde_json::json!([{"type": "builtins.dict", "count": 1}, {"type": "builtins.list", "count": 1}]);
        assert_eq!(answer["referrers"], referrers);

        let answer = explain(&target, &format!("--address {}", hex(&truth["weak"])));
        assert_eq!(paths(&answer), ["__main__.WEAK"]);
        let weak = answer["weak_references"].as_array().unwrap();
        assert_eq!(weak.len(), 1);
        assert_eq!(text(&weak[0], "path"), "__main__.REFERENCE");
        assert!(target.wait().success());
    });
}

#[test]
fn what_no_root_reaches_is_told_from_what_c_code_holds() {
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        let answer = explain(&target, &format!("--address {}", truth["lost"]));
        let [group] = &groups(&answer)[..] else {
            panic!("{answer}")
        };
        assert_eq!(group["state"], "garbage");
        assert!(text(group, "path").starts_with("(garbage) > "), "{group}");
        let shown = ask(&format!("paths {} --type __main__.Lost", target.pid())).done();
        assert!(shown.contains("it is garbage: no root reaches it"), "{shown}");
        if !truth["leaked"].is_null() {
            let answer = explain(&target, &format!("--address {}", truth["leaked"]));
            assert_eq!(groups(&answer)[0]["state"], "held by C code");
        }
        assert!(target.wait().success());
    });
}

#[test]
fn what_an_object_holds_is_what_it_says_itself() {
    for_each_interpreter(|python| {
        let (mut target, truth) = start(python);
        let id = &truth["whole"]["id"];
        let answer = explain(&target, &format!("--address {id} --refs --depth 1"));
        let nodes = answer["referents"].as_array().unwrap();
        let mut found: Vec<&str> = nodes[1..].iter().map(|node| text(node, "address")).collect();
        let mut expected: Vec<String> = truth["whole"]["parts"].as_array().unwrap().iter().map(hex).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        let hidden: u64 = nodes.iter().map(|node| number(node, "hidden")).sum();
        assert_eq!(hidden, 12, "ten texts, a key and a value: {answer}");

        let answer = explain(&target, &format!("--address {id} --refs"));
        let nodes = answer["referents"].as_array().unwrap();
        let by_step = |step: &str| {
            let found: Vec<&Value> = nodes.iter().filter(|node| node["step"] == step).collect();
            assert_eq!(found.len(), 1, "{step} in {answer}");
            found[0]
        };
        for (step, expression) in [
            ("[3]", "WHOLE.texts[3]"),
            ("['a text as key']", "WHOLE.table['a text as key']"),
            (".texts", "WHOLE.texts"),
        ] {
            let id = self::id(&mut target, expression);
            assert_eq!(text(by_step(step), "address"), format!("{id:#x}"), "{step}");
        }
        assert_eq!(nodes.iter().map(|node| number(node, "hidden")).sum::<u64>(), 0);

        // All that it reaches is its own, apart from the names of attributes.
        let object = &explain(&target, &format!("--address {id}"))["object"];
        let parts = object["parts"].as_array().unwrap();
        let names: Vec<&str> = parts.iter().map(|part| text(part, "name")).collect();
        assert_eq!(names, [".table", ".texts"]);
        for part in parts {
            // The key is the text that stands in the code too.
            let is_own = part["deep_bytes"] == part["retained_bytes"];
            assert!(is_own || text(part, "name") == ".table", "{part}");
        }
        let deep: u64 = parts.iter().map(|part| number(part, "deep_bytes")).sum();
        assert!(number(object, "deep_bytes") > deep && number(object, "deep_bytes") < deep + 1000);

        let weak = explain(&target, &format!("--address {} --refs --depth 1", truth["reference"]));
        let weakly = |node: &&Value| node.get("weak").is_some();
        assert!(weak["referents"].as_array().unwrap().iter().any(|node| weakly(&node)));
        assert!(target.wait().success());
    });
}

#[test]
fn redacted_paths_have_no_keys() {
    for_each_interpreter(|python| {
        let (mut target, _) = start(python);
        let answer = explain(&target, "--type __main__.InDict --redact");
        let path = text(&groups(&answer)[0], "path");
        assert!(path.starts_with("__main__.DICT[") && !path.contains("eu"), "{path}");
        assert_eq!(answer["capture"]["redacted"], true);
        assert!(!answer.to_string().contains("held.py"), "{answer}");
        assert!(target.wait().success());
    });
}

/// Tasks that wait, one of them in a call within a call.
const TASKS: &str = "
import asyncio
class Row:
    pass
async def inner():
    row = Row()
    await asyncio.get_running_loop().create_future()
    return row
async def outer():
    await inner()
async def main():
    task = asyncio.ensure_future(outer())
    await asyncio.sleep(0)
    # Called when this task waits, and is no longer a call of the thread.
    asyncio.get_running_loop().call_soon(lambda: print('ready', flush=True))
    await asyncio.get_running_loop().run_in_executor(None, input)
    task.cancel()
asyncio.run(main())
";

#[test]
fn what_a_task_works_on_is_held_by_the_task() {
    for_each_interpreter(|python| {
        let mut target = Program::start(python.command().args(["-c", TASKS]));
        let answer = explain(&target, "--type __main__.Row");
        let path = text(&groups(&answer)[0], "path");
        let parts: Vec<&str> = path.split(" > ").collect();
        let [task, outer, inner, row] = parts[..] else {
            panic!("{path}")
        };
        assert!(task.starts_with("task 'Task-") && row == "row", "{path}");
        assert!(
            outer.starts_with("outer() at ") && inner.starts_with("inner() at "),
            "{path}"
        );
        target.tell("");
        target.wait();
    });
}

#[test]
fn built_in_types_need_no_module_and_any_object_has_an_answer() {
    for_each_interpreter(|python| {
        let (mut target, _) = start(python);
        let answer = explain(&target, "--type dict");
        assert_eq!(answer["found"]["type"], "builtins.dict");
        assert!(groups(&answer).len() > 5, "{answer}");
        for expression in ["None", "sys", "type", "Order", "serve", "__main__.__dict__"] {
            let id = id(&mut target, expression);
            let answer = explain(&target, &format!("--address {id}"));
            assert!(!groups(&answer).is_empty(), "{expression}: {answer}");
            assert_eq!(groups(&answer)[0]["state"], "held", "{expression}");
        }
        assert!(target.wait().success());
    });
}
