//! Texts that are longer than a reader follows: their beginning, with a mark by which different ones stay different.

use std::hash::Hasher;

/// So many digits tell those apart that begin alike: by chance two of a thousand look the same once in thirty heaps.
const DIGITS: usize = 6;

/// At most `most` characters of a text. What is longer is told from others that begin alike by a hash of all of it:
/// `https://api.example.com/v1/customers/000…#4f1c9a`. It is the same in all processes and releases, so that snapshots
/// can be compared by it.
pub fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}{}", &text[..end], mark(text)),
        None => text.to_owned(),
    }
}

/// Text for one line of output: without control characters and quotes, and no longer than `most` characters, as
/// [`shorten`] does it.
pub fn escape(text: &str, most: usize) -> String {
    let mut escaped = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == most {
            escaped.push_str(&mark(text));
            break;
        }
        match character {
            '\'' | '\\' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            control if control.is_control() => escaped.extend(control.escape_unicode()),
            other => escaped.push(other),
        }
    }
    escaped
}

/// 16 digits that stand for a text. They are the same in all processes and releases.
pub fn digest(text: &str) -> String {
    let mut hash = Fnv(Fnv::START);
    hash.write(text.as_bytes());
    format!("{:016x}", hash.finish())
}

/// What stands for the rest of a text.
fn mark(text: &str) -> String {
    format!("…#{}", &digest(text)[..DIGITS])
}

/// FNV-1a with 64 bits. The hashes of the standard library may change from release to release.
struct Fnv(u64);

impl Fnv {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Fnv::PRIME);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_that_begin_alike_stay_different() {
        assert_eq!(shorten("abc", 3), "abc");
        let (one, other) = (shorten("abcdef", 3), shorten("abcdeg", 3));
        assert!(
            one.starts_with("abc…#") && one.chars().count() == 3 + 2 + DIGITS,
            "{one}"
        );
        assert_ne!(one, other);
        assert_eq!(one, shorten("abcdef", 3));
    }

    #[test]
    fn the_mark_is_that_of_fnv() {
        // http://www.isthe.com/chongo/tech/comp/fnv/, the hash of "foobar".
        assert_eq!(shorten("foobar", 0), "…#859441");
    }

    #[test]
    fn escaped_text_is_one_short_line() {
        assert_eq!(escape("it's\n\u{1b}[0m", 40), "it\\'s\\n\\u{1b}[0m");
        assert_eq!(escape("foobar", 3), "foo…#859441");
        assert_eq!(escape("foobar", 6), "foobar");
    }
}
