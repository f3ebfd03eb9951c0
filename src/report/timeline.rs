//! Memory over time as a drawing: resident bytes and the heap at the snapshots, what was recorded at the readings, and the
//! functions that allocated in between.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::model::Report;
use super::picture::short_path::ShortPaths;
use super::text::{command_line, cut_middle, harmless};
use crate::allocations::IMPORTING;
use crate::allocations::history::{Active, Reading};
use crate::allocations::lines::is_comprehension;
use crate::units;

/// All lengths are in pixels.
const WIDTH: f64 = 1000.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 70.0;
const HEIGHT: f64 = 320.0;
/// Of a function below the curves.
const ROW: f64 = 20.0;
/// More functions are not shown.
const MOST_FUNCTIONS: usize = 12;
/// Nor are those that allocated less than this part of what the first of them did.
const LEAST_PART: u64 = 100;
const TICKS: u32 = 5;

/// A curve: what it is called, its colour, and its points by time and bytes.
struct Curve {
    name: &'static str,
    color: &'static str,
    points: Vec<(f64, u64)>,
}

/// When a function allocated, and how much.
struct Row {
    name: String,
    bytes: u64,
    /// Beginning, end, and what came in between.
    spans: Vec<(f64, f64, u64)>,
}

/// What time and bytes are drawn as.
struct Scale {
    seconds: f64,
    bytes: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (seconds / self.seconds).clamp(0.0, 1.0)
    }

    fn y(&self, bytes: f64) -> f64 {
        TOP + HEIGHT * (1.0 - (bytes / self.bytes).clamp(0.0, 1.0))
    }
}

pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let readings = report.allocations.map_or(&[][..], |allocations| &allocations.history);
    let curves = curves(report, readings);
    let rows = rows(readings);
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let latest = points().map(|point| point.0).fold(0.0, f64::max);
    let peak = report.allocations.map(|allocations| allocations.peak_bytes);
    let most = points().map(|point| point.1).chain(peak).max().unwrap_or(0);
    let scale = Scale {
        seconds: if latest > 0.0 { latest } else { 1.0 },
        bytes: (most as f64 * 1.05).max(1.0),
    };
    let height = TOP + HEIGHT + 50.0 + ROW * rows.len() as f64 + 20.0;
    let mut svg = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" \
         height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#f8f8f8\"/>\n"
    );
    let process = &report.process;
    let title = format!("pid {} · {}", process.pid, command_line(process.command, 90));
    text(&mut svg, WIDTH / 2.0, 24.0, "middle", 16, &title);
    draw_axes(&mut svg, &scale);
    for (index, curve) in curves.iter().enumerate() {
        draw_curve(&mut svg, &scale, curve);
        let x = LEFT + 200.0 * index as f64;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"42\" width=\"12\" height=\"12\" fill=\"{}\"/>",
            curve.color
        );
        text(&mut svg, x + 18.0, 52.0, "start", 12, curve.name);
    }
    if let Some(peak) = peak {
        draw_peak(&mut svg, &scale, peak);
    }
    for (index, row) in rows.iter().enumerate() {
        draw_row(&mut svg, &scale, TOP + HEIGHT + 50.0 + ROW * index as f64, row);
    }
    svg.push_str("</svg>\n");
    out.write_all(svg.as_bytes())
}

fn curves(report: &Report<'_>, readings: &[Reading]) -> Vec<Curve> {
    let moments = || report.timeline.iter();
    let all = [
        Curve {
            name: "resident",
            color: "#4477aa",
            points: moments()
                .filter_map(|moment| Some((moment.time, moment.rss?)))
                .collect(),
        },
        Curve {
            name: "Python objects",
            color: "#ee8866",
            points: moments().map(|moment| (moment.time, moment.heap_bytes)).collect(),
        },
        Curve {
            name: "allocated and not freed",
            color: "#44aa66",
            points: readings
                .iter()
                .map(|each| (each.at.as_secs_f64(), each.alive_bytes))
                .collect(),
        },
    ];
    all.into_iter().filter(|curve| !curve.points.is_empty()).collect()
}

