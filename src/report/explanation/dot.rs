//! A drawing in the DOT language, for Graphviz.

use std::io::{self, Write};

use super::drawing::{Drawing, Kind, Manner};

pub fn write(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph paths {{")?;
    writeln!(
        out,
        "    graph [label={}, labelloc=t, rankdir=TB];",
        quoted(&drawing.title)
    )?;
    writeln!(
        out,
        "    node [shape=box, style=filled, fillcolor=white, fontname=\"monospace\", fontsize=10];"
    )?;
    writeln!(out, "    edge [fontname=\"monospace\", fontsize=9];")?;
    for (number, each) in drawing.boxes.iter().enumerate() {
        let look = match each.kind {
            Kind::Root => ", fillcolor=\"#cfdcec\"",
            Kind::Asked => ", fillcolor=\"#ffe3b3\", penwidth=2",
            Kind::Gap => ", shape=plaintext, fillcolor=none",
            Kind::Object => "",
        };
        writeln!(out, "    n{number} [label={}{look}];", quoted(&each.lines.join("\n")))?;
    }
    for arrow in &drawing.arrows {
        let look = match arrow.manner {
            Manner::Holds => "",
            Manner::HoldsAlone => ", penwidth=2",
            Manner::Weak => ", style=dashed",
        };
        writeln!(
            out,
            "    n{} -> n{} [label={}{look}];",
            arrow.from,
            arrow.to,
            quoted(&arrow.label)
        )?;
    }
    writeln!(out, "}}")
}

/// A quoted string; in one, only the quote and the backslash mean something (Graphviz, "The DOT language").
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_escaped() {
        assert_eq!(quoted("['a\"b\\']\nx"), "\"['a\\\"b\\\\']\\nx\"");
    }
}
