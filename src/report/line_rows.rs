//! Memory by line, with the source beside it: as rows, and as text for the terminal.

use std::io::{self, Write};
use std::ops::RangeInclusive;

use serde::Serialize;

use super::screen::{Screen, Style};
use super::terminal::paragraph;
use super::text::{harmless, width};
use crate::allocations::Allocations;
use crate::allocations::lines::{LineFigures, LineTable, Subject, line_tables};
use crate::units;

/// The lines of one file or function. Sizes are bytes.
#[derive(Debug, Serialize)]
pub struct LinesOf {
    /// The file or function as it was asked for.
    pub asked: String,
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Why there is no source beside the figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_missing: Option<String>,
    /// Of a function all lines, where there is source; else those that allocated anything.
    pub lines: Vec<LineRow>,
}

#[derive(Debug, Serialize)]
pub struct LineRow {
    pub line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What is alive of what this line allocated, or what was called from it; as are the three that follow.
    pub bytes: u64,
    pub error_bytes: u64,
    pub peak_bytes: u64,
    pub allocated_bytes: u64,
    pub allocated_count: u64,
    /// By the line itself.
    pub own_bytes: u64,
    pub own_peak_bytes: u64,
    pub own_allocated_bytes: u64,
    pub own_allocated_count: u64,
}

/// The tables of all that was asked about.
pub fn lines_of(allocations: &Allocations, subjects: &[Subject]) -> Vec<LinesOf> {
    let of_subject = |subject| {
        let tables = line_tables(allocations, subject).into_iter();
        tables.map(|table| LinesOf::new(subject, &table, allocations.sources.lines(&table.file)))
    };
    subjects.iter().flat_map(of_subject).collect()
}

impl LinesOf {
    fn new(subject: &Subject, table: &LineTable, source: Result<Vec<String>, String>) -> LinesOf {
        let texts = source.as_ref().map(Vec::as_slice).unwrap_or_default();
        let function = table.function.as_ref().filter(|_| !texts.is_empty());
        let all: Vec<u32> = match function.and_then(|function| extent(texts, function, table)) {
            Some(lines) => lines.collect(),
            None => table.lines.keys().copied().collect(),
        };
        let row = |line: u32| {
            let figures = table.lines.get(&line).copied().unwrap_or_default();
            LineRow::new(line, text_of(texts, line), &figures)
        };
        LinesOf {
            asked: subject.name().to_owned(),
            file: table.file.to_string(),
            function: table.function.as_ref().map(ToString::to_string),
            lines: all.into_iter().map(row).collect(),
            source_missing: source.err(),
        }
    }
}

impl LineRow {
    fn new(line: u32, source: Option<&str>, figures: &LineFigures) -> LineRow {
        let LineFigures { all, own } = figures;
        LineRow {
            line,
            source: source.map(str::to_owned),
            bytes: all.alive.bytes,
            error_bytes: all.alive.error_bytes(),
            peak_bytes: all.peak.bytes,
            allocated_bytes: all.allocated.bytes,
            allocated_count: all.allocated.blocks,
            own_bytes: own.alive.bytes,
            own_peak_bytes: own.peak.bytes,
            own_allocated_bytes: own.allocated.bytes,
            own_allocated_count: own.allocated.blocks,
        }
    }
}

fn text_of(texts: &[String], line: u32) -> Option<&str> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    texts.get(index).map(String::as_str)
}

