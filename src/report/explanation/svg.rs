//! A drawing as an SVG that stands by itself.

use std::io::{self, Write};

use super::drawing::{Drawing, Kind, Manner};
use super::layout::{HEAD, LINE, Layout, MARGIN, text_width};

pub fn write(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    let layout = Layout::of(drawing);
    let (width, height) = (layout.width.ceil(), layout.height.ceil());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"monospace\" font-size=\"12\">"
    )?;
    writeln!(out, "<title>{}</title>", escaped(&drawing.title))?;
    writeln!(
        out,
        "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#444\"/></marker></defs>"
    )?;
    writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>")?;
    writeln!(
        out,
        "<text x=\"{MARGIN}\" y=\"{}\" font-size=\"14\" font-weight=\"bold\">{}</text>",
        HEAD - 10.0,
        escaped(&drawing.title)
    )?;
    write_arrows(drawing, &layout, out)?;
    write_boxes(drawing, &layout, out)?;
    writeln!(out, "</svg>")
}

fn write_arrows(drawing: &Drawing, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    for (arrow, points) in drawing.arrows.iter().zip(&layout.arrows) {
        let look = match arrow.manner {
            Manner::Holds => "",
            Manner::HoldsAlone => " stroke-width=\"2\"",
            Manner::Weak => " stroke-dasharray=\"5 4\"",
        };
        writeln!(
            out,
            "<path class=\"arrow\" d=\"{}\" fill=\"none\" stroke=\"#444\" marker-end=\"url(#head)\"{look}/>",
            curve(points)
        )?;
    }
    // Labels come last, so that no arrow strikes them out.
    for (arrow, points) in drawing.arrows.iter().zip(&layout.arrows) {
        let [.., before, last] = points[..] else { continue };
        if arrow.label.is_empty() {
            continue;
        }
        // Nearer to what is held: arrows from one box part on their way.
        let (x, y) = (before.0 * 0.4 + last.0 * 0.6, before.1 * 0.4 + last.1 * 0.6);
        let width = text_width(std::iter::once(arrow.label.as_str()));
        writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"13\" fill=\"white\" fill-opacity=\"0.85\"/>\
             <text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#333\">{}</text>",
            x - width / 2.0,
            y - 10.0,
            escaped(&arrow.label)
        )?;
    }
    Ok(())
}

fn write_boxes(drawing: &Drawing, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    for (each, place) in drawing.boxes.iter().zip(&layout.boxes) {
        let look = match each.kind {
            Kind::Root => "fill=\"#cfdcec\" stroke=\"#667\"",
            Kind::Object => "fill=\"#f7f7f7\" stroke=\"#667\"",
            Kind::Asked => "fill=\"#ffe3b3\" stroke=\"#a60\" stroke-width=\"2\"",
            Kind::Gap => "fill=\"none\"",
        };
        writeln!(
            out,
            "<g class=\"box\"><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\" {look}/>",
            place.x, place.y, place.width, place.height
        )?;
        for (number, line) in each.lines.iter().enumerate() {
            writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                place.x + place.width / 2.0,
                place.y + LINE * (number as f64 + 1.0),
                escaped(line)
            )?;
        }
        writeln!(out, "</g>")?;
    }
    Ok(())
}

/// A curve that leaves and arrives upright.
fn curve(points: &[(f64, f64)]) -> String {
    let Some(&(x, y)) = points.first() else {
        return String::new();
    };
    let mut path = format!("M{x:.1} {y:.1}");
    for pair in points.windows(2) {
        let ((from_x, from_y), (x, y)) = (pair[0], pair[1]);
        let middle = (from_y + y) / 2.0;
        path.push_str(&format!("C{from_x:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}"));
    }
    path
}

/// Text as character data of XML. What XML 1.0 has no place for is gone already (`text::harmless`).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
