//! Rows in columns: the first column is text and gives way when room is short, the others are figures.

use super::screen::{Screen, Style};
use super::text::{cut_middle, width};

/// Between two columns.
const GAP: &str = "  ";
/// The first column is not cut below this.
const LEAST_TEXT: usize = 20;

#[derive(Debug, Default)]
pub struct Table {
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// A last row that stands for what is not shown.
    pub remainder: Option<Vec<String>>,
}

impl Table {
    /// The table's lines, the headings first.
    pub fn lines(&self, screen: Screen) -> Vec<String> {
        let widths = self.widths(screen);
        let mut lines = vec![screen.paint(Style::Bold, &line(&self.headings, &widths))];
        lines.extend(self.rows.iter().map(|row| line(row, &widths)));
        lines.extend(
            self.remainder
                .iter()
                .map(|row| screen.paint(Style::Dim, &line(row, &widths))),
        );
        lines
    }

    fn widths(&self, screen: Screen) -> Vec<usize> {
        let rows = || std::iter::once(&self.headings).chain(&self.rows).chain(&self.remainder);
        let mut widths: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                rows()
                    .filter_map(|row| row.get(column))
                    .map(|cell| width(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let figures: usize = widths.iter().skip(1).map(|width| width + GAP.len()).sum();
        if let (Some(first), Some(room)) = (widths.first_mut(), screen.width) {
            *first = (*first).min(room.saturating_sub(figures).max(LEAST_TEXT));
        }
        widths
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, (cell, &room)) in row.iter().zip(widths).enumerate() {
        if column == 0 {
            line.push_str(&format!("{:<room$}", cut_middle(cell, room)));
        } else {
            line.push_str(&format!("{GAP}{cell:>room$}"));
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Pairs of figures as cells of one column, in which both line up.
pub fn paired(pairs: &[(String, String)]) -> Vec<String> {
    let left = pairs.iter().map(|(left, _)| width(left)).max().unwrap_or(0);
    let right = pairs.iter().map(|(_, right)| width(right)).max().unwrap_or(0);
    pairs
        .iter()
        .map(|(a, b)| format!("{a:>left$}{GAP}{b:>right$}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        Table {
            headings: row(["Type", "Count", "Bytes"]),
            rows: vec![
                row(["builtins.dict", "310 422", "96.1 MiB"]),
                row(["a.module.with.a.long.name.Order", "7", "64 B"]),
            ],
            remainder: Some(row(["12 more", "1", "2 B"])),
        }
    }

    #[test]
    fn figures_line_up_on_the_right() {
        let expected = "\
Type                               Count     Bytes
builtins.dict                    310 422  96.1 MiB
a.module.with.a.long.name.Order        7      64 B
12 more                                1       2 B";
        assert_eq!(table().lines(Screen::plain()).join("\n"), expected);
    }

    #[test]
    fn the_first_column_gives_way() {
        let lines = table().lines(Screen {
            width: Some(42),
            colors: false,
        });
        assert_eq!(lines[2], "a.module.wi….name.Order        7      64 B");
        assert!(lines.iter().all(|line| width(line) <= 42), "{lines:?}");
    }

    #[test]
    fn pairs_line_up() {
        let pairs = [("+4 112", "+1.2 MiB"), ("0", "0")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(paired(&pairs), ["+4 112  +1.2 MiB", "     0         0"]);
    }
}