/// From the line that defines a function to its last one, as its indentation tells; no less than what has figures. `None`
/// where the file has no such lines: it is another one than ran.
fn extent(texts: &[String], function: &str, table: &LineTable) -> Option<RangeInclusive<u32>> {
    let end = u32::try_from(texts.len()).ok()?;
    let (first, last) = (*table.lines.keys().next()?, *table.lines.keys().next_back()?);
    if last > end {
        return None;
    }
    let name = function.rsplit('.').next().unwrap_or(function);
    let defines = |line: &u32| {
        let text = text_of(texts, *line).unwrap_or_default().trim_start();
        let after = text.strip_prefix("async ").unwrap_or(text).strip_prefix("def ");
        let after = after.and_then(|after| after.trim_start().strip_prefix(name));
        after.is_some_and(|after| after.starts_with(['(', ' ', '[']))
    };
    let Some(start) = (1..=first).rev().find(defines) else {
        return Some(first..=last);
    };
    let indent = |text: &str| text.len() - text.trim_start().len();
    let outside = indent(text_of(texts, start).unwrap_or_default());
    let is_blank = |line: &u32| text_of(texts, *line).is_none_or(|text| text.trim().is_empty());
    let is_inside = |line: &u32| is_blank(line) || text_of(texts, *line).is_some_and(|text| indent(text) > outside);
    let inside = (last.saturating_add(1)..=end).take_while(is_inside);
    Some(start..=inside.filter(|line| !is_blank(line)).last().unwrap_or(last))
}

/// Writes them, each with what it is of.
pub fn write(all: &[LinesOf], subjects: &[Subject], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    for lines in all {
        writeln!(out)?;
        let function = lines
            .function
            .iter()
            .map(|name| format!("{name} in "))
            .collect::<String>();
        let title = format!("Lines of {function}{}", lines.file);
        paragraph(out, screen, Style::Bold, "", &harmless(&title))?;
        write_rows(&lines.lines, screen, out)?;
        if let Some(why) = &lines.source_missing {
            paragraph(out, screen, Style::Yellow, "", &harmless(why))?;
        }
    }
    if !all.is_empty() {
        let legend = "Alive, at peak, in all and blocks: of what the line allocated, or what it called did. Own: what is \
                      alive of what the line itself allocated.";
        paragraph(out, screen, Style::Dim, "", legend)?;
    }
    for subject in subjects
        .iter()
        .filter(|subject| all.iter().all(|lines| lines.asked != subject.name()))
    {
        let note = format!("Nothing was recorded in a file or function called {}.", subject.name());
        paragraph(out, screen, Style::Yellow, "", &harmless(&note))?;
    }
    Ok(())
}

fn write_rows(rows: &[LineRow], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let headings = ["Line", "Alive", "±", "Own", "At peak", "In all", "Blocks"].map(str::to_owned);
    let cells: Vec<[String; 7]> = std::iter::once(headings).chain(rows.iter().map(cells)).collect();
    let of_column = |column: usize| cells.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(of_column);
    for (index, cells) in cells.iter().enumerate() {
        let padded = cells.iter().zip(widths);
        let padded = padded.map(|(cell, room)| format!("{}{cell}", " ".repeat(room.saturating_sub(width(cell)))));
        let figures = padded.collect::<Vec<_>>().join("  ");
        let line = match index.checked_sub(1).and_then(|index| rows.get(index)) {
            None => screen.paint(Style::Bold, &figures),
            Some(row) => with_source(&figures, row.source.as_deref().unwrap_or_default(), screen),
        };
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The figures and the source beside them, as much as there is room for.
fn with_source(figures: &str, source: &str, screen: Screen) -> String {
    let source = harmless(&source.replace('\t', "    ")).into_owned();
    let room = screen
        .width
        .map_or(usize::MAX, |all| all.saturating_sub(width(figures) + 2));
    let shown: String = match width(&source) > room {
        true => source.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
        false => source,
    };
    format!("{figures}  {shown}")
}

fn cells(row: &LineRow) -> [String; 7] {
    let unless_none = |bytes: u64| match bytes {
        0 => String::new(),
        bytes => units::bytes(bytes),
    };
    [
        row.line.to_string(),
        unless_none(row.bytes),
        unless_none(row.error_bytes),
        unless_none(row.own_bytes),
        unless_none(row.peak_bytes),
        unless_none(row.allocated_bytes),
        match row.allocated_count {
            0 => String::new(),
            count => units::count(count),
        },
    ]
}
