//! The flame graph of bytes by holder, drawn by `inferno`: each object once, under the first holder that reaches it.

use std::hash::{Hash, Hasher};
use std::io::{self, Write};

use inferno::flamegraph::color::{Color, PaletteMap};
use inferno::flamegraph::{self, Direction, Options};
use rustc_hash::FxHasher;

use super::fold::fold;
use super::model::Report;
use super::text::{cut_middle, harmless};
use crate::units;

/// Longer command lines are cut in the title.
const TITLE_WIDTH: usize = 60;

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lines = fold(report.tree, report.heap.bytes);
    let mut palette = palette(&lines);
    let mut options = Options::default();
    options.title = title(report);
    options.subtitle = Some(subtitle(report));
    options.count_name = "bytes".to_owned();
    options.name_type = "Holder:".to_owned();
    options.direction = Direction::Inverted;
    options.deterministic = true;
    options.palette_map = Some(&mut palette);
    // What is too narrow is folded already; inferno would leave it out.
    options.min_width = 0.0;
    // The one way to have inferno keep the order of the lines, which it reads from the last to the first.
    options.flame_chart = true;
    flamegraph::from_lines(&mut options, lines.iter().rev().map(String::as_str), out)
}

fn title(report: &Report<'_>) -> String {
    let command = report.process.command.join(" ");
    let command = harmless(command.trim());
    format!(
        "Python {} · pid {} · {}",
        report.process.python,
        report.process.pid,
        cut_middle(&command, TITLE_WIDTH)
    )
}

fn subtitle(report: &Report<'_>) -> String {
    format!(
        "{} in {} objects, each under the first holder that reaches it; one colour a type",
        units::bytes(report.heap.bytes),
        units::count(report.heap.objects)
    )
}

/// A colour for every frame: the same for the same type, grey for what is folded.
fn palette(lines: &[String]) -> PaletteMap {
    let mut palette = PaletteMap::default();
    for line in lines {
        let path = line.rsplit_once(' ').map_or(line.as_str(), |(path, _)| path);
        for frame in path.split(';') {
            if palette.get(frame).is_none() {
                palette.insert(frame, color(frame));
            }
        }
    }
    palette
}

fn color(frame: &str) -> Color {
    if is_folded(frame) {
        return Color { r: 200, g: 200, b: 200 };
    }
    match frame.rsplit_once(": ") {
        Some((_, type_name)) => pastel(type_name),
        // A module, a thread, a class: where paths begin.
        None => Color { r: 160, g: 190, b: 225 },
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
