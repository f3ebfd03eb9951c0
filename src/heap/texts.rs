//! Texts, each once, with a number.

use std::rc::Rc;

use rustc_hash::FxHashMap;

#[derive(Debug, Default)]
pub struct Texts {
    all: Vec<Rc<str>>,
    numbers: FxHashMap<Rc<str>, u32>,
}

impl Texts {
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let text: Rc<str> = text.into();
        let number = self.all.len() as u32;
        self.all.push(Rc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// The one copy of a text.
    pub fn shared(&mut self, text: &str) -> Rc<str> {
        let number = self.number(text);
        Rc::clone(&self.all[number as usize])
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The texts in the order of their numbers.
    pub fn all(&self) -> &[Rc<str>] {
        &self.all
    }

    pub fn into_all(self) -> Vec<Rc<str>> {
        self.all
    }
}
