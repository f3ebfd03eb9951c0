//! The layout tables say what the headers of every interpreter of this machine say: the generator asks them.

mod places;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cpython::layout::Layout;
use cpython::version::Version;
use cpython::versions::minor;
use support::interpreters;

#[test]
fn the_tables_agree_with_installed_headers() {
    if Command::new("gcc").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "gcc is needed to ask the headers"
        );
        println!("skipped: there is no gcc to ask the headers with");
        return;
    }
    let mut compared = 0;
    for (name, python) in interpreters() {
        let Some(headers) = ask_headers(&python) else {
            println!("{name}: has no headers");
            continue;
        };
        let layout = table_of(&name);
        let table = places::of(layout);
        let wrong: Vec<String> = headers
            .iter()
            .filter_map(|(place, number)| difference(layout, &table, place, *number))
            .collect();
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
        assert!(
            headers.len() > 150,
            "{name}: the generator found only {} numbers",
            headers.len()
        );
        println!("{name}: {} numbers agree", headers.len());
        compared += 1;
    }
    assert!(
        compared > 0,
        "no interpreter with headers was found: set PYMEMSCOPE_PYTHONS"
    );
}

/// What headers know and a table of their version has no use for.
const WITHOUT_USE: &[&str] = &[
    "frame_object.form.trace",
    "generator.form.cleared",
    "thread.current_frame.cframe",
    "code.form.nlocals",
    "values.values",
    "module.state_size.size",
];

/// What is wrong with the table at `place`, where the headers have `number`.
fn difference(layout: &Layout, table: &BTreeMap<String, i64>, place: &str, number: i64) -> Option<String> {
    if !table.contains_key(place) && WITHOUT_USE.contains(&place) {
        return None;
    }
    // Where a mechanism needs a single number, the table has it without a name.
    let unnamed = place.rsplit_once('.').and_then(|(parent, _)| table.get(parent));
    let ours = table.get(place).or(unnamed).copied();
    let other_head = place.starts_with("gc.heads.") && layout.gc.other_heads.contains(&(number as u64));
    (ours != Some(number) && !other_head).then(|| format!("{place} is {number} in the headers, {ours:?} in the table"))
}

/// The numbers that the headers of an interpreter have; `None` when it has no headers.
fn ask_headers(python: &Path) -> Option<BTreeMap<String, i64>> {
    let include = Command::new(python)
        .args(["-c", "import sysconfig; print(sysconfig.get_path('include'))"])
        .output()
        .expect("the interpreter starts");
    let include = String::from_utf8(include.stdout).expect("a path in UTF-8");
    if !Path::new(include.trim()).join("internal").is_dir() {
        return None;
    }
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("generator/layout.py");
    let output = Command::new(python)
        .arg(generator)
        .output()
        .expect("the interpreter starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text
        .lines()
        .map(|line| line.split_once(' ').expect("a place and a number"));
    Some(
        lines
            .map(|(place, number)| (place.to_owned(), number.parse().expect("a number")))
            .collect(),
    )
}

/// The table for an interpreter whose name begins with its version.
fn table_of(name: &str) -> &'static Layout {
    let version = name.split(' ').next().expect("a version");
    let mut parts = version.split('.').map(|part| part.parse().expect("a number"));
    let mut part = || parts.next().expect("three parts");
    let version = Version::new(part(), part(), part());
    let known = minor(version).expect("a supported version");
    known
        .layouts
        .iter()
        .rev()
        .find(|layout| layout.since <= version)
        .expect("a layout")
}
