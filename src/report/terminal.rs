//! The report as text for people: who it is, what is there, who keeps it, what to change.

use std::io::{self, Write};
use std::time::Duration;

use super::manner::{manners, reasons};
use super::model::{OwnerRow, Process, Report, TypeRow};
use super::screen::{Screen, Style};
use super::table::{Table, paired};
use super::text::{command_line, cut_middle, harmless, width, wrap};
use super::{divisions, garbage, line_rows, recording_table, site_table};
use crate::rules::catalogue::RULES;
use crate::rules::finding::{Fact, Finding, Severity};
use crate::rules::not_judged::Reason;
use crate::rules::threshold::Unit;
use crate::units;

/// Owners are shown in fewer rows than types: the largest few explain most.
const OWNERS_PER_TYPE: usize = 2;
/// The column of what owners retain.
const RETAINS: usize = 4;

/// Writes the report with at most `top` rows of types.
pub fn write(report: &Report<'_>, top: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    write_head(report, screen, out)?;
    if let Some(types) = types_table(report, top) {
        write_table(&types, screen, out)?;
    }
    divisions::write(report, top, screen, out)?;
    if let Some(owners) = owners_table(report, top.div_ceil(OWNERS_PER_TYPE)) {
        write_table(&owners, screen, out)?;
        paragraph(out, screen, Style::Dim, "", &legend(report))?;
    }
    site_table::write(report, top.saturating_mul(2).div_ceil(3), screen, out)?;
    if let (Some(allocations), Some(recording)) = (report.allocations, &report.recording) {
        recording_table::write(allocations, &report.view, top, screen, out)?;
        line_rows::write(&recording.lines, &report.view.lines, screen, out)?;
    }
    garbage::write(report, screen, out)?;
    if report.capture.unread.is_none() {
        findings(report, screen, out)?;
    }
    write_warnings(report, screen, out)
}

/// Writes whose heap it is and how it was read.
pub fn write_head(report: &Report<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        screen.paint(Style::Bold, &header(&report.process, report.rss, screen))
    )?;
    for line in wrap(&measurement(report), screen.text_width()) {
        writeln!(out, "{line}")?;
    }
    for reason in reasons(report) {
        paragraph(out, screen, Style::Dim, "", &harmless(&reason))?;
    }
    Ok(())
}

pub fn write_warnings(report: &Report<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    for warning in &report.capture.warnings {
        paragraph(out, screen, Style::Yellow, "warning: ", &harmless(warning))?;
    }
    Ok(())
}

