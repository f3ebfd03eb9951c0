//! Every output of one capture made by hand: the terminal to the letter, JSON by its schema, the SVG by its widths, and
//! the files that they are written to.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use pymemscope::capture::Capture;
use pymemscope::error::Error;
use pymemscope::report::output::{Destination, Format, Output};
use pymemscope::report::picture::format::PictureFormat;
use pymemscope::report::picture::{Asked, Picture};
use pymemscope::report::screen::Screen;
use pymemscope::report::{json, terminal};
use serde_json::Value;

#[path = "report/captured.rs"]
mod captured;

use captured::{one_look, report, shop};

// ---- the terminal ----

fn on_terminal(capture: &Capture, top: usize, screen: Screen) -> String {
    let mut written = Vec::new();
    terminal::write(&report(capture), top, screen, &mut written).unwrap();
    String::from_utf8(written).unwrap()
}

#[test]
fn the_terminal_shows_who_what_and_what_to_change() {
    assert_eq!(
        on_terminal(&shop(), 2, Screen::plain()),
        include_str!("report/terminal.txt")
    );
}

#[test]
fn one_look_has_no_column_of_growth() {
    let shown = on_terminal(&one_look(), 15, Screen::plain());
    assert!(!shown.contains("Grew"), "{shown}");
    assert!(!shown.contains("growing-container"), "{shown}");
    assert!(shown.contains("paused 11 ms (fork)"), "{shown}");
}

#[test]
fn owners_that_were_not_there_before_are_new() {
    let mut capture = shop();
    capture.snapshots[0].containers.clear();
    let shown = on_terminal(&capture, 15, Screen::plain());
    let owners = shown.split_once("\nOwner").unwrap().1.split_once("\nKeeps").unwrap().0;
    for owner in owners.lines().skip(1) {
        assert!(owner.ends_with("  new"), "{owner:?}");
    }
    let legend = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(legend.contains("new was not there, or too small"), "{shown}");
    let report = as_json(&capture);
    assert_eq!(
        (&report["owners"][0]["new"], report["owners"][0].get("growth_bytes")),
        (&true.into(), None)
    );
    assert_eq!(as_json(&shop())["owners"][0].get("new"), None);
}

