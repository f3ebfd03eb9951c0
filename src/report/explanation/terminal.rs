//! An answer as text for people: what it is, who holds it and by which chain, what goes with what.

use std::io::{self, Write};

use super::model::{Dominator, Explained, Group, Referent, Sum};
use crate::report::screen::{Screen, Style};
use crate::report::table::Table;
use crate::report::terminal::{header, paragraph, pauses};
use crate::report::text::{cut_middle, harmless, width, wrap};
use crate::units;

/// So many dominators are told of each group: the nearest, which free the least besides, and the outermost, which free
/// the most.
const NEAREST: usize = 2;
const OUTERMOST: usize = 2;
/// So many types of referrers are told.
const REFERRERS: usize = 5;

pub fn write(explained: &Explained<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let title = header(&explained.process, explained.rss, screen);
    writeln!(out, "{}", screen.paint(Style::Bold, &title))?;
    let capture = &explained.capture;
    let read = format!(
        "{}, read {} objects, {} rejected",
        pauses(&capture.pauses, capture.freeze),
        units::count(capture.objects_read),
        units::count(capture.objects_rejected)
    );
    for line in wrap(&read, screen.text_width()) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    subject(explained, screen, out)?;
    match &explained.referents {
        Some(referents) => tree(referents, screen, out)?,
        None => holders(explained, screen, out)?,
    }
    for warning in &capture.warnings {
        paragraph(out, screen, Style::Yellow, "warning: ", &harmless(warning))?;
    }
    Ok(())
}

/// What was asked for: `shop.models.Order: 117 640 objects, 12.6 MiB, 45.9 MiB retained`
fn subject(explained: &Explained<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let found = &explained.found;
    let name = harmless(found.type_name);
    let what = match &explained.object {
        Some(object) => format!(
            "{name} at {:#x}: {}, {} retained, {} reached in {}",
            object.address.0,
            units::bytes(found.sum.bytes),
            units::bytes(found.sum.retained_bytes),
            units::bytes(object.deep_bytes),
            objects(object.deep_objects)
        ),
        None => format!("{name}: {}", amount(found.sum)),
    };
    paragraph(out, screen, Style::Bold, "", &what)?;
    if !explained.referrers.is_empty() {
        let mut told: Vec<String> = explained
            .referrers
            .iter()
            .take(REFERRERS)
            .map(|each| format!("{} × {}", harmless(short(each.type_name)), units::count(each.count)))
            .collect();
        let rest = explained.referrers.len().saturating_sub(REFERRERS);
        told.extend((rest > 0).then(|| format!("{rest} more types")));
        paragraph(
            out,
            screen,
            Style::Dim,
            "",
            &format!("referred to by {}", told.join(", ")),
        )?;
    }
    let parts = explained
        .object
        .as_ref()
        .map(|object| &object.parts[..])
        .unwrap_or_default();
    if parts.is_empty() {
        return Ok(());
    }
    let mut table = Table {
        more_texts: 1,
        headings: ["Holds", "Type", "Objects", "Bytes", "Retains", "Reaches"]
            .map(str::to_owned)
            .to_vec(),
        ..Table::default()
    };
    for part in parts {
        table.rows.push(vec![
            harmless(part.name.trim_start_matches(" > ")).into_owned(),
            cut_middle(&harmless(short(part.type_name)), 24).into_owned(),
            units::count(part.sum.count),
            units::bytes(part.sum.bytes),
            units::bytes(part.sum.retained_bytes),
            units::bytes(part.deep_bytes),
        ]);
    }
    writeln!(out)?;
    table.lines(screen).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn holders(explained: &Explained<'_>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    for each in &explained.groups {
        writeln!(out)?;
        group(each, explained.object.is_some(), screen, out)?;
    }
    if let Some(left_out) = explained.left_out {
        writeln!(out)?;
        paragraph(
            out,
            screen,
            Style::Dim,
            "",
            &format!("held in other ways: {}", amount(left_out)),
        )?;
    }
    for weak in &explained.weak_references {
        let text = format!("weakly, which keeps nothing alive: {}", harmless(weak.path));
        paragraph(out, screen, Style::Dim, "", &text)?;
    }
    Ok(())
}

