//! The frames of where objects were made: calls on calls, the types of what they made on top. What nobody saw stands
//! beside them, by its types.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::short_path::ShortPaths;
use super::{Amount, Frame};
use crate::sampling::births::{Births, Call, Share};

/// Calls that come again and again in turns of at most so many stand once.
const LONGEST_TURN: usize = 4;

/// All frames; with `grown_only`, of what came since the first snapshot alone.
pub fn frames(births: &Births, grown_only: bool) -> Vec<Frame> {
    let calls = births.sites.iter().flat_map(|site| site.stack.iter());
    let mut growing = Growing {
        frames: vec![Frame::whole()],
        index: FxHashMap::default(),
        paths: ShortPaths::of(calls.map(|call| &*call.file)),
        grown_only,
    };
    for site in &births.sites {
        let place = without_turns(&site.stack)
            .into_iter()
            .fold(0, |parent, call| growing.frame(parent, Step::Call(call)));
        growing.add(place, &site.types);
    }
    for unseen in &births.unseen {
        let place = growing.frame(0, Step::Part(unseen.why.label()));
        growing.add(place, &unseen.types);
    }
    growing.frames
}

/// A stack in which calls that come again and again, in the same turns, stand once: `f g f g f g h` is `f g h`.
fn without_turns(stack: &[Call]) -> Vec<&Call> {
    let mut kept: Vec<&Call> = Vec::with_capacity(stack.len());
    for call in stack {
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
    grown_only: bool,
}

impl<'a> Growing<'a> {
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

    fn add(&mut self, place: u32, types: &'a [Share]) {
        for share in types {
            let amount = match self.grown_only {
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

    fn call(name: &str) -> Call {
        Call {
            function: name.into(),
            file: "a.py".into(),
            line: Some(1),
        }
    }

    fn kept(names: &str) -> String {
        let stack: Vec<Call> = names.split(' ').map(call).collect();
        let kept: Vec<&str> = without_turns(&stack).iter().map(|call| &*call.function).collect();
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
}