#[test]
fn owners_without_a_row_are_added_up_and_none_is_counted_twice() {
    let kept = |top| {
        let shown = on_terminal(&shop(), top, Screen::plain());
        let rest = shown
            .lines()
            .find(|line| line.contains(" more owner"))
            .unwrap_or_default();
        rest.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // The first of the linked list is a part of the cache that has a row.
    assert_eq!(kept(2), "3 more owners 14.0 MiB");
    assert_eq!(kept(6), "1 more owner 0 B");
    assert_eq!(kept(8), "");
}

#[test]
fn a_narrow_terminal_is_not_overrun() {
    let screen = Screen {
        width: Some(60),
        colors: false,
    };
    for line in on_terminal(&shop(), 15, screen).lines() {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
fn names_of_the_program_cannot_command_the_terminal() {
    let mut capture = shop();
    capture.process.command = vec!["\u{1b}]0;owned\u{7}".to_owned()];
    capture.heap.types[0].name = "a.\u{1b}[2J".into();
    capture.heap.containers[0].path = "shop.\r\nEvil".to_owned();
    capture.warnings = vec!["\u{9b}31m".to_owned()];
    let shown = on_terminal(&capture, 15, Screen::plain());
    assert!(
        shown
            .chars()
            .all(|character| character == '\n' || !character.is_control()),
        "{shown:?}"
    );
}

#[test]
fn colours_change_no_letter() {
    let colourful = on_terminal(
        &shop(),
        15,
        Screen {
            width: Some(100),
            colors: true,
        },
    );
    assert!(
        colourful.contains("\u{1b}[33mlarge-list       \u{1b}[0m"),
        "{colourful}"
    );
    let mut plain = String::new();
    let mut rest = colourful.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(
        plain,
        on_terminal(
            &shop(),
            15,
            Screen {
                width: Some(100),
                colors: false
            }
        )
    );
}

// ---- JSON ----

fn as_json(capture: &Capture) -> Value {
    let mut written = Vec::new();
    json::write(&report(capture), &mut written).unwrap();
    assert_eq!(written.iter().filter(|&&byte| byte == b'\n').count(), 1);
    serde_json::from_slice(&written).unwrap()
}

fn violations(report: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(json::SCHEMA_TEXT).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    validator
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_report_conforms_to_its_schema() {
    for capture in [shop(), one_look()] {
        assert_eq!(violations(&as_json(&capture)), [] as [String; 0]);
    }
}

#[test]
fn the_schema_refuses_what_it_does_not_know() {
    let mut unknown = as_json(&shop());
    unknown["heap"]["secret"] = 1.into();
    assert_eq!(violations(&unknown).len(), 1);
    let mut missing = as_json(&shop());
    missing["process"].as_object_mut().unwrap().remove("pid");
    assert_eq!(violations(&missing).len(), 1);
}

#[test]
fn what_does_not_exist_is_absent_and_not_null() {
    let report = as_json(&one_look());
    for absent in ["memory", "sites"] {
        assert_eq!(report.get(absent), None);
    }
    assert_eq!(report["types"][0].get("growth_count"), None);
    assert_eq!(report["owners"][0].get("growth_length"), None);
    assert_eq!(report["owners"][3].get("length"), None);
    assert!(!report.to_string().contains("null"));
}

#[test]
fn json_says_what_was_captured() {
    let report = as_json(&shop());
    assert_eq!(report["schema"], "pymemscope/report/1");
    assert_eq!(report["capture"]["mode"], "attach");
    assert_eq!(report["capture"]["samples"], 2);
    assert_eq!(report["types"][0]["growth_count"], 4_112);
    assert_eq!(report["owners"][0]["path"], "shop.cache.PRICES");
    assert_eq!(report["owners"][0]["growth_length"], 4_110);
    assert_eq!(report["timeline"][1]["time"], 10.0);
    let rules: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["unbounded-cache", "large-list", "growing-container"]);
    assert_eq!(report["findings"][0]["location"]["line"], 31);
    assert_eq!(report["findings"][0]["object"]["address"], "0x7f1234502ee0");
}

// ---- the flame graph ----

/// The frames that are drawn: depth, first byte, width in bytes, title.
fn frames(svg: &str) -> Vec<(u64, u64, u64, String)> {
    let number = |text: &str, name: &str| -> u64 {
        let after = text.split_once(&format!("{name}=\"")).unwrap().1;
        after.split_once('"').unwrap().0.parse().unwrap()
    };
    let drawn = svg.split_once("id=\"frames\"").unwrap().1;
    drawn
        .split("<g>")
        .skip(1)
        .map(|frame| {
            let title = frame.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
            (
                number(frame, " y"),
                number(frame, "fg:x"),
                number(frame, "fg:w"),
                title.to_owned(),
            )
        })
        .collect()
}

fn as_svg(capture: &Capture) -> String {
    let mut written = Vec::new();
    let picture = Picture::of(capture, Asked::default()).unwrap();
    PictureFormat::Svg.write(&picture, &mut written).unwrap();
    String::from_utf8(written).unwrap()
}

#[test]
fn the_widths_add_up_to_the_heap() {
    let capture = shop();
    let drawn = frames(&as_svg(&capture));
    let total = capture.heap.totals.bytes;
    let mut rows: Vec<u64> = drawn.iter().map(|frame| frame.0).collect();
    rows.sort_unstable();
    rows.dedup();
    let width_of = |row: u64| {
        drawn
            .iter()
            .filter(|frame| frame.0 == row)
            .map(|frame| frame.2)
            .sum::<u64>()
    };
    assert_eq!(width_of(rows[0]), total, "the frame of everything");
    assert_eq!(width_of(rows[1]), total, "the roots, which have no bytes beside them");
    assert!(rows.windows(2).all(|pair| width_of(pair[0]) >= width_of(pair[1])));
}

#[test]
fn frames_of_a_row_do_not_overlap_and_small_ones_are_folded() {
    let mut drawn = frames(&as_svg(&shop()));
    drawn.sort();
    for pair in drawn.windows(2) {
        assert!(pair[0].0 != pair[1].0 || pair[0].1 + pair[0].2 <= pair[1].1, "{pair:?}");
    }
    assert!(drawn.len() < 100, "{}", drawn.len());
    assert!(
        drawn.iter().any(|frame| frame.3.starts_with("(40000 smaller holders)")),
        "{drawn:?}"
    );
}

#[test]
fn any_name_makes_well_formed_xml() {
    let svg = as_svg(&shop());
    assert!(
        svg.contains("[&apos;&lt;&amp;&quot;\\x3b\\u{1}&apos;]: str (65,536 bytes"),
        "{svg}"
    );
    assert!(svg.contains("take\u{a0}5 (65,536 bytes"));
    let (_, whole) = svg.split_once("<title>heap (").unwrap();
    assert!(whole.split_once("</text>").unwrap().0.ends_with(">heap"), "{whole}");
    assert!(
        svg.chars()
            .all(|character| character == '\n' || character == '\t' || !character.is_control())
    );
}

// ---- files ----

fn write(path: &Path, force: bool) -> Result<(), Error> {
    let output = Output {
        destination: Destination::File(path.to_owned()),
        format: Format::Json,
    };
    output.check(force)?;
    output.write_with(force, |out| json::write(&report(&shop()), out))
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn files_are_for_their_owner_only_also_when_they_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    write(&path, false).unwrap();
    assert_eq!(mode(), 0o600);

    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(write(&path, false), Err(Error::OutputExists { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    write(&path, true).unwrap();
    assert_eq!(mode(), 0o600);
    assert!(fs::read_to_string(&path).unwrap().starts_with("{\"schema\""));
    assert_eq!(names_in(folder.path()), ["x.json"]);
}

#[test]
fn a_check_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = Output {
        destination: Destination::File(folder.path().join("x.svg")),
        format: Format::Picture(PictureFormat::Svg),
    };
    output.check(false).unwrap();
    assert_eq!(names_in(folder.path()), [] as [String; 0]);
}

#[test]
fn a_file_that_appeared_after_the_check_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let output = Output {
        destination: Destination::File(path.clone()),
        format: Format::Json,
    };
    output.check(false).unwrap();
    fs::write(&path, "somebody else's").unwrap();
    assert!(matches!(
        output.write_with(false, |out| json::write(&report(&shop()), out)),
        Err(Error::OutputExists { .. })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
    assert_eq!(names_in(folder.path()), ["x.json"]);
}

#[test]
fn a_link_is_replaced_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, victim) = (folder.path().join("x.json"), folder.path().join("victim"));
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, &path).unwrap();
    assert!(matches!(write(&path, false), Err(Error::OutputExists { .. })));
    write(&path, true).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
}

#[test]
fn a_device_is_written_into_and_stays_a_device() {
    write(Path::new("/dev/null"), true).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_folder_or_a_place_that_is_not_there_is_refused_before() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().to_owned(),
        folder.path().join("absent/x.json"),
        "/proc/x.json".into(),
    ] {
        for force in [false, true] {
            assert!(
                matches!(write(&path, force), Err(Error::OutputUnwritable { .. })),
                "{path:?}"
            );
        }
    }
}
