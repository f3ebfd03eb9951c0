//! A comparison as text for people.

use std::io::{self, Write};

use super::model::{Change, Compared, OwnerRow, Side, TypeRow};
use super::recording;
use crate::report::screen::{Screen, Style};
use crate::report::table::Table;
use crate::report::terminal::{header, paragraph, short_type, write_table};
use crate::report::text::harmless;
use crate::units;

/// Owners are shown in fewer rows than types: the largest few explain most.
const OWNERS_PER_TYPE: usize = 2;

/// Writes it with at most `top` rows of types.
pub fn write(compared: &Compared, top: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    for (label, side) in [("old", &compared.old), ("new", &compared.new)] {
        let text = header(&side.process, side.rss, screen);
        writeln!(out, "{}", screen.paint(Style::Bold, &format!("{label}  {text}")))?;
    }
    let totals = |of: fn(&Side) -> u64| (of(&compared.old), of(&compared.new));
    let (objects, bytes) = (totals(|side| side.heap.objects), totals(|side| side.heap.bytes));
    let summary = format!(
        "{} objects became {}, {} became {}",
        units::count(objects.0),
        units::count(objects.1),
        units::bytes(bytes.0),
        units::bytes(bytes.1)
    );
    if !compared.has_heaps {
        let note = "The heap of one of them was never read: what was recorded is compared alone.";
        paragraph(out, screen, Style::Yellow, "", note)?;
        return write_recording(compared, top, screen, out);
    }
    writeln!(out, "{summary}")?;
    if !compared.same_process {
        let note = "The two are of different processes, or of different programs in one: owners are followed by their \
                    paths, objects not at all.";
        paragraph(out, screen, Style::Dim, "", note)?;
    }
    if compared.is_backwards {
        let note = "The old one is the later one of the two: what grew is shown as if it had gone.";
        paragraph(out, screen, Style::Yellow, "", note)?;
    }
    let is_recorded = compared.recording.is_some();
    if compared.types.is_empty() && compared.owners.is_empty() && !is_recorded {
        return writeln!(out, "\nNothing has changed");
    }
    // What only retains other amounts than before has nothing to show in the columns of types.
    let types: Vec<&TypeRow> = compared.types.iter().filter(|row| shows_change(row)).collect();
    if !types.is_empty() {
        write_table(&types_table(&types, compared.same_process, top), screen, out)?;
    }
    if !compared.owners.is_empty() {
        write_table(&owners_table(compared, top.div_ceil(OWNERS_PER_TYPE)), screen, out)?;
    }
    write_recording(compared, top, screen, out)
}

fn write_recording(compared: &Compared, top: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    match &compared.recording {
        Some(recording) => recording::write(recording, top, screen, out),
        None => Ok(()),
    }
}

fn shows_change(row: &TypeRow) -> bool {
    let moved = [row.appeared, row.gone].into_iter().flatten().any(|count| count != 0);
    moved || row.growth_count != 0 || row.growth_bytes != 0
}

fn types_table(types: &[&TypeRow], same_process: bool, top: usize) -> Table {
    let shown = types.get(..top).unwrap_or(types);
    let mut headings = vec!["Type", "Count", "Bytes", "Count change", "Bytes change"];
    if same_process {
        headings.extend(["New", "Gone"]);
    }
    let mut table = Table {
        headings: headings.into_iter().map(str::to_owned).collect(),
        rows: shown.iter().copied().map(type_cells).collect(),
        ..Table::default()
    };
    let rest = &types[shown.len()..];
    if !rest.is_empty() {
        let sum = |of: fn(&TypeRow) -> i64| rest.iter().copied().map(of).fold(0, i64::saturating_add);
        table.remainder = Some(vec![
            format!("{} more that changed", units::count(rest.len() as u64)),
            String::new(),
            String::new(),
            units::count_change(sum(|row| row.growth_count)),
            units::bytes_change(sum(|row| row.growth_bytes)),
        ]);
    }
    table
}

fn type_cells(row: &TypeRow) -> Vec<String> {
    let mut cells = vec![
        harmless(row.name).into_owned(),
        units::count(row.count),
        units::bytes(row.bytes),
        units::count_change(row.growth_count),
        units::bytes_change(row.growth_bytes),
    ];
    cells.extend([row.appeared, row.gone].into_iter().flatten().map(units::count));
    cells
}

fn owners_table(compared: &Compared, top: usize) -> Table {
    let shown = compared.owners.get(..top).unwrap_or(&compared.owners);
    let headings = [
        "Owner",
        "Type",
        "Items",
        "Keeps",
        "Retains",
        "Items change",
        "Keeps change",
    ];
    let left_out = compared.owners.len() - shown.len() + compared.owners_left_out;
    let remainder = format!("{} more that changed", units::count(left_out as u64));
    Table {
        more_texts: 1,
        headings: headings.map(str::to_owned).to_vec(),
        rows: shown.iter().map(owner_cells).collect(),
        remainder: (left_out > 0).then(|| vec![remainder]),
        ..Table::default()
    }
}

fn owner_cells(row: &OwnerRow) -> Vec<String> {
    let change = match row.change {
        Change::Appeared => "new".to_owned(),
        Change::Gone => "gone".to_owned(),
        Change::Changed if row.has_items => units::count_change(row.growth_length),
        Change::Changed => String::new(),
    };
    let items = row.has_items.then(|| units::count(row.length));
    vec![
        harmless(row.path).into_owned(),
        short_type(row.type_name),
        items.unwrap_or_default(),
        units::bytes(row.bytes),
        units::bytes(row.retained_bytes),
        change,
        units::bytes_change(row.growth_bytes),
    ]
}
