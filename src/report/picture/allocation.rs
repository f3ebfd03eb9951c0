//! The frames of where objects were made: calls on calls, the types of what they made on top. What nobody saw stands
//! beside them, by its types. Of what was recorded, types are not known.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::short_path::ShortPaths;
use super::{Amount, Frame};
use crate::allocations::{IMPORTING, RecordedSite};
use crate::sampling::births::{Births, Call, Share, Site};

/// Calls that come again and again in turns of at most so many stand once.
const LONGEST_TURN: usize = 4;

/// All frames; with `grown_only`, of what came since the first snapshot alone.
pub fn frames(births: &Births, grown_only: bool) -> Vec<Frame> {
    let mut growing = Growing::of(births.sites.iter());
    for site in &births.sites {
        let place = growing.place(site);
        growing.add(place, &site.types, grown_only);
    }
    for unseen in &births.unseen {
        let place = growing.frame(0, Step::Part(unseen.why.label()));
        growing.add(place, &unseen.types, grown_only);
    }
    growing.frames
}

/// The frames of what was recorded, as wide as what is in use, or as what was allocated in all; and both of each.
pub fn recorded(in_use: &[RecordedSite], in_all: &[RecordedSite], shows_all: bool) -> (Vec<Frame>, Vec<[Amount; 2]>) {
    let mut growing = Growing::of(in_use.iter().chain(in_all).map(|recorded| &recorded.site));
    let mut amounts: Vec<[Amount; 2]> = Vec::new();
    for (column, sites) in [in_use, in_all].into_iter().enumerate() {
        for RecordedSite { site, .. } in sites {
            let place = growing.place(site) as usize;
            amounts.resize(growing.frames.len(), Default::default());
            amounts[place][column] = amounts[place][column].and(Amount {
                objects: site.count,
                bytes: site.bytes,
            });
        }
    }
    for (frame, amounts) in growing.frames.iter_mut().zip(&amounts) {
        frame.own = amounts[usize::from(shows_all)];
    }
    (growing.frames, amounts)
}

/// A stack without what nobody wants to read: the machinery of imports, where it only leads to a module's own code; and
/// of calls that come again and again, in the same turns, all but one turn: `f g f g f g h` is `f g h`.
fn readable(stack: &[Call]) -> Vec<&Call> {
    let own_code = stack.iter().rposition(|call| !call.file.starts_with(IMPORTING));
    let mut kept: Vec<&Call> = Vec::with_capacity(stack.len());
    for (index, call) in stack.iter().enumerate() {
        if call.file.starts_with(IMPORTING) && own_code.is_some_and(|own_code| index < own_code) {
            continue;
        }
        kept.push(call);
        let length = kept.len();
        let is_repeated =
            |turn: &usize| length >= 2 * turn && kept[length - turn..] == kept[length - 2 * turn..length - turn];
        if let Some(turn) = (1..=LONGEST_TURN).find(is_repeated) {
            kept.truncate(length - turn);
        }
    }
    kept
}

/// What leads from a frame to the one on top of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step<'a> {
    Call(&'a Call),
    Type(&'a str),
    /// Of what nobody saw, by why.
    Part(&'static str),
}

struct Growing<'a> {
    frames: Vec<Frame>,
    index: FxHashMap<(u32, Step<'a>), u32>,
    paths: ShortPaths<'a>,
}

impl<'a> Growing<'a> {
    /// With no frames yet but that of the whole.
    fn of(sites: impl Iterator<Item = &'a Site>) -> Growing<'a> {
        Growing {
            frames: vec![Frame::whole()],
            index: FxHashMap::default(),
            paths: ShortPaths::of_calls(sites.flat_map(|site| site.stack.iter())),
        }
    }

    /// The frame of the innermost call of a site.
    fn place(&mut self, site: &'a Site) -> u32 {
        let calls = readable(&site.stack).into_iter();
        calls.fold(0, |parent, call| self.frame(parent, Step::Call(call)))
    }

    fn frame(&mut self, parent: u32, step: Step<'a>) -> u32 {
        if let Some(&frame) = self.index.get(&(parent, step)) {
            return frame;
        }
        let (label, call): (Rc<str>, _) = match step {
            Step::Call(call) => (self.paths.call(call).into(), Some(call.clone())),
            Step::Type(name) => (name.into(), None),
            Step::Part(why) => (format!("({why})").into(), None),
        };
        let frame = self.frames.len() as u32;
        self.frames.push(Frame {
            call,
            ..Frame::named(parent, label, Amount::default())
        });
        self.index.insert((parent, step), frame);
        frame
    }

    fn add(&mut self, place: u32, types: &'a [Share], grown_only: bool) {
        for share in types {
            let amount = match grown_only {
                true => Amount {
                    objects: share.grown_count,
                    bytes: share.grown_bytes,
                },
                false => Amount {
                    objects: share.count,
                    bytes: share.bytes,
                },
            };
            if amount != Amount::default() {
                let frame = self.frame(place, Step::Type(&share.type_name)) as usize;
                self.frames[frame].own = self.frames[frame].own.and(amount);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `import` is a call of the machinery of imports.
    fn call(name: &str) -> Call {
        let file = match name {
            "import" => "<frozen importlib._bootstrap_external>",
            _ => "a.py",
        };
        Call {
            function: name.into(),
            file: file.into(),
            line: Some(1),
        }
    }

    fn kept(names: &str) -> String {
        let stack: Vec<Call> = names.split(' ').map(call).collect();
        let kept: Vec<&str> = readable(&stack).iter().map(|call| &*call.function).collect();
        kept.join(" ")
    }

    #[test]
    fn calls_that_come_again_and_again_stand_once() {
        assert_eq!(kept("main walk walk walk walk make"), "main walk make");
        assert_eq!(kept("main copy dict copy dict copy dict make"), "main copy dict make");
        assert_eq!(kept("main copy dict copy dict copy make"), "main copy dict copy make");
        assert_eq!(kept("main a b c d a b c d e"), "main a b c d e");
        // Another line is another place.
        assert_eq!(kept("main walk make walk"), "main walk make walk");
    }

    #[test]
    fn imports_are_drawn_without_their_machinery() {
        assert_eq!(kept("main import import shop import models"), "main shop models");
        // What it makes itself has no other place.
        assert_eq!(kept("main import import shop import import"), "main shop import");
        assert_eq!(kept("import import"), "import");
    }
}
