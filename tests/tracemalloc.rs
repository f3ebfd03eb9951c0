//! The tables of `tracemalloc`, read from outside, against what a snapshot that is taken inside says: on every interpreter,
//! for every traced block, to the frame and the byte.

mod interpreters;
mod profiler;
mod targets;

use std::collections::BTreeMap;
use std::path::Path;

use interpreters::{Interpreter, all_required, for_each_interpreter};
use profiler::warnings;
use serde_json::Value;
use targets::{Target, attach};

/// File and line of each call, the outermost first; 0 where there is no line.
type Stack = Vec<(String, u64)>;
/// The number of traced blocks of each stack, and their bytes.
type Sites = BTreeMap<Stack, (u64, u64)>;

/// The program in `tests/targets`, with `tracemalloc` keeping so many frames, and its word.
fn start(python: &Interpreter, frames: &str) -> (Target, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/traced.py");
    let target = Target::spawn(python.command().arg(script).arg(frames));
    let truth = serde_json::from_str(&target.line()).unwrap();
    target.rests();
    (target, truth)
}

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn sites_inside(truth: &Value) -> Sites {
    let frame = |frame: &Value| (frame[0].as_str().unwrap().to_owned(), frame[1].as_u64().unwrap());
    let site = |site: &Value| {
        let stack = site[0].as_array().unwrap().iter().map(frame).collect();
        (stack, (site[1].as_u64().unwrap(), site[2].as_u64().unwrap()))
    };
    list(truth, "sites").iter().map(site).collect()
}

fn sites_outside(report: &Value) -> Sites {
    let mut sites = Sites::new();
    for site in list(report, "sites") {
        assert_eq!(
            (&site["source"], &site["confidence"]),
            (&"tracemalloc".into(), &"certain".into())
        );
        let stack = list(site, "stack").iter().map(|call| {
            let file = call["file"].as_str().unwrap_or_else(|| panic!("a file in {call}"));
            (file.to_owned(), call["line"].as_u64().unwrap_or(0))
        });
        let twice = sites.insert(stack.collect(), (number(site, "count"), number(site, "bytes")));
        assert_eq!(twice, None, "a stack is one site: {site}");
    }
    sites
}

/// Whether the blocks of a stack were made by stating the truth: see `traced.py`.
fn is_of_stating(stack: &Stack) -> bool {
    const MODULES: [&str; 3] = ["tracemalloc.py", "json/encoder.py", "json/__init__.py"];
    let innermost = &stack.last().unwrap().0;
    stack.iter().any(|(file, _)| file == "<truth>") || MODULES.iter().any(|module| innermost.ends_with(module))
}

/// Objects and bytes of the types of these sites, or of what has none.
fn objects(rows: &[Value]) -> (u64, u64) {
    let shares = rows.iter().flat_map(|row| list(row, "types"));
    shares.fold((0, 0), |(count, bytes), share| {
        (count + number(share, "count"), bytes + number(share, "bytes"))
    })
}

#[test]
fn every_traced_block_is_where_a_snapshot_inside_says() {
    for_each_interpreter(|python| {
        for frames in ["1", "25"] {
            let (target, truth) = start(python, frames);
            let report = attach(target.pid(), &[]);
            assert!(warnings(&report, "tracemalloc").is_empty(), "{}", report["capture"]);
            let (inside, mut outside) = (sites_inside(&truth), sites_outside(&report));
            outside.retain(|stack, _| !is_of_stating(stack));
            let wrong: Vec<_> = inside
                .keys()
                .chain(outside.keys())
                .filter(|stack| inside.get(*stack) != outside.get(*stack))
                .map(|stack| (stack, inside.get(stack), outside.get(stack)))
                .take(5)
                .collect();
            assert!(wrong.is_empty(), "with {frames} frames, inside and outside: {wrong:#?}");
            assert!(outside.len() > 100, "only {} sites", outside.len());
            check_totals(&truth, &report);
            check_objects(python, &truth, &report);
        }
    });
}

/// What is counted of all traces, with those that stating the truth added.
fn check_totals(truth: &Value, report: &Value) {
    let totals = &report["tracemalloc"];
    assert_eq!(totals["frames"], truth["frames"]);
    assert_eq!(totals["peak_bytes"], truth["peak"]);
    let sum = |field| {
        list(report, "sites")
            .iter()
            .map(|site| number(site, field))
            .sum::<u64>()
    };
    assert_eq!(
        (number(totals, "traces"), number(totals, "traced_bytes")),
        (sum("count"), sum("bytes"))
    );
    let domains: Vec<_> = list(totals, "domains")
        .iter()
        .map(|each| (number(each, "domain"), number(each, "traces"), number(each, "bytes")))
        .collect();
    let stated = list(truth, "domains")
        .iter()
        .map(|each| (each[0].as_u64(), each[1][0].as_u64(), each[1][1].as_u64()));
    let others = domains
        .iter()
        .map(|&(domain, count, bytes)| (Some(domain), Some(count), Some(bytes)));
    assert!(others.skip(1).eq(stated), "{domains:?} {}", truth["domains"]);
    assert_eq!(domains[0].0, 0);
    assert_eq!(domains.iter().map(|each| each.1).sum::<u64>(), number(totals, "traces"));
}

