//! Where objects were made, as a table for the terminal.

use std::cmp::Reverse;
use std::io::{self, Write};

use rustc_hash::FxHashMap;

use super::model::Report;
use super::picture::short_path::ShortPaths;
use super::screen::{Screen, Style};
use super::sites::{CallRow, SiteRow, UnseenRow};
use super::table::Table;
use super::terminal::{paragraph, short_type, write_table};
use super::text::harmless;
use crate::units;

/// So many types of each place are named.
const NAMED_TYPES: usize = 2;

/// Writes the largest sites, at most `top` of them, and what has none; nothing where nobody watched.
pub fn write(report: &Report<'_>, top: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let (Some(sites), Some(unseen)) = (&report.sites, &report.sites_unseen) else {
        return Ok(());
    };
    if sites.is_empty() {
        return Ok(());
    }
    write_table(&table(&by_place(sites), unseen, top), screen, out)?;
    paragraph(out, screen, Style::Dim, "", &legend(sites))
}

/// What was made at one place, by whatever calls led there.
struct Made<'a> {
    place: &'a CallRow<'a>,
    source: &'static str,
    confidence: &'static str,
    /// The bytes of each type.
    types: FxHashMap<&'a str, u64>,
    count: u64,
    bytes: u64,
}

/// The largest first.
fn by_place<'a>(sites: &'a [SiteRow<'a>]) -> Vec<Made<'a>> {
    let mut places: FxHashMap<_, Made<'a>> = FxHashMap::default();
    for site in sites {
        let made = places
            .entry((&site.place, site.source, site.confidence))
            .or_insert_with(|| Made::nothing(site));
        made.count = made.count.saturating_add(site.count);
        made.bytes = made.bytes.saturating_add(site.bytes);
        for share in &site.types {
            let bytes = made.types.entry(share.name).or_default();
            *bytes = bytes.saturating_add(share.bytes);
        }
    }
    let mut places: Vec<Made<'a>> = places.into_values().collect();
    places.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.place.cmp(b.place)));
    places
}

impl<'a> Made<'a> {
    fn nothing(site: &'a SiteRow<'a>) -> Made<'a> {
        Made {
            place: &site.place,
            source: site.source,
            confidence: site.confidence,
            types: FxHashMap::default(),
            count: 0,
            bytes: 0,
        }
    }

    /// `likely`; `likely, inherited`.
    fn known(&self) -> String {
        match self.source {
            "inherited" => format!("{}, inherited", self.confidence),
            _ => self.confidence.to_owned(),
        }
    }
}

fn table(made: &[Made<'_>], unseen: &[UnseenRow<'_>], top: usize) -> Table {
    let (shown, rest) = made.split_at(top.min(made.len()));
    let paths = ShortPaths::of(shown.iter().filter_map(|made| made.place.file));
    let mut rows: Vec<Vec<String>> = shown.iter().map(|made| made_cells(made, &paths)).collect();
    if !rest.is_empty() {
        let sum = |of: fn(&Made<'_>) -> u64| rest.iter().map(of).fold(0, u64::saturating_add);
        let noun = if rest.len() == 1 { "place" } else { "places" };
        let name = format!("{} more {noun}", units::count(rest.len() as u64));
        let (count, bytes) = (sum(|made| made.count), sum(|made| made.bytes));
        rows.push(cells(name, String::new(), String::new(), count, bytes));
    }
    for part in unseen.iter().filter(|part| part.count > 0) {
        let types = named(part.types.iter().map(|share| share.name));
        rows.push(cells(
            format!("({})", part.why),
            types,
            String::new(),
            part.count,
            part.bytes,
        ));
    }
    Table {
        more_texts: 2,
        headings: ["Made at", "What", "Known", "Count", "Bytes"].map(str::to_owned).into(),
        rows,
        ..Table::default()
    }
}

fn made_cells(made: &Made<'_>, paths: &ShortPaths<'_>) -> Vec<String> {
    let place = [paths.place(made.place.file.unwrap_or_default(), made.place.line)];
    let parts = place.iter().map(String::as_str).chain(made.place.function);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let mut types: Vec<(&str, u64)> = made.types.iter().map(|(&name, &bytes)| (name, bytes)).collect();
    types.sort_by_key(|&(name, bytes)| (Reverse(bytes), name));
    let types = named(types.into_iter().map(|(name, _)| name));
    cells(
        harmless(&parts.join(" ")).into_owned(),
        types,
        made.known(),
        made.count,
        made.bytes,
    )
}

/// The first few of some types.
fn named<'a>(types: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = (types.len() > NAMED_TYPES).then(|| "…".to_owned());
    let first = types.take(NAMED_TYPES).map(short_type);
    first.chain(more).collect::<Vec<_>>().join(", ")
}

fn cells(name: String, types: String, known: String, count: u64, bytes: u64) -> Vec<String> {
    vec![name, types, known, units::count(count), units::bytes(bytes)]
}

/// What the columns say.
fn legend(sites: &[SiteRow<'_>]) -> String {
    let has = |confidence: &str| sites.iter().any(|site| site.confidence == confidence);
    let mut parts = vec!["Made at: the line that ran when these objects were made."];
    if has("certain") {
        parts.push("certain: tracemalloc wrote it down; count and bytes are those that it has.");
    }
    if has("likely") || has("possible") {
        parts.push("likely: two samples in a row stood on this line; possible: one did.");
    }
    if sites.iter().any(|site| site.source == "inherited") {
        parts.push("inherited: the line that made their only holder.");
    }
    parts.join(" ")
}
