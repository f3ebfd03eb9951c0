//! `[tool.pymemscope]` in the `pyproject.toml` of the directory that the user stands in: settings that are the same for
//! all who work there, under the names of the flags. Nothing beyond knows TOML.

use std::fs;
use std::io;
use std::path::Path;

use toml::{Table, Value};

use super::meaning::usage;
use crate::error::Error;
use crate::rules::finding::Severity;
use crate::rules::selection::Selection;
use crate::rules::threshold::Thresholds;
use crate::spelling::nearest;

const FILE: &str = "pyproject.toml";
const TABLE: &str = "tool.pymemscope";
const KEYS: [&str; 4] = ["fail-on", "ignore", "select", "threshold"];
const SEVERITIES: [(&str, Severity); 3] = [
    ("info", Severity::Info),
    ("warning", Severity::Warning),
    ("error", Severity::Error),
];
/// No project has a larger one.
const LARGEST: u64 = 4 << 20;

/// How findings are judged, as far as the project says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ProjectSettings {
    pub thresholds: Thresholds,
    pub selection: Selection,
    pub fail_on: Option<Severity>,
}

impl ProjectSettings {
    /// Those of the directory; the defaults where it has none.
    pub(super) fn of_directory(directory: &Path) -> Result<ProjectSettings, Error> {
        let path = directory.join(FILE);
        let hint = format!("correct {}, or start from another directory", path.display());
        let refused = |what: String| usage(&format!("{FILE}: {what}"), &hint);
        match read(&path) {
            Ok(text) => ProjectSettings::of_text(&text).map_err(refused),
            // Of a directory that is closed to us, nobody knows whether there is one.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound || fs::metadata(&path).is_err() => {
                Ok(ProjectSettings::default())
            }
            Err(cause) => Err(refused(format!("it cannot be read: {cause}"))),
        }
    }

    fn of_text(text: &str) -> Result<ProjectSettings, String> {
        let file: Table = text.parse().map_err(|fault| syntax(&fault, text))?;
        let tool = file.get("tool").and_then(Value::as_table);
        match tool.and_then(|tool| tool.get("pymemscope")) {
            Some(own) => ProjectSettings::of_table(table(TABLE, own)?),
            None => Ok(ProjectSettings::default()),
        }
    }

    fn of_table(own: &Table) -> Result<ProjectSettings, String> {
        if let Some(unknown) = own.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(unknown_key(unknown));
        }
        let mut settings = ProjectSettings::default();
        let within = |key: &'static str| move |what: String| format!("{TABLE}.{key}: {what}");
        if let Some(names) = own.get("select") {
            let names = rules("select", names)?;
            if names.is_empty() {
                return Err(format!("{TABLE}.select has no names; leave it out to ask all rules"));
            }
            settings.selection.select(names).map_err(within("select"))?;
        }
        if let Some(names) = own.get("ignore") {
            let names = rules("ignore", names)?;
            settings.selection.ignore(names).map_err(within("ignore"))?;
        }
        if let Some(rules) = own.get("threshold") {
            for (rule, values) in table(&format!("{TABLE}.threshold"), rules)? {
                match rule.split_once('.') {
                    // In quotes, as on the command line.
                    Some((rule, name)) => settings.set_threshold(rule, name, values)?,
                    None => {
                        for (name, value) in table(&format!("{TABLE}.threshold.{rule}"), values)? {
                            settings.set_threshold(rule, name, value)?;
                        }
                    }
                }
            }
        }
        settings.fail_on = own.get("fail-on").map(severity).transpose()?;
        Ok(settings)
    }

    fn set_threshold(&mut self, rule: &str, name: &str, value: &Value) -> Result<(), String> {
        let key = format!("{TABLE}.threshold.{rule}.{name}");
        let value = figure(&key, value)?;
        let set = self.thresholds.set_one(rule, name, &value);
        set.map_err(|what| format!("{key}: {what}"))
    }
}

/// The text of a file that is one, and of a size that can be meant.
fn read(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file of text"));
    }
    match metadata.len() <= LARGEST {
        true => fs::read_to_string(path),
        false => Err(io::Error::other("it is larger than 4 MiB")),
    }
}

/// What is wrong with the file as a whole, in one line.
fn syntax(fault: &toml::de::Error, text: &str) -> String {
    let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let what = fault.message().lines().next().unwrap_or_default();
    format!("line {line} is no TOML: {what}")
}

fn unknown_key(key: &str) -> String {
    match nearest(key, KEYS) {
        Some(near) => format!("{TABLE}.{key}: there is no such setting; did you mean {near}?"),
        None => format!("{TABLE}.{key}: there is no such setting; there are {}", KEYS.join(", ")),
    }
}

fn table<'a>(key: &str, value: &'a Value) -> Result<&'a Table, String> {
    let wrong = || format!("{key} is a table, not {}", kind(value));
    value.as_table().ok_or_else(wrong)
}

/// The names of rules in an array.
fn rules<'a>(key: &str, value: &'a Value) -> Result<Vec<&'a str>, String> {
    let wrong = |value| format!("{TABLE}.{key} is an array of names of rules, not {}", kind(value));
    let of_item = |item: &'a Value| {
        let no_name = || format!("{TABLE}.{key} has names of rules, not {}", kind(item));
        item.as_str().ok_or_else(no_name)
    };
    value
        .as_array()
        .ok_or_else(|| wrong(value))?
        .iter()
        .map(of_item)
        .collect()
}