/// A way in which objects are held: the chain, an example of it, and what the example goes with.
fn group(group: &Group<'_>, is_of_one: bool, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let what = match (is_of_one, group.chains) {
        (true, 1) => String::new(),
        (true, chains) => format!("{} chains: ", units::count(chains)),
        (false, _) => format!("{}: ", amount(group.sum)),
    };
    paragraph(out, screen, Style::Bold, "", &format!("{what}{}", harmless(group.path)))?;
    let detail = |out: &mut dyn Write, opening: &str, text: &str| {
        let opening = format!("    {opening} ");
        let room = screen.text_width().saturating_sub(width(&opening)).max(30);
        let indent = " ".repeat(width(&opening));
        wrap(text, room).iter().enumerate().try_for_each(|(index, line)| {
            let before = if index == 0 { &opening } else { &indent };
            writeln!(out, "{before}{}", screen.paint(Style::Dim, line))
        })
    };
    if group.example.path != group.path {
        let address = group.example.steps.last().and_then(|step| step.address);
        let at = address
            .map(|address| format!(" at {:#x}", address.0))
            .unwrap_or_default();
        detail(out, "such as", &format!("{}{at}", harmless(group.example.path)))?;
    }
    let why = match group.state {
        "garbage" => Some("no root reaches it, and the collector frees it when it gets there"),
        "held by C code" => {
            Some("no root reaches it, but more references to it, or to what holds it, exist than are known")
        }
        _ => None,
    };
    match why {
        Some(why) => detail(out, "it is", &format!("{}: {why}", group.state)),
        // A global goes when its name does.
        None if group.example.length <= 2 => Ok(()),
        None => detail(out, "goes with", &dominators(&group.dominators)),
    }
}

/// The nearest and the outermost dominators that are no modules, which do not go.
fn dominators(all: &[Dominator<'_>]) -> String {
    let told = |each: &Dominator<'_>| {
        // A thread and a call have no type.
        let type_name = each.type_name.map(|name| format!("{}, ", harmless(short(name))));
        format!(
            "{} ({}{})",
            harmless(each.path),
            type_name.unwrap_or_default(),
            units::bytes(each.retained_bytes)
        )
    };
    let going = all
        .iter()
        .rev()
        .filter(|each| each.type_name != Some("builtins.module"));
    let mut going: Vec<String> = going.map(told).collect();
    if going.is_empty() {
        return "nothing on this chain: something else holds it too".to_owned();
    }
    if going.len() <= NEAREST + OUTERMOST {
        return going.join(", and with ");
    }
    let outermost = going.split_off(going.len() - OUTERMOST).join(", and with ");
    going.truncate(NEAREST);
    format!("{}, … and with {outermost}", going.join(", and with "))
}

/// What is held, each line indented below what holds it.
fn tree(referents: &[Referent<'_>], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    let mut table = Table {
        more_texts: 1,
        headings: ["Holds", "Type", "Objects", "Bytes", "Retains"]
            .map(str::to_owned)
            .to_vec(),
        ..Table::default()
    };
    // Nodes stand level by level; a reader follows each branch to its end.
    let mut open = vec![(0_u32, 0_usize)];
    while let Some((at, depth)) = open.pop() {
        let Some(node) = referents.get(at as usize) else {
            continue;
        };
        let indent = "  ".repeat(depth);
        let name = match (at, node.weak) {
            (0, _) => "(asked for)".to_owned(),
            (_, true) => format!("{} (weakly)", harmless(node.step.trim_start_matches(" > "))),
            (_, false) => harmless(node.step.trim_start_matches(" > ")).into_owned(),
        };
        table.rows.push(vec![
            format!("{indent}{name}"),
            cut_middle(&harmless(short(node.type_name)), 24).into_owned(),
            units::count(node.sum.count),
            units::bytes(node.sum.bytes),
            units::bytes(node.sum.retained_bytes),
        ]);
        if node.hidden > 0 {
            let more = format!("{indent}  … {} more", units::count(node.hidden));
            table
                .rows
                .push(vec![more, String::new(), String::new(), String::new(), String::new()]);
        }
        let below = (1..referents.len() as u32).filter(|&below| referents[below as usize].parent == at);
        let below: Vec<u32> = below.collect();
        open.extend(below.into_iter().rev().map(|below| (below, depth + 1)));
    }
    table.lines(screen).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// `117 640 objects, 12.6 MiB, 45.9 MiB retained`
fn amount(sum: Sum) -> String {
    format!(
        "{}, {}, {} retained",
        objects(sum.count),
        units::bytes(sum.bytes),
        units::bytes(sum.retained_bytes)
    )
}

fn objects(count: u64) -> String {
    format!(
        "{} {}",
        units::count(count),
        if count == 1 { "object" } else { "objects" }
    )
}

/// The name without its module for built-in types.
fn short(name: &str) -> &str {
    name.strip_prefix("builtins.").unwrap_or(name)
}
