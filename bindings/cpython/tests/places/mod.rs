//! Every number of a layout under the name of its place, such as `interpreter.roots.dict`, as its `Debug` form has them.

use std::collections::BTreeMap;

use cpython::layout::Layout;

/// The places of a layout and their numbers. The first entry of a C type's name counts.
pub fn of(layout: &Layout) -> BTreeMap<String, i64> {
    let text = format!("{layout:?}");
    let mut reader = Reader {
        rest: &text,
        found: BTreeMap::new(),
    };
    reader.value("");
    reader.found
}

/// Reads what `#[derive(Debug)]` writes.
struct Reader<'a> {
    rest: &'a str,
    found: BTreeMap<String, i64>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, place: &str) {
        if let Some(rest) = self.rest.strip_prefix('"') {
            self.rest = rest.split_once('"').expect("the end of a string").1;
        } else if self.rest.starts_with('[') || self.rest.starts_with('(') {
            self.items(place);
        } else {
            let word = self.word();
            if let Ok(number) = word.parse() {
                self.found.entry(place.to_owned()).or_insert(number);
            } else if self.rest.starts_with(" {") {
                self.rest = &self.rest[1..];
                self.members(place, word == "CType");
            } else if self.rest.starts_with('(') {
                self.items(place);
            }
        }
    }

    /// `{ name: value, … }`. A C type's members stand below its name.
    fn members(&mut self, place: &str, is_c_type: bool) {
        let mut place = place.to_owned();
        self.expect("{ ");
        while !self.skip('}') {
            let name = self.word();
            self.expect(": ");
            match (is_c_type, name) {
                (true, "name") => place = format!("c_types.{}", self.string()),
                (true, "strong") => self.value(&place),
                (true, _) => self.value("c_types.weak"),
                (false, _) if place.is_empty() => self.value(name),
                (false, _) => self.value(&format!("{place}.{name}")),
            }
            self.separator();
        }
    }

    /// `[…]` or `(…)`: what stands alone in brackets is at the same place; an item that begins with a name is below it;
    /// others are numbered.
    fn items(&mut self, place: &str) {
        let is_list = self.rest.starts_with('[');
        self.rest = &self.rest[1..];
        if self.rest.starts_with('"') {
            let name = format!("{place}.{}", self.string());
            self.separator();
            self.value(&name);
            while !self.skip(')') {
                self.separator();
                self.value("");
            }
            return;
        }
        let alone = !is_list && !self.rest.starts_with('(') && !self.has_sibling();
        let mut index = 0;
        while !self.skip(']') && !self.skip(')') {
            let is_named = self.rest.starts_with("(\"") || self.rest.starts_with("CType") || self.rest.starts_with('[');
            let through = !is_list && self.rest.starts_with('(');
            match alone || is_named || through {
                true => self.value(place),
                false => self.value(&format!("{place}.{index}")),
            }
            index += 1;
            self.separator();
        }
    }

    /// Whether another item follows the first one in these brackets.
    fn has_sibling(&self) -> bool {
        let mut depth = 0;
        for letter in self.rest.chars() {
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return false,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => return true,
                _ => {}
            }
        }
        false
    }

    fn string(&mut self) -> &'a str {
        self.expect("\"");
        let (string, rest) = self.rest.split_once('"').expect("the end of a string");
        self.rest = rest;
        string
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|letter: char| !letter.is_alphanumeric() && !"_.-".contains(letter));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        assert!(!word.is_empty(), "a word before {:.40}", self.rest);
        self.rest = rest;
        word
    }

    fn expect(&mut self, text: &str) {
        self.rest = self
            .rest
            .strip_prefix(text)
            .unwrap_or_else(|| panic!("{text} before {:.40}", self.rest));
    }

    fn skip(&mut self, letter: char) -> bool {
        let rest = self.rest.strip_prefix(' ').unwrap_or(self.rest).strip_prefix(letter);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn separator(&mut self) {
        self.rest = self.rest.strip_prefix(", ").unwrap_or(self.rest);
    }
}