/// The functions that allocated most, with the times between readings in which they did. What modules do when they are
/// imported, and the machinery of imports, is left out: it would span everything.
fn rows(readings: &[Reading]) -> Vec<Row> {
    let files = readings
        .iter()
        .flat_map(|reading| &reading.active)
        .map(|active| &*active.file);
    let paths = ShortPaths::of(files.filter(|file| !file.is_empty()));
    let mut rows: Vec<Row> = Vec::new();
    let mut before = 0.0;
    for reading in readings {
        let now = reading.at.as_secs_f64();
        for active in &reading.active {
            if !is_worth_a_row(active) {
                continue;
            }
            let name = format!("{} {}", active.function, paths.place(&active.file, None));
            let span = (before, now, active.bytes);
            match rows.iter_mut().find(|row| row.name == name) {
                Some(row) => {
                    row.bytes = row.bytes.saturating_add(active.bytes);
                    row.spans.push(span);
                }
                None => rows.push(Row {
                    name,
                    bytes: active.bytes,
                    spans: vec![span],
                }),
            }
        }
        before = now;
    }
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    rows.truncate(MOST_FUNCTIONS);
    let most = rows.first().map_or(0, |row| row.bytes);
    rows.retain(|row| row.bytes >= most / LEAST_PART);
    rows
}

fn is_worth_a_row(active: &Active) -> bool {
    let is_named = !active.file.is_empty() && &*active.function != "<module>" && !is_comprehension(&active.function);
    is_named && !active.file.starts_with(IMPORTING)
}

fn draw_axes(svg: &mut String, scale: &Scale) {
    let (bottom, right) = (TOP + HEIGHT, WIDTH - RIGHT);
    for tick in 0..=TICKS {
        let part = f64::from(tick) / f64::from(TICKS);
        let bytes = scale.bytes * part;
        let y = scale.y(bytes);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>"
        );
        text(svg, LEFT - 6.0, y + 4.0, "end", 11, &units::bytes(bytes as u64));
        let seconds = scale.seconds * part;
        let label = format!("{:.*} s", usize::from(scale.seconds < 10.0), seconds);
        text(svg, scale.x(seconds), bottom + 18.0, "middle", 11, &label);
    }
    let _ = writeln!(
        svg,
        "<path d=\"M{LEFT} {TOP} V{bottom} H{right}\" fill=\"none\" stroke=\"#888888\"/>"
    );
}

/// One point alone is a dot.
fn draw_curve(svg: &mut String, scale: &Scale, curve: &Curve) {
    let point = |&(seconds, bytes): &(f64, u64)| format!("{:.1},{:.1}", scale.x(seconds), scale.y(bytes as f64));
    let points: Vec<String> = curve.points.iter().map(point).collect();
    let color = curve.color;
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
        points.join(" ")
    );
    for (&(seconds, bytes), place) in curve.points.iter().zip(&points) {
        let (x, y) = place.split_once(',').unwrap_or_default();
        let told = format!("{}: {} at {seconds:.2} s", curve.name, units::bytes(bytes));
        let _ = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{color}\"><title>{}</title></circle>",
            escaped(&told)
        );
    }
}

fn draw_peak(svg: &mut String, scale: &Scale, peak: u64) {
    let (y, right) = (scale.y(peak as f64), WIDTH - RIGHT);
    let _ = writeln!(
        svg,
        "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#44aa66\" stroke-dasharray=\"6 4\"/>"
    );
    let label = format!("at most {} at a time", units::bytes(peak));
    text(svg, right, y - 5.0, "end", 11, &label);
}

/// The name of a function stands above its bars.
fn draw_row(svg: &mut String, scale: &Scale, y: f64, row: &Row) {
    const BAR: f64 = 5.0;
    for &(start, end, bytes) in &row.spans {
        let (x, width) = (scale.x(start), (scale.x(end) - scale.x(start)).max(2.0));
        let told = format!("{}: {} from {start:.2} s to {end:.2} s", row.name, units::bytes(bytes));
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"#aa4499\"><title>{}</title></rect>",
            y + ROW - BAR - 1.0,
            escaped(&told)
        );
    }
    let first = row.spans.first().map_or(0.0, |span| span.0);
    let is_late = first > scale.seconds / 2.0;
    let (x, anchor) = match is_late {
        true => (WIDTH - RIGHT, "end"),
        false => (scale.x(first), "start"),
    };
    let label = format!("{}  {}", cut_middle(&harmless(&row.name), 100), units::bytes(row.bytes));
    text(svg, x, y + ROW - BAR - 4.0, anchor, 11, &label);
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, size: u32, shown: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{}</text>",
        escaped(shown)
    );
}

/// As a text of XML has it.
fn escaped(text: &str) -> String {
    harmless(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
