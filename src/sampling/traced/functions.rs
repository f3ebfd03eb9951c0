//! Names of functions for lines: `tracemalloc` keeps files and lines alone, code objects say which function has which lines.

use std::rc::Rc;

use cpython::memory::ReadMemory;
use cpython::objects::tracemalloc::{Frame, Traced};
use rustc_hash::FxHashMap;

use crate::heap::survey::Survey;

/// What a compiler calls the code of comprehensions, which runs as a part of the function around it.
const COMPREHENSIONS: [&str; 4] = ["<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"];

/// What it calls the code of a module.
const MODULE: &str = "<module>";

/// Which function each line belongs to, as far as there is no doubt.
pub struct Functions {
    names: FxHashMap<Frame, Known>,
    nameless: Rc<str>,
}

/// What is known of the function that a line belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Nothing,
    One(Rc<str>),
    /// More than one function has the line, and it cannot be told which of them it was.
    Several,
}

impl Functions {
    /// Those of all frames that were traced, as the living code objects have it.
    pub fn of<M: ReadMemory>(memory: &mut M, survey: &Survey, traced: &Traced) -> Functions {
        let frames = traced.tracebacks.iter().flatten();
        let mut names: FxHashMap<Frame, Known> = frames.map(|&frame| (frame, Known::Nothing)).collect();
        let mut numbers: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
        for (file, number) in traced.files.iter().zip(0..) {
            numbers.entry(file).or_default().push(number);
        }
        for definition in survey.definitions(memory, |file| numbers.contains_key(file)) {
            let files = numbers.get(&*definition.file).map(Vec::as_slice).unwrap_or_default();
            let of_files = |&line: &u32| files.iter().map(move |&file| Frame { file, line });
            let is_shared = !runs_where_it_stands(&definition.function);
            for frame in definition.lines.iter().flat_map(of_files) {
                match names.get_mut(&frame) {
                    // Whether a function ran or was defined there cannot be told, even if its definer is gone.
                    Some(known) if is_shared && frame.line == definition.first_line => *known = Known::Several,
                    Some(known) => known.learn(&definition.function),
                    None => {}
                }
            }
        }
        Functions {
            names,
            nameless: "".into(),
        }
    }

    /// The name of the function that a line belongs to; empty where there is none or more than one.
    pub fn name(&self, frame: Frame) -> Rc<str> {
        match self.names.get(&frame) {
            Some(Known::One(name)) => Rc::clone(name),
            _ => Rc::clone(&self.nameless),
        }
    }
}

impl Known {
    fn learn(&mut self, function: &Rc<str>) {
        *self = match std::mem::replace(self, Known::Several) {
            _ if function.is_empty() => Known::Several,
            Known::Nothing => Known::One(Rc::clone(function)),
            Known::One(known) if known == *function || is_part_of(function, &known) => Known::One(known),
            Known::One(known) if is_part_of(&known, function) => Known::One(Rc::clone(function)),
            Known::One(_) | Known::Several => Known::Several,
        };
    }
}

/// Whether the code is that of a module or a comprehension, which nothing else defines or runs on its first line.
fn runs_where_it_stands(function: &str) -> bool {
    let own = function.rsplit_once('.').map_or(function, |(_, own)| own);
    own == MODULE || COMPREHENSIONS.contains(&own)
}

/// Whether `inner` is the code of a comprehension in `outer`, as far as their names tell: older releases have no
/// qualified names.
fn is_part_of(inner: &str, outer: &str) -> bool {
    let (around, own) = inner.rsplit_once('.').unwrap_or(("", inner));
    let around = around.strip_suffix(".<locals>").unwrap_or(around);
    COMPREHENSIONS.contains(&own)
        && (around.is_empty() || around == outer || is_part_of(around, outer))
        && !COMPREHENSIONS.contains(&outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(functions: &[&str]) -> Known {
        let mut known = Known::Nothing;
        for function in functions {
            known.learn(&Rc::from(*function));
        }
        known
    }

    #[test]
    fn a_line_belongs_to_the_one_function_that_has_it() {
        assert_eq!(known(&[]), Known::Nothing);
        assert_eq!(known(&["Shop.load", "Shop.load"]), Known::One("Shop.load".into()));
        assert_eq!(known(&["<module>", "load"]), Known::Several);
        assert_eq!(known(&["load", "load.<locals>.<lambda>"]), Known::Several);
        assert_eq!(known(&["load", "", "load"]), Known::Several);
    }

    #[test]
    fn comprehensions_are_a_part_of_the_function_around_them() {
        let load = Known::One("load".into());
        assert_eq!(known(&["load", "load.<locals>.<listcomp>"]), load);
        assert_eq!(known(&["load.<locals>.<genexpr>", "load"]), load);
        assert_eq!(known(&["load", "load.<locals>.<listcomp>.<setcomp>"]), load);
        assert_eq!(known(&["<dictcomp>", "load", "<listcomp>"]), load);
        assert_eq!(known(&["<module>", "<listcomp>"]), Known::One("<module>".into()));
        assert_eq!(known(&["other", "load.<locals>.<listcomp>"]), Known::Several);
        assert_eq!(known(&["<listcomp>", "<genexpr>"]), Known::Several);
    }
}
