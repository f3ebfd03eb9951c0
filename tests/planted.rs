//! Leaks planted in programs that nobody here wrote: the report names what holds them first or second, and so does a
//! comparison of two moments.

mod interpreters;
mod packages;
mod profiler;
mod targets;

use std::process::Stdio;

use interpreters::with_package;
use packages::{SITE, get, server};
use profiler::ask;
use serde_json::Value;
use targets::{Target, attach};

/// The paths of the owners that keep most, the first two of them.
fn foremost(report: &Value) -> Vec<&str> {
    let owners = report["owners"].as_array().unwrap().iter();
    owners.take(2).map(|owner| owner["path"].as_str().unwrap()).collect()
}

#[test]
fn what_a_django_site_keeps_of_its_requests_is_named() {
    with_package("django", |python| {
        let (target, port) = server(python, SITE);
        let folder = tempfile::tempdir().unwrap();
        let save = |number: usize| {
            let path = folder.path().join(format!("{number}.pms")).display().to_string();
            target.rests();
            ask(&format!("snapshot {} -o {path}", target.pid())).done();
            path
        };
        get(port, "/user/0");
        get(port, "/page/0");
        let mut before = save(0);
        let leaks = [
            ("user", "shop_views.Audit.saved", 600),
            ("page", "shop_views.SEEN", 300),
        ];
        for (number, (view, holder, requests)) in leaks.into_iter().enumerate() {
            for request in 1..=requests {
                let (status, page) = get(port, &format!("/{view}/{request}"));
                assert!(status.contains("200") && page.starts_with(view), "{status} {page}");
            }
            let after = save(number + 1);
            let report = profiler::report(&format!("report {after}"));
            assert!(foremost(&report).contains(&holder), "{view}: {:?}", foremost(&report));

            let difference: Value = serde_json::from_str(&ask(&format!("diff {before} {after} -j")).done()).unwrap();
            let grown = &difference["owners"][0];
            assert_eq!(grown["path"], holder, "{view}");
            assert_eq!(grown["growth_length"], requests, "{view}");
            before = after;
        }
    });
}

#[test]
fn frames_that_a_module_keeps_are_named() {
    let code = "
import pandas, sys, types
reports = sys.modules['reports'] = types.ModuleType('reports')
exec('''
import pandas
FRAMES = []
def load(day):
    names = ['customer %d of %d' % (number, day) for number in range(2000)]
    frame = pandas.DataFrame({'day': day, 'amount': range(2000), 'name': names})
    FRAMES.append(frame)
    return int(frame.groupby(frame['amount'] % 7)['amount'].sum().sum())
''', reports.__dict__)
print(sum(reports.load(day) for day in range(40)))
sys.stdin.read()";
    with_package("pandas", |python| {
        let target = Target::spawn(python.command().args(["-u", "-c", code]));
        assert_eq!(target.line(), "79960000\n");
        let report = attach(target.pid(), &[]);
        assert!(foremost(&report).contains(&"reports.FRAMES"), "{:?}", foremost(&report));
    });
}

/// Keeps lists that a class holds, and the results of its last cells as every notebook does, by their numbers.
const NOTEBOOK: [&str; 7] = [
    "def load(day):
    return [{'day': day, 'order': number, 'text': 'order %d of %d' % (number, day)} for number in range(10_000)]",
    "class Session:\n    results = []",
    "for day in range(12):\n    Session.results.append(load(day))",
    "load(100)",
    "load(101)",
    "load(102)",
    "load(103)",
];

#[test]
fn what_a_notebook_keeps_is_named() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages/kernel.py");
    with_package("ipykernel", |python| {
        let home = tempfile::tempdir().unwrap();
        let mut command = python.command();
        command
            .args(["-u", script])
            .env("HOME", home.path())
            .stderr(Stdio::null());
        let mut client = Target::spawn(&mut command);
        client.tell(&NOTEBOOK.map(|cell| cell.replace('\n', "\\n")).join("\\0"));
        let line = client.line();
        let kernel = line.trim_end().strip_prefix("pid ").and_then(|pid| pid.parse().ok());
        let report = attach(kernel.unwrap_or_else(|| panic!("no pid in {line:?}")), &[]);
        let [first, second] = foremost(&report)[..] else {
            panic!("{}", report["owners"])
        };
        assert_eq!(first, "__main__.Session.results");
        assert!(second.starts_with("__main__._"), "{second}");
        assert!(client.finish().success());
    });
}
