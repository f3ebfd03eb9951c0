//! A picture as profilers of other makers see it: stacks with weights, and the places that stacks are made of.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{Amount, Frame, Picture};
use crate::report::text::harmless;

/// What a stack is made of: a call, or anything else that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The function of a call, the label of all else; harmless, never empty.
    pub name: Rc<str>,
    /// The whole path; empty where there is no file.
    pub file: Rc<str>,
    pub line: Option<u32>,
}

/// Every frame that has something of its own is a stack.
pub struct Stacks<'a> {
    picture: &'a Picture,
    /// Each place once.
    pub places: Vec<Place>,
    /// The place of each frame but the whole, which has none.
    of_frames: Vec<usize>,
}

impl<'a> Stacks<'a> {
    pub fn of(picture: &'a Picture) -> Stacks<'a> {
        let mut places = Vec::new();
        let mut numbers: FxHashMap<Place, usize> = FxHashMap::default();
        let number = |frame: &Frame| {
            *numbers.entry(place(frame)).or_insert_with_key(|place| {
                places.push(place.clone());
                places.len() - 1
            })
        };
        let of_frames = picture.frames.iter().skip(1).map(number).collect();
        Stacks {
            picture,
            places,
            of_frames,
        }
    }

    /// The frames that have something of their own, by their indices, each with how much.
    pub fn all(&self) -> impl Iterator<Item = (usize, Amount)> {
        let frames = self.picture.frames.iter().enumerate().skip(1);
        frames
            .map(|(index, frame)| (index, frame.own))
            .filter(|(_, own)| *own != Amount::default())
    }

    /// The same of a picture of a recording, by what is in use and what was allocated in all.
    pub fn recorded(&self) -> Option<impl Iterator<Item = (usize, [Amount; 2])>> {
        let frames = self.picture.recorded.as_ref()?.iter().copied().enumerate();
        Some(frames.filter(|(_, amounts)| *amounts != <[Amount; 2]>::default()))
    }

    /// The places of a frame and of all that it stands on, as indices of `places`, the innermost first.
    pub fn inwards(&self, frame: usize) -> impl Iterator<Item = usize> {
        let parent = |&frame: &usize| self.picture.frames.get(frame).map(|frame| frame.parent as usize);
        std::iter::successors(Some(frame), parent)
            .take_while(|&frame| frame != 0)
            .filter_map(|frame| self.of_frames.get(frame - 1).copied())
    }
}

fn place(frame: &Frame) -> Place {
    let shown = |text: &Rc<str>| match harmless(text) {
        text if text.is_empty() => "(unnamed)".into(),
        text => text.into(),
    };
    let nowhere = |name| Place {
        name,
        file: "".into(),
        line: None,
    };
    match &frame.call {
        Some(call) if call.function.is_empty() => Place {
            file: shown(&call.file),
            line: call.line,
            ..nowhere(shown(&frame.label))
        },
        Some(call) if !call.file.is_empty() => Place {
            file: shown(&call.file),
            line: call.line,
            ..nowhere(shown(&call.function))
        },
        _ => nowhere(shown(&frame.label)),
    }
}