pub(super) fn write_table(table: &Table, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    table.lines(screen).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// `Python 3.12.1 · pid 4242 · gunicorn: worker [shop] · rss 412 MiB`
pub(super) fn header(process: &Process<'_>, rss: Option<u64>, screen: Screen) -> String {
    let debug = if process.build == "release" {
        String::new()
    } else {
        format!(" ({})", harmless(process.build))
    };
    // In a saved heap these are what somebody else has written.
    let before = match process.python {
        "" => format!("pid {} · ", process.pid),
        python => format!("Python {}{debug} · pid {} · ", harmless(python), process.pid),
    };
    let after = rss.map_or_else(String::new, |rss| format!(" · rss {}", units::bytes(rss)));
    let executable = [process.executable.to_owned()];
    let command = if process.command.is_empty() {
        &executable
    } else {
        process.command
    };
    let room = screen
        .text_width()
        .saturating_sub(width(&before) + width(&after))
        .max(10);
    format!("{before}{}{after}", command_line(command, room))
}

/// `paused 11 ms (fork), read 2 184 302 objects, 0 rejected`
fn measurement(report: &Report<'_>) -> String {
    let capture = &report.capture;
    if let Some(why) = capture.unread {
        return format!("Its heap was never read: {}", harmless(why));
    }
    format!(
        "{}, read {} objects, {} rejected",
        pauses(&capture.pauses, manners(report).as_deref()),
        units::count(capture.objects_read),
        units::count(capture.objects_rejected)
    )
}

/// `paused 11 ms (fork)`
pub(super) fn pauses(seconds: &[f64], freeze: Option<&str>) -> String {
    let Some(freeze) = freeze else {
        return "from a core".to_owned();
    };
    let pauses: Vec<Duration> = seconds
        .iter()
        .filter_map(|&pause| Duration::try_from_secs_f64(pause).ok())
        .collect();
    let longest = pauses.iter().max().copied().unwrap_or_default();
    match pauses.len() {
        0 => format!("never paused ({freeze})"),
        1 => format!("paused {} ({freeze})", units::time(longest)),
        times => {
            let all = units::time(pauses.iter().sum());
            format!(
                "paused {times} times, {} at most, {all} in all ({freeze})",
                units::time(longest)
            )
        }
    }
}

fn types_table(report: &Report<'_>, top: usize) -> Option<Table> {
    let shown = report.types.get(..top).unwrap_or(&report.types);
    let mut table = Table {
        headings: headings(&["Type", "Count", "Bytes"], report),
        ..Table::default()
    };
    let growth = growth_cells(report, shown, |row: &TypeRow| Growth {
        count: row.growth_count,
        bytes: row.growth_bytes,
        is_new: false,
    });
    for (index, row) in shown.iter().enumerate() {
        let mut cells = vec![
            harmless(&row.name).into_owned(),
            units::count(row.count),
            units::bytes(row.bytes),
        ];
        cells.extend(growth.as_ref().and_then(|growth| growth.get(index).cloned()));
        table.rows.push(cells);
    }
    let rest = &report.types[shown.len()..];
    if !rest.is_empty() {
        let count = rest.iter().map(|row| row.count).sum();
        let bytes = rest.iter().map(|row| row.bytes).sum();
        let name = format!(
            "{} more {}",
            units::count(rest.len() as u64),
            if rest.len() == 1 { "type" } else { "types" }
        );
        table.remainder = Some(vec![name, units::count(count), units::bytes(bytes)]);
    }
    (!shown.is_empty()).then_some(table)
}

fn owners_table(report: &Report<'_>, top: usize) -> Option<Table> {
    let (shown, rest) = report.owners.split_at(top.min(report.owners.len()));
    let mut table = Table {
        more_texts: 1,
        spare: Some(RETAINS),
        headings: headings(&["Owner", "Type", "Items", "Keeps", "Retains"], report),
        ..Table::default()
    };
    let growth = growth_cells(report, shown, |row: &OwnerRow<'_>| Growth {
        count: row.growth_length,
        bytes: row.growth_bytes,
        is_new: row.is_new,
    });
    for (index, row) in shown.iter().enumerate() {
        let mut cells = vec![
            harmless(row.path).into_owned(),
            short_type(&row.type_name),
            row.length.map(units::count).unwrap_or_default(),
            units::bytes(row.bytes),
            units::bytes(row.retained_bytes),
        ];
        cells.extend(growth.as_ref().and_then(|growth| growth.get(index).cloned()));
        table.rows.push(cells);
    }
    let left_out = report.owners_left_out.and(rest);
    if left_out.count > 0 {
        let noun = if left_out.count == 1 { "owner" } else { "owners" };
        let name = format!("{} more {noun}", units::count(left_out.count));
        table.remainder = Some(vec![name, String::new(), String::new(), units::bytes(left_out.bytes)]);
    }
    (!shown.is_empty()).then_some(table)
}

/// The name of a type without its module, cut to what a column has room for.
pub(super) fn short_type(name: &str) -> String {
    const ROOM: usize = 18;
    cut_middle(&harmless(name.rsplit('.').next().unwrap_or(name)), ROOM).into_owned()
}

/// The headings, and that of growth when there were snapshots to compare.
fn headings(of: &[&str], report: &Report<'_>) -> Vec<String> {
    let mut headings: Vec<String> = of.iter().map(|&heading| heading.to_owned()).collect();
    if report.capture.samples > 1 {
        let duration = Duration::try_from_secs_f64(report.capture.duration).unwrap_or_default();
        headings.push(format!("Grew in {}", units::time(duration)));
    }
    headings
}

/// What a row has grown by.
struct Growth {
    count: Option<i64>,
    bytes: Option<i64>,
    is_new: bool,
}

/// The cells of the growth column; `None` when there was nothing to compare with.
fn growth_cells<T>(report: &Report<'_>, rows: &[T], of: impl Fn(&T) -> Growth) -> Option<Vec<String>> {
    let shown = |row: &T| {
        let growth = of(row);
        let changed = |change: Option<i64>| change.filter(|&change| change != 0 || growth.bytes != Some(0));
        match growth.is_new {
            true => ("new".to_owned(), String::new()),
            false => (
                changed(growth.count).map(units::count_change).unwrap_or_default(),
                changed(growth.bytes).map(units::bytes_change).unwrap_or_default(),
            ),
        }
    };
    (report.capture.samples > 1).then(|| paired(&rows.iter().map(shown).collect::<Vec<_>>()))
}