/// A number, or a text such as `"2MiB"`, as it would be typed.
fn figure(key: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::Integer(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        other => Err(format!(
            "{key} is a number, or a text such as \"2MiB\", not {}",
            kind(other)
        )),
    }
}

fn severity(value: &Value) -> Result<Severity, String> {
    let typed = value.as_str().ok_or_else(|| {
        let kind = kind(value);
        format!("{TABLE}.fail-on is \"info\", \"warning\" or \"error\", not {kind}")
    })?;
    let known = SEVERITIES.iter().find(|(name, _)| *name == typed);
    known.map(|&(_, severity)| severity).ok_or_else(|| {
        let names = SEVERITIES.map(|(name, _)| name);
        let near = nearest(typed, names).map_or_else(String::new, |near| format!("; did you mean {near}?"));
        format!("{TABLE}.fail-on: there is no severity '{typed}'{near}")
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a point",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "an array",
        Value::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::growing_container::{BYTES, ITEMS};

    fn refusal(text: &str) -> String {
        let said = ProjectSettings::of_text(text).unwrap_err();
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }

    #[test]
    fn settings_have_the_names_of_the_flags() {
        let settings = ProjectSettings::of_text(
            "[project]\nname = 'shop'\n[tool.black]\nline-length = 100\n\
             [tool.pymemscope]\nfail-on = 'warning'\nselect = ['large-list', 'numeric-list']\nignore = ['numeric-list']\n\
             [tool.pymemscope.threshold]\ngrowing-container.items = 5\n'growing-container.bytes' = '2MiB'\n",
        )
        .unwrap();
        assert_eq!(settings.fail_on, Some(Severity::Warning));
        assert_eq!(settings.thresholds.of(&ITEMS), 5);
        assert_eq!(settings.thresholds.of(&BYTES), 2 << 20);
        let asked: Vec<&str> = settings.selection.rules().iter().map(|rule| rule.name).collect();
        assert_eq!(asked, ["large-list"]);
    }

    #[test]
    fn a_file_of_others_says_nothing() {
        for text in [
            "",
            "[project]\nname = 'shop'",
            "tool = 5",
            "[tool.black]\n",
            "[tool.pymemscope]\n",
        ] {
            assert_eq!(ProjectSettings::of_text(text), Ok(ProjectSettings::default()), "{text}");
        }
    }

    #[test]
    fn a_slip_is_named_with_what_may_have_been_meant() {
        let own = |line: &str| refusal(&format!("[tool.pymemscope]\n{line}\n"));
        for (line, expected) in [
            (
                "fail_on = 'error'",
                "tool.pymemscope.fail_on: there is no such setting; did you mean fail-on?",
            ),
            (
                "colour = 'red'",
                "tool.pymemscope.colour: there is no such setting; there are fail-on, ignore, select, threshold",
            ),
            (
                "fail-on = 'warn'",
                "tool.pymemscope.fail-on: there is no severity 'warn'; did you mean warning?",
            ),
            (
                "fail-on = 2",
                "tool.pymemscope.fail-on is \"info\", \"warning\" or \"error\", not a whole number",
            ),
            (
                "select = 'large-list'",
                "tool.pymemscope.select is an array of names of rules, not a text",
            ),
            (
                "select = []",
                "tool.pymemscope.select has no names; leave it out to ask all rules",
            ),
            (
                "ignore = [1]",
                "tool.pymemscope.ignore has names of rules, not a whole number",
            ),
            (
                "ignore = ['large-lst']",
                "tool.pymemscope.ignore: there is no rule 'large-lst'; did you mean large-list?",
            ),
            (
                "threshold = 5",
                "tool.pymemscope.threshold is a table, not a whole number",
            ),
            (
                "threshold.large-list = 5",
                "tool.pymemscope.threshold.large-list is a table, not a whole number",
            ),
            (
                "threshold.large-list.items = true",
                "tool.pymemscope.threshold.large-list.items is a number, or a text such as \"2MiB\", not true or false",
            ),
            (
                "threshold.large-list.items = -5",
                "tool.pymemscope.threshold.large-list.items: '-5' is not a number of items",
            ),
            (
                "threshold.large-list.item = 5",
                "tool.pymemscope.threshold.large-list.item: large-list has no threshold 'item'; it has items, bytes, few-items; did you mean items?",
            ),
            (
                "threshold.large-lst.items = 5",
                "tool.pymemscope.threshold.large-lst.items: there is no rule 'large-lst'; did you mean large-list?",
            ),
        ] {
            assert_eq!(own(line), expected);
        }
        assert_eq!(
            refusal("tool.pymemscope = 5"),
            "tool.pymemscope is a table, not a whole number"
        );
        assert!(refusal("[project]\nname = \n").starts_with("line 2 is no TOML: "));
    }

    #[test]
    fn only_a_file_of_text_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            ProjectSettings::of_directory(folder.path()).unwrap(),
            ProjectSettings::default()
        );
        fs::create_dir(folder.path().join(FILE)).unwrap();
        let refused = ProjectSettings::of_directory(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains("pyproject.toml: it cannot be read: it is no file of text"),
            "{refused}"
        );
    }
}
