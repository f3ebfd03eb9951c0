//! The rules of the house that the compiler does not know: who may know whom, where a dependency comes in, how long a
//! file may be. `ARCHITECTURE.md` says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each top module of the program, and those that it may know. None may be known by one that stands below it.
const ARROWS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("error", &[]),
    ("memory", &["error"]),
    ("target", &["memory", "error"]),
    ("heap", &["memory"]),
    ("sampling", &["heap"]),
    ("capture", &["target", "memory", "heap", "sampling", "error", "units"]),
    ("rules", &["heap", "sampling", "capture", "units"]),
    ("report", &["rules", "heap", "sampling", "capture", "error", "units"]),
    (
        "commands",
        &[
            "report", "rules", "heap", "sampling", "capture", "target", "error", "units",
        ],
    ),
    (
        "cli",
        &["commands", "report", "rules", "capture", "target", "error", "units"],
    ),
    ("main", &["cli", "commands", "target", "error"]),
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
    ("clap", &["src/cli.rs"]),
    ("goblin", &["src/target/elf/"]),
    ("inferno", &["src/report/"]),
    ("proc_maps", &["src/target/"]),
    ("read_process_memory", &["src/memory/"]),
    ("remoteprocess", &["src/target/"]),
    ("terminal_size", &["src/report/"]),
];

/// The longest that a file may be, in lines.
const BUDGET: usize = 400;

/// Tables of numbers, as long as the numbers are many.
const TABLES: &[&str] = &["bindings/cpython/src/versions/", "bindings/cpython/src/layout.rs"];

struct Source {
    /// From the top of the project: `src/heap/tree.rs`.
    path: String,
    text: String,
}

impl Source {
    /// The text without comments, and without the unit tests at its end.
    fn code(&self) -> String {
        let mut code = String::new();
        for line in self.text.lines() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            // A `//` in a text is cut off as well, which hides nothing that is looked for here.
            code.push_str(line.split("//").next().unwrap());
            code.push('\n');
        }
        code
    }

    /// `heap` for `src/heap/tree.rs` and for `src/heap.rs`.
    fn top_module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        inside.split('/').next()?.trim_end_matches(".rs").into()
    }

    /// `["heap", "tree"]` for `src/heap/tree.rs`; `["heap"]` for `src/heap/mod.rs`.
    fn module(&self) -> Vec<String> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        parts
    }

    /// Every path into this crate or another that the code names: `memory::image::Image`, `goblin::elf`.
    fn named_paths(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut found = BTreeSet::new();
        for (start, _) in code.match_indices("::") {
            let word_start = code[..start].rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
            // Only the beginning of a path: no `::` before its first word.
            if word_start == start || code[..word_start].ends_with("::") {
                continue;
            }
            let mut paths = Vec::new();
            read_path(&code[word_start..], String::new(), &mut paths);
            found.extend(paths.into_iter().map(|path| self.absolute(&path)));
        }
        found
    }

    /// Without `crate::`, and with `super::` resolved.
    fn absolute(&self, path: &str) -> String {
        let path = path.trim_start_matches("crate::").trim_start_matches("pymemscope::");
        let mut module = self.module();
        let mut rest = path;
        while let Some(above) = rest.strip_prefix("super::") {
            module.pop();
            rest = above;
        }
        if rest.len() == path.len() {
            return path.to_owned();
        }
        module.push(rest.to_owned());
        module.join("::")
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads `a::b::{c, d::e}` into `a::b::c` and `a::b::d::e`; returns what follows.
fn read_path<'a>(text: &'a str, mut before: String, found: &mut Vec<String>) -> &'a str {
    let mut text = text.trim_start();
    loop {
        if let Some(mut group) = text.strip_prefix('{') {
            while !group.trim_start().starts_with('}') && !group.is_empty() {
                group = read_path(group, before.clone(), found).trim_start();
                group = group.strip_prefix(',').unwrap_or(group);
                if !group
                    .trim_start()
                    .starts_with(|c: char| is_word(c) || c == '}' || c == '{')
                {
                    return group;
                }
            }
            return group.trim_start().strip_prefix('}').unwrap_or(group);
        }
        let length = text.find(|c| !is_word(c)).unwrap_or(text.len());
        before.push_str(&text[..length]);
        text = &text[length..];
        match text.strip_prefix("::") {
            Some(rest) if rest.starts_with(|c: char| is_word(c) || c == '{') => {
                before.push_str("::");
                text = rest;
            }
            _ => break,
        }
    }
    found.push(before);
    text
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust sources below a folder of the project.
fn sources(folder: &str) -> Vec<Source> {
    let mut waiting: Vec<PathBuf> = vec![project().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(project()).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn all_sources() -> Vec<Source> {
    ["src", "bindings", "tests", "benches", "recorder"]
        .iter()
        .flat_map(|folder| sources(folder))
        .collect()
}

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

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let source = Source {
        path: "src/heap/tree.rs".to_owned(),
        text: "use crate::{memory::{image, slots::Slots}, units};\nuse super::types::Type;\nlet x = goblin::elf::Elf::parse();\n"
            .to_owned(),
    };
    let paths: Vec<String> = source.named_paths().into_iter().collect();
    for expected in [
        "memory::image",
        "memory::slots::Slots",
        "units",
        "heap::types::Type",
        "goblin::elf::Elf::parse",
    ] {
        assert!(
            paths.iter().any(|path| path == expected),
            "{expected} is not in {paths:?}"
        );
    }
}
