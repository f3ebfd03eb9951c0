//! Flame graphs, drawn by `inferno`: of one picture, or of what changed between two.

use std::hash::{Hash, Hasher};
use std::io::{self, Write};

use inferno::flamegraph::color::{BackgroundColor, Color, PaletteMap};
use inferno::flamegraph::{self, Direction, Options};
use rustc_hash::FxHasher;

use super::fold::{Line, folded};
use super::{Graph, Picture, Weight};
use crate::units;

/// Where paths begin: a module, a thread, the interpreter.
const ROOT: Color = Color { r: 160, g: 190, b: 225 };
/// What is folded, and the frame of everything.
const NEUTRAL: Color = Color { r: 205, g: 205, b: 205 };
/// How the names of frames end that stand for many small ones, or for what is not known.
const NEUTRAL_ENDS: [&str; 8] = [
    "holder)",
    "holders)",
    "frame)",
    "frames)",
    "tree)",
    "attach)",
    "observed)",
    "traced)",
];

pub fn write(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let lines = folded([picture]);
    let mut palette = palette(&lines, picture.graph);
    let mut options = options(picture);
    options.subtitle = Some(format!("{}, {}", amounts(picture), meaning(picture)));
    options.palette_map = Some(&mut palette);
    draw(options, &lines, whole(picture), out)
}

/// Draws the later of two pictures, in red what has grown since the earlier one, and in blue what has shrunk.
pub fn write_difference(old: &Picture, new: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = folded([old, new]);
    // What is gone has no width.
    lines.retain(|line| line.own[1] > 0);
    let mut options = options(new);
    options.subtitle = Some(format!(
        "{} before, {} now; red has grown, blue has shrunk, what is gone has no width",
        amounts(old),
        amounts(new)
    ));
    draw(options, &lines, whole(new), out)
}

fn options<'a>(picture: &Picture) -> Options<'a> {
    let mut options = Options::default();
    options.title = picture.title.clone();
    options.count_name = picture.unit().to_owned();
    options.name_type = match picture.graph {
        Graph::Ownership => "Holder:".to_owned(),
        Graph::Types => "Type:".to_owned(),
        Graph::Allocation => "Frame:".to_owned(),
    };
    options.direction = Direction::Inverted;
    options.deterministic = true;
    options.bgcolors = Some(BackgroundColor::Grey);
    // What is too narrow is folded already; inferno would leave it out.
    options.min_width = 0.0;
    // The one way to have inferno keep the order of the lines, which it reads from the last to the first.
    options.flame_chart = true;
    options
}

fn draw<const N: usize>(
    mut options: Options<'_>,
    lines: &[Line<N>],
    whole: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut texts: Vec<String> = lines.iter().map(Line::text).collect();
    if texts.is_empty() {
        // Of nothing inferno draws an error.
        texts.push("(nothing) 1".to_owned());
    }
    let mut drawn = Vec::new();
    flamegraph::from_lines(&mut options, texts.iter().rev().map(String::as_str), &mut drawn)?;
    write_with_whole(&drawn, whole, out)
}

/// The frame of everything has no name of its own, and where no script runs no text either.
fn write_with_whole(drawn: &[u8], whole: &str, out: &mut dyn Write) -> io::Result<()> {
    const TITLE: &str = "<title>all (";
    let drawn = String::from_utf8_lossy(drawn);
    let Some((before, frame)) = drawn.split_once(TITLE) else {
        return out.write_all(drawn.as_bytes());
    };
    let (frame, after) = frame.split_once("</text>").unwrap_or((frame, ""));
    let end = match after.is_empty() {
        true => String::new(),
        false => format!("{whole}</text>"),
    };
    write!(out, "{before}<title>{whole} ({frame}{end}{after}")
}

/// What the frame of everything is called.
fn whole(picture: &Picture) -> &'static str {
    match picture.recorded {
        Some(_) => "allocations",
        None => "heap",
    }
}

/// `1.2 GiB in 2 184 302 objects`
fn amounts(picture: &Picture) -> String {
    let total = picture.total();
    format!(
        "{} in {} {}",
        units::bytes(total.bytes),
        units::count(total.objects),
        picture.things()
    )
}

fn meaning(picture: &Picture) -> &'static str {
    match (picture.graph, picture.weight) {
        (_, Weight::Peak) => "alive when most was, by the calls that allocated it",
        (_, Weight::Total) => "allocated in all, by the calls that did",
        (_, Weight::Growth) if picture.recorded.is_some() => {
            "alive and allocated since the first snapshot, by the calls that did"
        }
        (_, Weight::Bytes | Weight::Count) if picture.recorded.is_some() => "alive, by the calls that allocated it",
        (Graph::Ownership, _) => "each under the last holder that all references to it pass; one colour a type",
        (Graph::Types, _) => "by type and by the types that refer to them",
        (Graph::Allocation, Weight::Growth) => "that came since the first snapshot, by the calls that made them",
        (Graph::Allocation, _) => "by the calls that made them",
    }
}

/// A colour for every frame: the same for the same type.
fn palette(lines: &[Line<1>], graph: Graph) -> PaletteMap {
    let mut palette = PaletteMap::default();
    palette.insert("", NEUTRAL);
    for line in lines {
        for (depth, frame) in line.path.split(';').enumerate() {
            if palette.get(frame).is_none() {
                palette.insert(frame, color(frame, depth, graph));
            }
        }
    }
    palette
}

fn color(frame: &str, depth: usize, graph: Graph) -> Color {
    match graph {
        _ if is_neutral(frame) => NEUTRAL,
        Graph::Ownership if depth == 0 => ROOT,
        // Objects without a name of their own are labelled by their type alone.
        Graph::Ownership | Graph::Types => pastel(frame.rsplit_once(": ").map_or(frame, |(_, type_name)| type_name)),
        Graph::Allocation => pastel(file_of(frame)),
    }
}

/// The file in the name of a call, `total …/shop/models.py:88`; of a type the whole name.
fn file_of(frame: &str) -> &str {
    let place = frame.rsplit_once(' ').map_or(frame, |(_, place)| place);
    place.rsplit_once(':').map_or(place, |(file, _)| file)
}

/// Whether the frame stands for many small ones (see `fold`), or for what is not known.
fn is_neutral(frame: &str) -> bool {
    frame.starts_with('(') && NEUTRAL_ENDS.iter().any(|end| frame.ends_with(end))
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
