//! Memory by the lines of a file or of a function: what each line allocated itself, and what with all that it called.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::figures::{Figures, grouped};
use super::recorded::{Allocations, RecordedSite};
use crate::sampling::births::Call;

/// Calls that older releases make for what newer ones run in the line itself.
const PARTS_OF_LINES: [&str; 4] = ["<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"];

/// The file or function whose lines are asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A path, or the end of one behind a slash.
    File(String),
    /// A qualified name, with or without its module.
    Function(String),
}

/// The lines of one file, or of one function.
#[derive(Debug, Clone, PartialEq)]
pub struct LineTable {
    pub file: Rc<str>,
    /// `None` for those of a file.
    pub function: Option<Rc<str>>,
    pub lines: BTreeMap<u32, LineFigures>,
}

/// The figures of one line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LineFigures {
    /// With everything that was called from it.
    pub all: Figures,
    /// By the line itself, whatever it called in C.
    pub own: Figures,
}

impl Subject {
    pub fn named(name: &str) -> Subject {
        let is_made_up = name.starts_with('<') && !name.contains('.');
        match is_made_up || name.contains('/') || name.ends_with(".py") {
            true => Subject::File(name.strip_prefix("./").unwrap_or(name).to_owned()),
            false => Subject::Function(name.to_owned()),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Subject::File(name) | Subject::Function(name) => name,
        }
    }

    /// Whether the call is one of those that are asked about.
    fn has(&self, call: &Call) -> bool {
        match self {
            Subject::File(name) => is_end(&call.file, name, '/'),
            Subject::Function(name) => {
                let rest = name
                    .strip_suffix(&*call.function)
                    .map(|before| before.strip_suffix('.').unwrap_or(before));
                !call.function.is_empty()
                    && rest.is_some_and(|module| module.is_empty() || is_module(&call.file, module))
            }
        }
    }

    /// The table that the call belongs into.
    fn key(&self, call: &Call) -> Key {
        let function = matches!(self, Subject::Function(_)).then(|| Rc::clone(&call.function));
        (Rc::clone(&call.file), function)
    }
}

/// A file, and in it a function.
type Key = (Rc<str>, Option<Rc<str>>);

/// Whether `text` is `end`, or ends in it behind a separator.
fn is_end(text: &str, end: &str, separator: char) -> bool {
    let before = text.strip_suffix(end);
    before.is_some_and(|before| before.is_empty() || before.ends_with(separator))
}

/// Whether a file is that of a module: `shop.models` is `…/shop/models.py`, or `…/shop/models/__init__.py`.
fn is_module(file: &str, module: &str) -> bool {
    let path = module.replace('.', "/");
    [".py", "/__init__.py"]
        .iter()
        .any(|end| is_end(file, &format!("{path}{end}"), '/'))
}

/// The tables of all files or functions that have this name.
pub fn line_tables(allocations: &Allocations, subject: &Subject) -> Vec<LineTable> {
    let mut tables: BTreeMap<Key, BTreeMap<u32, LineFigures>> = BTreeMap::new();
    for ((key, line, is_own), figures) in grouped(allocations, |site| lines_of(site, subject)) {
        let of_line = tables.entry(key).or_default().entry(line).or_default();
        match is_own {
            true => of_line.own = figures,
            false => of_line.all = figures,
        }
    }
    let table = |((file, function), lines)| LineTable { file, function, lines };
    tables.into_iter().map(table).collect()
}

/// The lines that a site counts for, each once; and with `true` the one that allocated.
fn lines_of(site: &RecordedSite, subject: &Subject) -> Vec<(Key, u32, bool)> {
    let stack = &site.site.stack;
    let mut lines = Vec::new();
    for (index, call) in stack.iter().enumerate().filter(|(_, call)| subject.has(call)) {
        let Some(line) = call.line else { continue };
        lines.push((subject.key(call), line, false));
        let further = &stack[index + 1..];
        if further.iter().all(|inner| is_part_of_line(inner, call)) {
            lines.push((subject.key(call), line, true));
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Whether a call only does what stands in the line of another one: a comprehension, or a function in C.
fn is_part_of_line(inner: &Call, call: &Call) -> bool {
    inner.file.is_empty() || (inner.file == call.file && is_comprehension(&inner.function))
}

/// Whether the function is what a comprehension was compiled to.
pub fn is_comprehension(function: &str) -> bool {
    function
        .rsplit('.')
        .next()
        .is_some_and(|name| PARTS_OF_LINES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: &str, file: &str) -> Call {
        Call {
            function: function.into(),
            file: file.into(),
            line: Some(1),
        }
    }

    #[test]
    fn files_are_named_by_their_ends_and_functions_by_their_names() {
        let has = |name: &str, function: &str, file: &str| Subject::named(name).has(&call(function, file));
        let file = "/srv/app/shop/report.py";
        for name in [
            "shop/report.py",
            "./shop/report.py",
            "report.py",
            file,
            "load",
            "Report.load",
        ] {
            let function = if name == "Report.load" { "Report.load" } else { "load" };
            assert!(has(name, function, file), "{name}");
        }
        assert!(has("shop.report.load", "load", file) && has("report.load", "load", file));
        assert!(has("shop.load", "load", "/srv/shop/__init__.py"));
        assert!(has("<string>", "load", "<string>"));
        for name in [
            "eport.py",
            "other.py",
            "ad",
            "shop.other.load",
            "Report.load",
            "load.load",
        ] {
            assert!(!has(name, "load", file), "{name}");
        }
        assert!(!has("load", "", file));
    }

    #[test]
    fn what_a_comprehension_allocates_is_its_lines_own() {
        let outer = call("load", "a.py");
        assert!(is_part_of_line(&call("load.<locals>.<listcomp>", "a.py"), &outer));
        assert!(!is_part_of_line(&call("load.<locals>.parse", "a.py"), &outer));
        assert!(is_part_of_line(&call("bytes", ""), &outer));
    }
}
