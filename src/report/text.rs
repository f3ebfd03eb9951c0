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
        if is_harmful(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
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
        assert_eq!(harmless("\u{1b}[31mred\n"), "\\u{1b}[31mred\\u{a}");
        assert_eq!(harmless("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn both_ends_of_a_long_name_stay() {
        assert_eq!(cut_middle("shop.models.Order", 17), "shop.models.Order");
        assert_eq!(cut_middle("shop.models.Order", 9), "shop…rder");
        assert_eq!(cut_middle("ünïcödé", 4), "ü…dé");
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("a bc def ghij", 6), ["a bc", "def", "ghij"]);
        assert_eq!(wrap("unbreakable word", 5), ["unbreakable", "word"]);
        assert_eq!(wrap("up to 1 000 000 items", 8), ["up to", "1 000 000", "items"]);
    }
}