/// What the columns of the owners say.
fn legend(report: &Report<'_>) -> String {
    let keeps = "Keeps: its own bytes and those of all that is first reached through it, other owners included. Retains: \
                 the part of these that nothing else holds, and that would go with it.";
    let grew =
        " Grew: new was not there, or too small to be listed, in the first snapshot; what did not change is blank.";
    format!("{keeps}{}", if report.capture.samples > 1 { grew } else { "" })
}

fn findings(report: &Report<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    if report.findings.is_empty() {
        writeln!(out, "No findings")?;
        return not_judged(report, screen, out);
    }
    writeln!(out, "{}", screen.paint(Style::Bold, "Findings"))?;
    let name_width = report
        .findings
        .iter()
        .map(|finding| finding.rule.len())
        .max()
        .unwrap_or(0);
    for finding in &report.findings {
        write_finding(finding, name_width, screen, out)?;
    }
    not_judged(report, screen, out)?;
    writeln!(out)
}

/// Which rules could not be asked, why, and what would help.
fn not_judged(report: &Report<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let parts = Reason::ALL.iter().filter_map(|reason| {
        let rules = report.not_judged.iter().filter(|each| each.reason == *reason);
        let names: Vec<&str> = rules.map(|each| each.rule).collect();
        (!names.is_empty()).then(|| format!("{}, since {}", names.join(", "), reason.text()))
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return Ok(());
    }
    let hint = match report.capture.mode {
        "core" => "A core is one moment of a program.",
        "run" => "A program that runs for longer, or a shorter --interval, shows more.",
        _ => "A capture that lasts shows more: attach -d 10.",
    };
    let text = format!("Not judged: {}. {hint}", parts.join("; "));
    for line in wrap(&text, screen.text_width()) {
        writeln!(out, "{}", screen.paint(Style::Dim, &line))?;
    }
    Ok(())
}

fn write_finding(finding: &Finding, name_width: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let style = match finding.severity {
        Severity::Error => Style::Red,
        Severity::Warning => Style::Yellow,
        Severity::Info => Style::Cyan,
    };
    let indent = " ".repeat(2 + name_width + 2);
    let room = screen.text_width().saturating_sub(indent.len()).max(30);
    let name = screen.paint(style, &format!("{:<name_width$}", finding.rule));
    let mut lines = wrap(&harmless(&finding.summary), room).into_iter();
    writeln!(out, "  {name}  {}", lines.next().unwrap_or_default())?;
    for line in lines.chain(wrap(&finding.advice, room)) {
        writeln!(out, "{indent}{line}")?;
    }
    for line in wrap(&grounds(finding), room) {
        writeln!(out, "{indent}{}", screen.paint(Style::Dim, &line))?;
    }
    Ok(())
}

/// `warning, likely; saves 1.2 MiB; from items 10 000, bytes 1.0 MiB on; shop/pricing.py:12`
fn grounds(finding: &Finding) -> String {
    let severity = format!("{:?}, {:?}", finding.severity, finding.confidence).to_lowercase();
    let mut grounds = vec![severity];
    if let Some(saving) = finding.saving_bytes {
        grounds.push(format!("saves {}", units::bytes(saving)));
    }
    if let Some(location) = &finding.location {
        grounds.push(format!("defined at {}:{}", harmless(&location.file), location.line));
    }
    grounds.push(format!("thresholds: {}", thresholds(finding).join(", ")));
    grounds.join("; ")
}

fn thresholds(finding: &Finding) -> Vec<String> {
    let rule = RULES.iter().find(|rule| rule.name == finding.rule);
    let mut shown = Vec::new();
    for threshold in rule.map_or(&[][..], |rule| rule.thresholds) {
        let fact = finding
            .evidence
            .iter()
            .find(|(name, _)| *name == threshold.evidence_name);
        if let Some((_, Fact::Number(value))) = fact {
            let value = match threshold.unit {
                Unit::Items => units::count(*value),
                Unit::Bytes => units::bytes(*value),
                Unit::Percent => format!("{value} %"),
            };
            shown.push(format!("{} {value}", threshold.name));
        }
    }
    shown
}

/// Text in lines, those after the first indented to where it begins.
pub(super) fn paragraph(
    out: &mut dyn Write,
    screen: Screen,
    style: Style,
    opening: &str,
    text: &str,
) -> io::Result<()> {
    let room = screen.text_width().saturating_sub(width(opening)).max(30);
    let indent = " ".repeat(width(opening));
    for (index, line) in wrap(text, room).iter().enumerate() {
        let before = if index == 0 {
            screen.paint(style, opening)
        } else {
            indent.clone()
        };
        let line = if opening.is_empty() {
            screen.paint(style, line)
        } else {
            line.clone()
        };
        writeln!(out, "{before}{line}")?;
    }
    Ok(())
}
