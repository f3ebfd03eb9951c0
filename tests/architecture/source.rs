//! The project's own source files, and the paths that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub struct Source {
    /// From the top of the project: `src/heap/tree.rs`.
    pub path: String,
    pub text: String,
}

impl Source {
    /// The text without comments, and without the unit tests at its end.
    pub fn code(&self) -> String {
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
    pub fn top_module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        inside.split('/').next()?.trim_end_matches(".rs").into()
    }

    /// `["heap", "tree"]` for `src/heap/tree.rs`; `["heap"]` for `src/heap/mod.rs`.
    pub fn module(&self) -> Vec<String> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        parts
    }

    /// Every path into this crate or another that the code names: `memory::image::Image`, `goblin::elf`.
    pub fn named_paths(&self) -> BTreeSet<String> {
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

pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust sources below a folder of the project.
pub fn sources(folder: &str) -> Vec<Source> {
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

pub fn all_sources() -> Vec<Source> {
    ["src", "bindings", "tests", "benches", "recorder"]
        .iter()
        .flat_map(|folder| sources(folder))
        .collect()
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
