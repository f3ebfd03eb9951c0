//! Where a finding is: a file and a line where these are known, and the object by its path.

use std::path::Path;

use serde::Serialize;

use crate::report::model::Report;
use crate::rules::finding::{Finding, Location as Place};

/// The name that services give to the root of what they scan.
const SOURCE_ROOT: &str = "%SRCROOT%";

#[derive(Serialize)]
pub(super) struct UriBases {
    #[serde(rename = "%SRCROOT%")]
    source_root: UriBase,
}

#[derive(Serialize)]
struct UriBase {
    uri: String,
}

impl UriBases {
    pub(super) fn of(here: &Path) -> UriBases {
        let path = here.to_string_lossy();
        let uri = format!("file://{}/", encoded(path.trim_end_matches('/')));
        UriBases {
            source_root: UriBase { uri },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    physical_location: PhysicalLocation,
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: &'static str,
}

impl Location {
    /// Services refuse findings without a file. Where it is not known which one an object comes from, it is that of the
    /// module that holds it, or else the program's.
    pub(super) fn of(finding: &Finding, report: &Report<'_>, here: Option<&Path>) -> Location {
        let place = finding.location.as_ref().filter(|place| is_file(&place.file));
        let sources = &report.sources;
        let of_module = sources.of_holder(&finding.object.path);
        let file = place.map(|place| &*place.file).or(of_module);
        let file = sources.whole(file.unwrap_or_else(|| sources.program(&report.process)));
        let line = place.map(|place| place.line).filter(|&line| line > 0);
        Location {
            physical_location: PhysicalLocation {
                artifact_location: artifact(&file, here),
                region: line.map(|start_line| Region { start_line }),
            },
            logical_locations: logical(finding),
            message: place.is_none().then_some(Text {
                text: match of_module {
                    Some(_) => "The module that holds it; the line is not known.",
                    None => "The program; the line is not known.",
                },
            }),
        }
    }
}

/// The object, and the function that has to do with it.
fn logical(finding: &Finding) -> Vec<LogicalLocation> {
    let object = LogicalLocation {
        fully_qualified_name: finding.object.path.clone(),
        kind: "variable",
    };
    let function = finding.location.as_ref().map(|Place { function, .. }| LogicalLocation {
        fully_qualified_name: function.clone(),
        kind: "function",
    });
    std::iter::once(object).chain(function).collect()
}

/// Code that was made at run time has names such as `<string>`.
fn is_file(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('<')
}

fn artifact(file: &str, here: Option<&Path>) -> Artifact {
    let path = Path::new(file);
    match here.and_then(|here| path.strip_prefix(here).ok()) {
        Some(below) => Artifact {
            uri: encoded(&below.to_string_lossy()),
            uri_base_id: Some(SOURCE_ROOT),
        },
        None if path.is_absolute() => Artifact {
            uri: format!("file://{}", encoded(file)),
            uri_base_id: None,
        },
        // Relative to where the program was started, which only it knows.
        None => Artifact {
            uri: encoded(file.trim_start_matches("./")),
            uri_base_id: None,
        },
    }
}

/// A path as part of a URI (RFC 3986).
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(byte.into()),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_the_directory_are_named_from_there() {
        let uri = |file: &str| {
            let artifact = artifact(file, Some(Path::new("/srv/shop")));
            (artifact.uri, artifact.uri_base_id)
        };
        let (below, elsewhere) = (Some("%SRCROOT%"), None);
        assert_eq!(uri("/srv/shop/a b/models.py"), ("a%20b/models.py".to_owned(), below));
        assert_eq!(
            uri("/srv/shopping.py"),
            ("file:///srv/shopping.py".to_owned(), elsewhere)
        );
        assert_eq!(uri("./app.py"), ("app.py".to_owned(), elsewhere));
        assert_eq!(
            uri("/srv/größe#1.py"),
            ("file:///srv/gr%C3%B6%C3%9Fe%231.py".to_owned(), elsewhere)
        );
        assert_eq!(UriBases::of(Path::new("/")).source_root.uri, "file:///");
    }

    #[test]
    fn code_of_run_time_has_no_file() {
        assert!(!is_file("<string>") && is_file("app.py"));
    }
}
