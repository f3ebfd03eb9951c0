//! Findings as SARIF 2.1.0, the form that code-scanning services take.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::io::{self, Write};
use std::path::Path;

use rustc_hash::FxHashMap;
use serde::Serialize;

use self::place::{Location, UriBases};
use self::properties::Properties;
use super::model::{Process, Report};
use crate::heap::digest;
use crate::rules::Rule;
use crate::rules::catalogue::RULES;
use crate::rules::finding::{Finding, Severity};
use crate::rules::path::alike;

mod place;
mod properties;
mod sources;

pub use self::sources::Sources;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const VERSION: &str = "2.1.0";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation<'a>; 1],
    /// What URIs without a scheme are relative to.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_uri_base_ids: Option<UriBases>,
    results: Vec<FoundResult<'a>>,
    properties: RunProperties<'a>,
}

/// What the findings are about.
#[derive(Serialize)]
struct RunProperties<'a> {
    mode: &'static str,
    process: &'a Process<'a>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Help,
    properties: Tags,
}

#[derive(Serialize)]
struct Tags {
    tags: [&'static str; 2],
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    level: &'static str,
    message: Said<'a>,
}

/// A text that is shown as it is: notifications have no placeholders and no links.
#[derive(Serialize)]
struct Said<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FoundResult<'a> {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    properties: Properties<'a>,
}

/// What tells that a finding of a later run is the same. GitHub knows only its own name for that.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "pymemscope/v1")]
    own: String,
    #[serde(rename = "primaryLocationLineHash")]
    github: String,
}

/// Files below `here` are named by their paths from there.
pub fn write(report: &Report<'_>, here: Option<&Path>, out: &mut dyn Write) -> io::Result<()> {
    let log = Log {
        schema: SCHEMA,
        version: VERSION,
        runs: [run(report, here)],
    };
    serde_json::to_writer(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn run<'a>(report: &'a Report<'_>, here: Option<&Path>) -> Run<'a> {
    let mut fingerprints = FingerprintsGiven::default();
    let result = |finding: &'a Finding| FoundResult {
        rule_id: finding.rule,
        rule_index: RULES.iter().position(|rule| rule.name == finding.rule),
        level: level(finding.severity),
        message: Message {
            text: literal(&format!("{}. {}", finding.summary, finding.advice)),
        },
        locations: [Location::of(finding, report, here)],
        partial_fingerprints: fingerprints.of(finding),
        properties: Properties::of(finding),
    };
    Run {
        tool: Tool { driver: driver() },
        results: report.findings.iter().map(result).collect(),
        invocations: [Invocation {
            execution_successful: true,
            tool_execution_notifications: report.capture.warnings.iter().map(|text| warning(text)).collect(),
        }],
        original_uri_base_ids: here.map(UriBases::of),
        properties: RunProperties {
            mode: report.capture.mode,
            process: &report.process,
        },
    }
}

fn driver() -> Driver {
    Driver {
        name: "pymemscope",
        version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: RULES.iter().map(|rule| descriptor(rule)).collect(),
    }
}

fn descriptor(rule: &Rule) -> Descriptor {
    let page = rule.page();
    Descriptor {
        id: rule.name,
        short_description: Message {
            text: rule.headline() + ".",
        },
        full_description: Message { text: rule.measures() },
        help: Help {
            text: page.clone(),
            markdown: page,
        },
        properties: Tags {
            tags: ["memory", "performance"],
        },
    }
}

fn warning(text: &str) -> Notification<'_> {
    Notification {
        level: "warning",
        message: Said { text },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// The text as a message that says just that. Names and keys of the program are part of it, and a viewer would put
/// something else in the place of `{0}`, and make a link of `[text](address)` (3.11.5 and 3.11.6 of the standard).
fn literal(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace("](", "\\](")
}

/// Gives every finding of a run a fingerprint of its own.
#[derive(Default)]
struct FingerprintsGiven(FxHashMap<String, u32>);

impl FingerprintsGiven {
    /// Made of what stays from run to run: no address, figure or line, and no key or place among others. Findings that
    /// are alike in all of that are numbered.
    fn of(&mut self, finding: &Finding) -> Fingerprints {
        let function = finding.location.as_ref().map_or("", |place| place.function.as_str());
        let path = alike(&finding.object.path);
        let identity = digest(&[finding.rule, function, &path, &finding.object.type_name].join("\0"));
        let number = self.0.entry(identity.clone()).or_default();
        *number += 1;
        let own = format!("{identity}:{number}");
        Fingerprints {
            github: own.clone(),
            own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_program_becomes_a_placeholder_or_a_link() {
        assert_eq!(literal("a.B['{0}'][x](y)"), "a.B['{{0}}'][x\\](y)");
        assert_eq!(literal("a.B['eu']: 3 items"), "a.B['eu']: 3 items");
    }
}
