//! The rules of the house that the compiler does not know: who may know whom, where a dependency comes in, how long a
//! file may be. `ARCHITECTURE.md` says why.

#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::fs;

use source::{all_sources, project, sources};

/// Each top module of the program, and those that it may know. None may be known by one that stands below it.
const ARROWS: &[(&str, &[&str])] = &[
    ("spelling", &[]),
    ("units", &[]),
    ("error", &[]),
    ("syntax", &[]),
    ("memory", &["error"]),
    ("target", &["memory", "error", "units"]),
    ("heap", &["memory", "spelling"]),
    ("sampling", &["heap", "syntax"]),
    ("allocations", &["heap", "sampling"]),
    (
        "capture",
        &[
            "target",
            "memory",
            "heap",
            "sampling",
            "syntax",
            "allocations",
            "error",
            "units",
        ],
    ),
    ("rules", &["heap", "sampling", "capture", "spelling", "units"]),
    (
        "report",
        &["rules", "heap", "sampling", "allocations", "capture", "error", "units"],
    ),
    (
        "commands",
        &[
            "report",
            "rules",
            "heap",
            "sampling",
            "allocations",
            "capture",
            "target",
            "error",
            "units",
        ],
    ),
    (
        "cli",
        &[
            "commands",
            "report",
            "rules",
            "allocations",
            "capture",
            "target",
            "error",
            "units",
            "spelling",
        ],
    ),
    ("main", &["cli", "commands", "target", "memory", "error"]),
];

/// Paths that a module may not name, although it may know the module that they lead into.
const CLOSED: &[(&str, &str)] = &[
    ("heap", "memory::process"),
    ("sampling", "memory"),
    ("rules", "capture::session"),
    ("target", "cpython::layout"),
    ("target", "cpython::objects"),
    ("rules", "cpython"),
    ("report", "cpython"),
];

/// Where a third-party crate is let in.
const DOORWAYS: &[(&str, &[&str])] = &[
    ("clap", &["src/cli.rs", "src/cli/chosen.rs", "src/cli/recording.rs"]),
    ("crc32fast", &["src/heap/saved/seal.rs"]),
    (
        "flate2",
        &["src/target/core/packed.rs", "src/report/picture/pprof/mod.rs"],
    ),
    ("goblin", &["src/target/elf/"]),
    ("inferno", &["src/report/picture/svg.rs"]),
    ("lz4_flex", &["src/target/core/packed.rs"]),
    ("lzma_rust2", &["src/target/core/packed.rs"]),
    ("parquet", &["src/heap/saved/table/"]),
    ("proc_maps", &["src/target/"]),
    ("read_process_memory", &["src/memory/"]),
    ("remoteprocess", &["src/target/"]),
    ("ruff_python_ast", &["src/syntax/tree/"]),
    ("ruff_python_parser", &["src/syntax/tree/"]),
    ("ruff_text_size", &["src/syntax/tree/"]),
    ("ruzstd", &["src/target/core/packed.rs"]),
    ("terminal_size", &["src/report/"]),
    ("toml", &["src/cli/pyproject.rs"]),
];

/// The longest that a file may be, in lines.
const BUDGET: usize = 400;

/// Tables of numbers, as long as the numbers are many.
const TABLES: &[&str] = &["bindings/cpython/src/versions/"];

/// Fails with all complaints at once.
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n  {}", complaints.join("\n  "));
}

#[test]
fn modules_know_only_those_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut complaints = Vec::new();
    let mut arrows = 0;
    for source in sources("src") {
        let from = source.top_module().unwrap();
        if from == "lib" {
            continue;
        }
        let Some(may) = allowed.get(from) else {
            complaints.push(format!(
                "{}: the module {from} has no place among the arrows",
                source.path
            ));
            continue;
        };
        for path in source.named_paths() {
            let to = path.split("::").next().unwrap();
            if to != from && allowed.contains_key(to) {
                arrows += 1;
                if !may.contains(&to) {
                    complaints.push(format!("{}: {from} may not know {to} ({path})", source.path));
                }
            }
            for (_, closed) in CLOSED.iter().filter(|(module, _)| *module == from) {
                if path == *closed || path.starts_with(&format!("{closed}::")) {
                    complaints.push(format!("{}: {from} may not know {closed}", source.path));
                }
            }
        }
    }
    assert!(arrows > 20, "only {arrows} arrows were found: this test has gone blind");
    assert_none(complaints);
}

