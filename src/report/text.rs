//! Text that fits a line: without control characters, cut, broken into lines.

use std::borrow::Cow;

/// The text without characters that a terminal obeys or that turn lines around; names and arguments come from the
/// program that is looked at, which may put anything into them.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => shown.extend(character.escape_default()),
            harmful if is_harmful(harmful) => shown.extend(harmful.escape_unicode()),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

fn is_harmful(character: char) -> bool {
    // The last ranges are the marks that change the direction of what follows, and line and paragraph separators.
    character.is_control()
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// How many columns the text takes, as far as that can be told without tables of scripts.
pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// The text in at most `most` columns: its middle is left out, since both ends of a name say something.
pub fn cut_middle(text: &str, most: usize) -> Cow<'_, str> {
    let length = width(text);
    if length <= most {
        return Cow::Borrowed(text);
    }
    let kept = most.saturating_sub(1);
    let head: String = text.chars().take(kept / 2).collect();
    let tail: String = text.chars().skip(length - (kept - kept / 2)).collect();
    Cow::Owned(format!("{head}…{tail}"))
}

/// A command line in at most `most` columns, without control characters: where it is longer, the folder of the program is
/// left out first, and then words in the middle.
pub fn command_line(words: &[String], most: usize) -> String {
    let whole = harmless(words.join(" ").trim()).into_owned();
    if width(&whole) <= most {
        return whole;
    }
    let Some((program, arguments)) = words.split_first() else {
        return whole;
    };
    let name = program.rsplit_once('/').map_or(program.as_str(), |(_, name)| name);
    let short = [name].into_iter().chain(arguments.iter().map(String::as_str));
    let short = short.collect::<Vec<_>>().join(" ");
    cut_words(harmless(short.trim()).as_ref(), most)
}

/// The text in at most `most` columns, without words in its middle; a word that is too long is cut itself.
fn cut_words(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut room = most.saturating_sub(1);
    let mut take = |word: &&&str| {
        let needed = width(word) + 1;
        let fits = needed <= room;
        room -= if fits { needed } else { 0 };
        fits
    };
    let head = words.iter().take(words.len().div_ceil(2)).take_while(&mut take).count();
    let tail = words[head..].iter().rev().take_while(&mut take).count();
    if head + tail == 0 {
        return cut_middle(text, most).into_owned();
    }
    let (before, after) = (&words[..head], &words[words.len() - tail..]);
    [before, &["…"], after].concat().join(" ")
}

/// The text in lines of at most `most` columns, broken at spaces, but not within a number; a longer word has a line of
/// its own.
pub fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The words of a text, those together that are one number: `120 000`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let left = rest?;
        let is_in_number = |space: usize| {
            let is_digit = |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
            is_digit(left[..space].chars().next_back()) && is_digit(left[space + 1..].chars().next())
        };
        let space = left
            .match_indices(' ')
            .map(|(space, _)| space)
            .find(|&space| !is_in_number(space));
        rest = space.map(|space| &left[space + 1..]);
        Some(&left[..space.unwrap_or(left.len())])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        assert_eq!(harmless("plain ünï"), "plain ünï");
        assert_eq!(harmless("\u{1b}[31mred\n"), "\\u{1b}[31mred\\n");
        assert_eq!(harmless("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn both_ends_of_a_long_name_stay() {
        assert_eq!(cut_middle("shop.models.Order", 17), "shop.models.Order");
        assert_eq!(cut_middle("shop.models.Order", 9), "shop…rder");
        assert_eq!(cut_middle("ünïcödé", 4), "ü…dé");
    }

    #[test]
    fn a_long_command_line_loses_a_folder_and_then_words() {
        let words = [
            "/usr/local/bin/python3",
            "-m",
            "shop.server",
            "--workers=12",
            "--port",
            "8000",
        ]
        .map(str::to_owned);
        assert_eq!(
            command_line(&words, 80),
            "/usr/local/bin/python3 -m shop.server --workers=12 --port 8000"
        );
        assert_eq!(
            command_line(&words, 50),
            "python3 -m shop.server --workers=12 --port 8000"
        );
        assert_eq!(command_line(&words, 46), "python3 -m shop.server … --port 8000");
        assert_eq!(command_line(&words, 20), "python3 -m … 8000");
        assert_eq!(command_line(&words[..1], 5), "py…n3");
        assert_eq!(command_line(&["a\nb".to_owned()], 5), "a\\nb");
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("a bc def ghij", 6), ["a bc", "def", "ghij"]);
        assert_eq!(wrap("unbreakable word", 5), ["unbreakable", "word"]);
        assert_eq!(wrap("up to 1 000 000 items", 8), ["up to", "1 000 000", "items"]);
    }
}
