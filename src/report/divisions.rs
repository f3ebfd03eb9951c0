//! Divisions of all objects as tables for the terminal.

use std::io::{self, Write};

use super::model::Report;
use super::screen::Screen;
use super::table::Table;
use super::terminal::write_table;
use super::text::harmless;
use crate::heap::partitions::{Part, Partitions};
use crate::heap::wanted::Division;
use crate::units;

/// Writes the divisions that were asked for, each with at most `top` rows.
pub fn write(report: &Report<'_>, top: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let Some(partitions) = report.partitions else {
        return Ok(());
    };
    for &division in report.by {
        let (heading, parts) = parts(partitions, division);
        write_table(&table(heading, parts, top), screen, out)?;
    }
    Ok(())
}

fn parts(partitions: &Partitions, division: Division) -> (&'static str, &[Part]) {
    match division {
        Division::Module => ("By module of the type", &partitions.by_module),
        Division::Size => ("By size in bytes", &partitions.by_size),
        Division::Owner => (
            "By type, or class of the dict",
            partitions.by_owner_class.as_deref().unwrap_or_default(),
        ),
        Division::Referrers => (
            "By types that refer to them",
            partitions.by_referrer_types.as_deref().unwrap_or_default(),
        ),
    }
}

fn table(heading: &str, parts: &[Part], top: usize) -> Table {
    let (shown, rest) = parts.split_at(top.min(parts.len()));
    let row = |name: &str, count: u64, bytes: u64| {
        vec![harmless(name).into_owned(), units::count(count), units::bytes(bytes)]
    };
    let rest_of = |of: fn(&Part) -> u64| rest.iter().map(of).fold(0, u64::saturating_add);
    Table {
        headings: [heading, "Count", "Bytes"].map(str::to_owned).into(),
        rows: shown
            .iter()
            .map(|part| row(&part.name, part.count, part.bytes))
            .collect(),
        remainder: (!rest.is_empty()).then(|| row("others", rest_of(|part| part.count), rest_of(|part| part.bytes))),
        ..Table::default()
    }
}