#[test]
fn no_arrow_leads_upwards() {
    for (index, (module, below)) in ARROWS.iter().enumerate() {
        for known in *below {
            let place = ARROWS.iter().position(|(name, _)| name == known);
            assert!(place.is_some_and(|place| place < index), "{module} → {known}");
        }
    }
}

#[test]
fn every_dependency_has_one_doorway() {
    let mut complaints = Vec::new();
    for (dependency, doorways) in DOORWAYS {
        let users: Vec<String> = sources("src")
            .into_iter()
            .filter(|source| {
                source
                    .named_paths()
                    .iter()
                    .any(|path| path.split("::").next() == Some(dependency))
            })
            .map(|source| source.path)
            .collect();
        for user in &users {
            if !doorways.iter().any(|doorway| user.starts_with(doorway)) {
                complaints.push(format!("{user}: {dependency} comes in by {doorways:?} only"));
            }
        }
        if users.is_empty() {
            complaints.push(format!("{dependency} is used nowhere"));
        }
    }
    let elf: Vec<_> = sources("src")
        .into_iter()
        .filter(|source| source.code().contains("goblin::"))
        .collect();
    if elf.len() > 1 {
        complaints.push(format!("goblin is used in {} files", elf.len()));
    }
    assert_none(complaints);
}

#[test]
fn the_bindings_are_given_bytes_and_do_nothing_else() {
    let manifest = fs::read_to_string(project().join("bindings/cpython/Cargo.toml")).unwrap();
    assert!(
        !manifest.lines().any(|line| line.trim() == "[dependencies]"),
        "{manifest}"
    );
    let mut complaints = Vec::new();
    for source in sources("bindings/cpython/src") {
        for path in source.named_paths() {
            for forbidden in [
                "std::fs",
                "std::io",
                "std::net",
                "std::process",
                "std::env",
                "std::thread",
                "std::time",
            ] {
                if path == forbidden || path.starts_with(&format!("{forbidden}::")) {
                    complaints.push(format!("{}: {path}", source.path));
                }
            }
        }
        if source.code().contains("unsafe {") || source.code().contains("unsafe fn") {
            complaints.push(format!("{}: unsafe", source.path));
        }
    }
    assert_none(complaints);
}

#[test]
fn versions_of_cpython_are_named_in_the_bindings_only() {
    let mut complaints = Vec::new();
    for source in sources("src") {
        for (number, line) in source.code().lines().enumerate() {
            if names_a_version(line) {
                complaints.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert_none(complaints);
}

/// Whether a line has `3.12`, `3_12`, `(3, 12)` or the like in it.
fn names_a_version(line: &str) -> bool {
    line.match_indices('3').any(|(at, _)| {
        let before = line[..at].strip_suffix('v').unwrap_or(&line[..at]);
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || "._-".contains(c));
        let rest = ["_", ".", ", "]
            .iter()
            .find_map(|separator| line[at + 1..].strip_prefix(separator));
        let Some(rest) = rest else { return false };
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let minor: u32 = rest[..digits].parse().unwrap_or(0);
        begins && (6..=20).contains(&minor)
    })
}

#[test]
fn a_version_is_seen_where_there_is_one() {
    for line in ["if version >= (3, 12) {", "v3_11::LAYOUT", "\"3.9\"", "minor(3, 8)"] {
        assert!(names_a_version(line), "{line}");
    }
    for line in ["0.3.12", "[1, 2, 3]", "x = 3;", "0x3, 8", "3 + 12", "13.8", "3.1"] {
        assert!(!names_a_version(line), "{line}");
    }
}

#[test]
fn files_say_what_they_are_for_and_stay_short() {
    let mut complaints = Vec::new();
    for source in all_sources() {
        if !source.text.starts_with("//! ") {
            complaints.push(format!(
                "{}: the first line does not say what the file is for",
                source.path
            ));
        }
        let lines = source.text.lines().count();
        if lines > BUDGET && !TABLES.iter().any(|table| source.path.starts_with(table)) {
            complaints.push(format!("{}: {lines} lines, more than {BUDGET}", source.path));
        }
    }
    assert_none(complaints);
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    let drawers = ["util", "utils", "common", "helper", "helpers", "misc"];
    let mut complaints = Vec::new();
    for source in sources("src").into_iter().chain(sources("bindings")) {
        for part in source.module() {
            if drawers.contains(&part.as_str()) {
                complaints.push(source.path.clone());
            }
        }
    }
    assert_none(complaints);
}