/// Which objects stand in the traced blocks.
fn check_objects(python: &Interpreter, truth: &Value, report: &Value) {
    let (traced, unseen) = (objects(list(report, "sites")), objects(list(report, "sites_unseen")));
    let heap = &report["heap"];
    assert_eq!(
        (traced.0 + unseen.0, traced.1 + unseen.1),
        (number(heap, "objects"), number(heap, "bytes"))
    );
    let [untraced] = list(report, "sites_unseen") else {
        panic!("one reason: {}", report["sites_unseen"])
    };
    assert_eq!(untraced["why"], "not traced");
    // The lists that are older than the start of tracing.
    let of_type = |rows: &Value, name: &str| {
        let row = list(rows, "types").iter().find(|share| share["type"] == name);
        row.map_or(0, |share| number(share, "count"))
    };
    assert!(of_type(untraced, "builtins.list") >= 1001, "{untraced}");
    assert_eq!(of_type(untraced, "__main__.Order"), 0);
    let is_place = |site: &&Value| {
        site["line"] == truth["orders"] && site["file"].as_str().is_some_and(|file| file.ends_with("traced.py"))
    };
    let places: Vec<&Value> = list(report, "sites").iter().filter(is_place).collect();
    assert_eq!(
        places.iter().map(|site| of_type(site, "__main__.Order")).sum::<u64>(),
        3000
    );
    for site in places {
        assert_eq!(site["function"], "load", "on {}: {site}", python.name());
    }
}

/// What a program with these lines looks like once it has said `ready`.
#[track_caller]
fn seen(python: &Interpreter, options: &[&str], lines: &str, attach_options: &[&str]) -> Value {
    let code = format!("{lines}\nimport sys\nprint('ready', flush=True)\nsys.stdin.read()");
    let target = Target::spawn(python.command().args(options).args(["-c", &code]));
    assert_eq!(target.line(), "ready\n");
    target.rests();
    attach(target.pid(), attach_options)
}

#[test]
fn what_is_not_on_or_not_asked_for_is_left_alone() {
    for_each_interpreter(|python| {
        let has_nothing = |report: &Value| {
            let nothing = ["sites", "sites_unseen", "tracemalloc"].map(|field| report.get(field).is_none());
            assert_eq!(nothing, [true; 3], "on {}", python.name());
            assert!(warnings(report, "tracemalloc").is_empty());
        };
        let stopped = "import tracemalloc\ntracemalloc.start(5)\nmade = [[] for _ in range(99)]\ntracemalloc.stop()";
        has_nothing(&seen(python, &[], stopped, &[]));
        has_nothing(&seen(python, &["-X", "tracemalloc=3"], "", &["--no-tracemalloc"]));
    });
}

#[test]
fn tracing_that_was_cleared_or_began_with_the_program_is_read() {
    for_each_interpreter(|python| {
        let lines = "import tracemalloc\nfirst = [[] for _ in range(777)]\ntracemalloc.clear_traces()\n\
                     second = [[] for _ in range(333)]";
        let report = seen(python, &["-X", "tracemalloc=2"], lines, &[]);
        let lists_of = |line: u64| {
            let sites = list(&report, "sites").iter();
            let sites = sites.filter(|site| site["line"] == line && site["file"] == "<string>");
            let shares = sites.flat_map(|site| list(site, "types"));
            let lists = shares.filter(|share| share["type"] == "builtins.list");
            lists.map(|share| number(share, "count")).sum::<u64>()
        };
        // Up to 3.11 a comprehension is a call, whose list is of the same line.
        assert_eq!((lists_of(2), lists_of(4)), (0, 334), "on {}", python.name());
        assert_eq!(report["tracemalloc"]["frames"], 2);
        assert!(warnings(&report, "tracemalloc").is_empty(), "{}", report["capture"]);
    });
}

#[test]
fn numpy_traces_its_data_in_a_domain_of_its_own() {
    for_each_interpreter(|python| {
        let has_numpy = python
            .command()
            .args(["-c", "import numpy"])
            .output()
            .unwrap()
            .status
            .success();
        if !has_numpy {
            assert!(!all_required(), "numpy must be there for {}", python.name());
            return;
        }
        let lines = "import numpy, tracemalloc\ntracemalloc.start()\ntable = numpy.zeros(1234567, dtype='u1')";
        let report = seen(python, &[], lines, &[]);
        let domains = list(&report["tracemalloc"], "domains");
        let numpy = domains
            .iter()
            .find(|each| each["domain"] == 389_047)
            .expect("numpy's domain");
        assert_eq!((number(numpy, "traces"), number(numpy, "bytes")), (1, 1_234_567));
        let found = list(&report, "sites")
            .iter()
            .any(|site| number(site, "bytes") >= 1_234_567 && site["line"] == 3);
        assert!(found, "no site of the array's data on {}", python.name());
    });
}

#[test]
fn names_of_files_and_functions_stay_when_data_is_redacted() {
    let python = interpreters::interpreters().last().unwrap();
    let (target, truth) = start(python, "1");
    let report = attach(target.pid(), &["--redact"]);
    let mut outside = sites_outside(&report);
    outside.retain(|stack, _| !is_of_stating(stack));
    assert_eq!(outside, sites_inside(&truth));
}

#[test]
fn a_run_is_traced_to_its_end() {
    let python = interpreters::interpreters().last().unwrap();
    let code = "made = [[] for _ in range(4321)]";
    let executable = python.executable.display().to_string();
    let command = [
        "run",
        "-d",
        "0",
        "-j",
        "--",
        &executable,
        "-X",
        "tracemalloc",
        "-c",
        code,
    ];
    let answer = profiler::answer(&mut profiler::pymemscope(command));
    let report = profiler::parse(&answer.done());
    let is_made = |site: &&Value| site["file"] == "<string>" && site["line"] == 1;
    let made = list(&report, "sites").iter().find(is_made).expect("the site");
    assert!(number(made, "count") >= 4321, "{made}");
}
