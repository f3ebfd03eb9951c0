//! What the output goes to: how wide it is, and whether it shows colours.

use std::env;
use std::io::{IsTerminal, stdout};

/// Where text without a width of its own is broken.
const READABLE_WIDTH: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns; `None` when it is no terminal, where nothing has to be cut.
    pub width: Option<usize>,
    pub colors: bool,
}

impl Screen {
    /// Standard output as it is.
    pub fn of_stdout() -> Screen {
        if !stdout().is_terminal() {
            return Screen::plain();
        }
        let width = terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
        // See no-color.org: any value but the empty one counts.
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|name| name == "dumb");
        Screen {
            width: width.filter(|&columns| columns > 0),
            colors: !refused && !dumb,
        }
    }

    /// A file or a pipe.
    pub fn plain() -> Screen {
        Screen {
            width: None,
            colors: false,
        }
    }

    /// Where lines of text are broken.
    pub fn text_width(self) -> usize {
        self.width.unwrap_or(READABLE_WIDTH).clamp(40, 120)
    }

    pub fn paint(self, style: Style, text: &str) -> String {
        if self.colors && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Bold,
    Dim,
    Red,
    Yellow,
    Cyan,
}

impl Style {
    /// The parameter of "select graphic rendition" (ECMA-48, 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Red => "1;31",
            Style::Yellow => "33",
            Style::Cyan => "36",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_where_they_are_shown() {
        let colourful = Screen {
            width: Some(80),
            colors: true,
        };
        assert_eq!(colourful.paint(Style::Bold, "x"), "\u{1b}[1mx\u{1b}[0m");
        assert_eq!(Screen::plain().paint(Style::Bold, "x"), "x");
    }
}
