//! Flame graphs, drawn by `inferno`: bytes by what would go with what, or by type and what refers to it.

use std::hash::{Hash, Hasher};
use std::io::{self, Write};

use inferno::flamegraph::color::{BackgroundColor, Color, PaletteMap};
use inferno::flamegraph::{self, Direction, Options};
use rustc_hash::FxHasher;

use super::fold::fold;
use super::model::Report;
use super::text::command_line;
use crate::heap::wanted::Graph;
use crate::units;

/// Where paths begin: a module, a thread, the interpreter.
const ROOT: Color = Color { r: 160, g: 190, b: 225 };
/// What is folded, and the frame of everything.
const NEUTRAL: Color = Color { r: 205, g: 205, b: 205 };
/// Longer command lines are cut in the title.
const TITLE_WIDTH: usize = 60;

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lines = fold(report.tree, report.heap.bytes);
    let mut palette = palette(&lines, report.graph);
    let mut options = Options::default();
    options.title = title(report);
    options.subtitle = Some(subtitle(report));
    options.count_name = "bytes".to_owned();
    options.name_type = match report.graph {
        Graph::Ownership => "Holder:".to_owned(),
        Graph::Types => "Type:".to_owned(),
    };
    options.direction = Direction::Inverted;
    options.deterministic = true;
    options.bgcolors = Some(BackgroundColor::Grey);
    options.palette_map = Some(&mut palette);
    // What is too narrow is folded already; inferno would leave it out.
    options.min_width = 0.0;
    // The one way to have inferno keep the order of the lines, which it reads from the last to the first.
    options.flame_chart = true;
    let mut drawn = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().rev().map(String::as_str), &mut drawn)?;
    write_with_whole(&drawn, out)
}

/// The frame of everything has no name of its own, and where no script runs no text either.
fn write_with_whole(drawn: &[u8], out: &mut dyn Write) -> io::Result<()> {
    const TITLE: &str = "<title>all (";
    let drawn = String::from_utf8_lossy(drawn);
    let Some((before, frame)) = drawn.split_once(TITLE) else {
        return out.write_all(drawn.as_bytes());
    };
    let (frame, after) = frame.split_once("</text>").unwrap_or((frame, ""));
    let end = if after.is_empty() { "" } else { "heap</text>" };
    write!(out, "{before}<title>heap ({frame}{end}{after}")
}

fn title(report: &Report<'_>) -> String {
    let command = command_line(report.process.command, TITLE_WIDTH);
    format!(
        "Python {} · pid {} · {command}",
        report.process.python, report.process.pid
    )
}

fn subtitle(report: &Report<'_>) -> String {
    let what = match report.graph {
        Graph::Ownership => "each under the last holder that all references to it pass; one colour a type",
        Graph::Types => "by type and by the types that refer to them",
    };
    format!(
        "{} in {} objects, {what}",
        units::bytes(report.heap.bytes),
        units::count(report.heap.objects)
    )
}

/// A colour for every frame: the same for the same type.
fn palette(lines: &[String], graph: Graph) -> PaletteMap {
    let mut palette = PaletteMap::default();
    palette.insert("", NEUTRAL);
    for line in lines {
        let path = line.rsplit_once(' ').map_or(line.as_str(), |(path, _)| path);
        for (depth, frame) in path.split(';').enumerate() {
            if palette.get(frame).is_none() {
                palette.insert(frame, color(frame, depth, graph));
            }
        }
    }
    palette
}

fn color(frame: &str, depth: usize, graph: Graph) -> Color {
    if is_folded(frame) {
        NEUTRAL
    } else if depth == 0 && graph == Graph::Ownership {
        ROOT
    } else {
        // Objects without a name of their own are labelled by their type alone.
        pastel(frame.rsplit_once(": ").map_or(frame, |(_, type_name)| type_name))
    }
}

/// Whether the frame stands for many small ones, or for none at all (see `fold`).
fn is_folded(frame: &str) -> bool {
    frame.starts_with('(') && ["holder)", "holders)", "tree)"].iter().any(|end| frame.ends_with(end))
}

/// A light colour that black text is readable on, its hue chosen by the name.
fn pastel(name: &str) -> Color {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    let hue = (hasher.finish() >> 32) as f64 / f64::from(u32::MAX) * 6.0;
    let rising = |hue: f64| 150.0 + 95.0 * (1.0 - (hue.rem_euclid(6.0) - 3.0).abs().clamp(1.0, 2.0) + 1.0);
    Color {
        r: rising(hue + 3.0) as u8,
        g: rising(hue + 1.0) as u8,
        b: rising(hue - 1.0) as u8,
    }
}
