//! Rows in columns: texts on the left, of which the first gives way when room is short, and figures on the right.

use super::screen::{Screen, Style};
use super::text::{cut_middle, width};

/// Between two columns.
const GAP: &str = "  ";
/// The first column is not cut below this.
const LEAST_TEXT: usize = 20;
/// Nor is it longer than this where lines may have any length.
const LONGEST_TEXT: usize = 200;
/// Before it is cut below this, the other texts are left out.
const FAIR_TEXT: usize = 32;

#[derive(Debug, Default)]
pub struct Table {
    /// How many of the columns, besides the first, are texts.
    pub more_texts: usize,
    /// The column that is left out when the first would be cut too short even without the other texts.
    pub spare: Option<usize>,
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// A last row that stands for what is not shown.
    pub remainder: Option<Vec<String>>,
}

impl Table {
    /// The table's lines, the headings first.
    pub fn lines(&self, screen: Screen) -> Vec<String> {
        let widths = self.widths(screen);
        let mut lines = vec![screen.paint(Style::Bold, &self.line(&self.headings, &widths))];
        lines.extend(self.rows.iter().map(|row| self.line(row, &widths)));
        lines.extend(
            self.remainder
                .iter()
                .map(|row| screen.paint(Style::Dim, &self.line(row, &widths))),
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
        let Some(room) = screen.width else {
            if let Some(first) = widths.first_mut() {
                *first = (*first).min(LONGEST_TEXT);
            }
            return widths;
        };
        let left = |widths: &[usize]| {
            let others = widths.iter().skip(1).filter(|&&width| width > 0);
            room.saturating_sub(others.map(|width| width + GAP.len()).sum())
        };
        if left(&widths) < FAIR_TEXT.min(widths.first().copied().unwrap_or_default()) {
            widths
                .iter_mut()
                .skip(1)
                .take(self.more_texts)
                .for_each(|width| *width = 0);
        }
        let spare = self.spare.filter(|_| left(&widths) < LEAST_TEXT);
        if let Some(width) = spare.and_then(|column| widths.get_mut(column)) {
            *width = 0;
        }
        let left = left(&widths).max(LEAST_TEXT);
        if let Some(first) = widths.first_mut() {
            *first = (*first).min(left);
        }
        widths
    }

    /// A row in its columns; those without width are left out.
    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, (cell, &room)) in row.iter().zip(widths).enumerate() {
            if column == 0 {
                line.push_str(&format!("{:<room$}", cut_middle(cell, room)));
            } else if room == 0 {
                continue;
            } else if column <= self.more_texts {
                line.push_str(&format!("{GAP}{cell:<room$}"));
            } else {
                line.push_str(&format!("{GAP}{cell:>room$}"));
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
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
            more_texts: 0,
            spare: None,
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
    fn other_texts_make_room_for_the_first() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = Table {
            more_texts: 1,
            spare: None,
            headings: row(["Owner", "Type", "Keeps"]),
            rows: vec![row(["a.module.with.a.long.name.ORDERS", "OrderedDict", "64 B"])],
            remainder: None,
        };
        let lines = |width| {
            let screen = Screen {
                width: Some(width),
                colors: false,
            };
            table.lines(screen).join("\n")
        };
        let expected = "\
Owner                             Type         Keeps
a.module.with.a.long.name.ORDERS  OrderedDict   64 B";
        assert_eq!(lines(52), expected);
        let expected = "\
Owner                             Keeps
a.module.with.a.long.name.ORDERS   64 B";
        assert_eq!(lines(51), expected);
    }

    #[test]
    fn the_spare_column_goes_last() {
        let table = Table {
            spare: Some(1),
            ..table()
        };
        let heading = |width| {
            let screen = Screen {
                width: Some(width),
                colors: false,
            };
            table.lines(screen)[0].split_whitespace().count()
        };
        assert_eq!((heading(39), heading(38)), (3, 2));
    }

    #[test]
    fn pairs_line_up() {
        let pairs = [("+4 112", "+1.2 MiB"), ("0", "0")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(paired(&pairs), ["+4 112  +1.2 MiB", "     0         0"]);
    }
}
