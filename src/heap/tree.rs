//! The tree of first holders: objects that are held alike count for one frame, so that millions of them make a readable
//! picture.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::labels::{Label, LabelKind};
use super::names::Names;
use super::objects::NO_OBJECT;
use super::types::Types;

/// Deeper holders count for the deepest frame that is shown.
const DEEPEST: u16 = 60;
/// When there are so many frames, what is held by new kinds of steps counts for its holder's.
const MOST_FRAMES: usize = 200_000;
/// So many keys of the dicts of one frame have frames of their own; the others share one.
const MOST_KEYS: usize = 64;
/// So many keys of the dicts of one frame are read: beyond them, they are data.
const MOST_KEYS_READ: usize = 512;
/// Of longer ways only so many steps are told.
const MOST_STEPS: usize = 4;
const CACHE: usize = 1 << 12;

/// A step from a frame to one below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// An attribute or a variable, by the number of its name's text.
    Name(u32),
    /// `[key]`, by the number of the key's text.
    Key(u32),
    /// Some place in a container.
    Place,
    Unnamed,
}

/// Whether keys are still told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    Shown,
    Folded,
}

/// A frame: by what step from its parent, and objects of which type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    parent: u32,
    step: Step,
    type_of: u32,
}

/// How objects are held, before the name of the step was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub label: Label,
    /// The holder is the dict behind another object's attributes.
    pub in_namespace: bool,
    pub type_of: u32,
}

/// The keys that were read below a frame, by the number of their label, and those that have a frame there.
#[derive(Debug, Default)]
struct KeysBelow {
    read: FxHashMap<u32, Step>,
    shown: FxHashSet<u32>,
}

/// What a frame has of its own.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    objects: u64,
    bytes: u64,
}

/// A frame that is asked for, in two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Question(u64, u64);

/// Builds the tree while holders are found.
pub struct Growing {
    keys: Vec<Key>,
    depth: Vec<u16>,
    sums: Vec<Sum>,
    index: FxHashMap<Key, u32>,
    keys_below: FxHashMap<u32, KeysBelow>,
    /// The last frames asked for, by a hash of the question: objects that are alike come in rows.
    recent: Vec<(Question, u32)>,
}

/// The frame of the whole heap.
pub const ROOT: u32 = 0;

impl Growing {
    pub fn new() -> Self {
        let root = Key {
            parent: ROOT,
            step: Step::Unnamed,
            type_of: NO_OBJECT,
        };
        Growing {
            keys: vec![root],
            depth: vec![0],
            sums: vec![Sum::default()],
            index: FxHashMap::default(),
            keys_below: FxHashMap::default(),
            recent: vec![(Question(u64::MAX, u64::MAX), ROOT); CACHE],
        }
    }

    /// The frame of objects that the objects of `parent` hold like this, if it was among the last ones that were found.
    #[inline(always)]
    pub fn recent_frame(&self, parent: u32, held: Held) -> Option<u32> {
        let question = Question::of(parent, held);
        let (last, frame) = self.recent[question.slot()];
        (last == question).then_some(frame)
    }

    /// The frame of objects that the objects of `parent` hold like this; `read` says what step that is.
    pub fn frame(&mut self, parent: u32, held: Held, read: impl FnOnce(Keys) -> Step) -> u32 {
        let question = Question::of(parent, held);
        let frame = self.find(parent, held, read);
        self.recent[question.slot()] = (question, frame);
        frame
    }

    /// The frame of objects of a type that the heap as a whole holds by a step.
    pub fn frame_of_step(&mut self, step: Step, type_of: u32) -> u32 {
        self.add_frame(Key {
            parent: ROOT,
            step,
            type_of,
        })
    }

    fn find(&mut self, parent: u32, held: Held, read: impl FnOnce(Keys) -> Step) -> u32 {
        let is_key = held.label.kind() == LabelKind::Value && !held.in_namespace;
        let step = if is_key {
            self.key_step(parent, held.label.number(), read)
        } else {
            read(Keys::Shown)
        };
        let type_of = held.type_of;
        self.add_frame(Key { parent, step, type_of })
    }

    /// The step to what is held under a key: of its own for the first keys below a frame.
    fn key_step(&mut self, parent: u32, key: u32, read: impl FnOnce(Keys) -> Step) -> Step {
        let below = self.keys_below.entry(parent).or_default();
        if let Some(&step) = below.read.get(&key) {
            return step;
        }
        if below.read.len() >= MOST_KEYS_READ {
            return read(Keys::Folded);
        }
        let step = match read(Keys::Shown) {
            Step::Key(text) if below.shown.contains(&text) => Step::Key(text),
            Step::Key(text) if below.shown.len() < MOST_KEYS => {
                below.shown.insert(text);
                Step::Key(text)
            }
            Step::Key(_) => Step::Place,
            step => step,
        };
        below.read.insert(key, step);
        step
    }

    fn add_frame(&mut self, key: Key) -> u32 {
        let own = self.keys[key.parent as usize];
        // A chain of like objects, such as a linked list, is one frame.
        if key.parent != ROOT && own.step == key.step && own.type_of == key.type_of {
            return key.parent;
        }
        if let Some(&frame) = self.index.get(&key) {
            return frame;
        }
        let depth = self.depth[key.parent as usize];
        if depth >= DEEPEST || self.keys.len() >= MOST_FRAMES {
            return key.parent;
        }
        let frame = self.keys.len() as u32;
        self.keys.push(key);
        self.depth.push(depth + 1);
        self.sums.push(Sum::default());
        self.index.insert(key, frame);
        frame
    }

    #[inline]
    pub fn add(&mut self, frame: u32, bytes: u64) {
        let sum = &mut self.sums[frame as usize];
        sum.objects += 1;
        sum.bytes = sum.bytes.saturating_add(bytes);
    }

    /// The bytes of each frame with all frames above it.
    pub fn sums(&self) -> Vec<u64> {
        let mut sums: Vec<u64> = self.sums.iter().map(|sum| sum.bytes).collect();
        for frame in (1..sums.len()).rev() {
            let parent = self.keys[frame].parent as usize;
            sums[parent] = sums[parent].saturating_add(sums[frame]);
        }
        sums
    }

    /// The way from a frame down to another one, and what that is: `PRICES: dict`, `shop > PRICES: dict`. Of a long way the
    /// end is told.
    pub fn way(&self, from: u32, to: u32, names: &Names, types: &Types) -> String {
        if to == ROOT {
            return "heap".to_owned();
        }
        let key = self.keys[to as usize];
        let mut steps = vec![text(&key, names, types)];
        let mut at = key.parent;
        while at != from && at != ROOT {
            let key = self.keys[at as usize];
            if steps.len() == MOST_STEPS {
                steps.push("…".into());
                break;
            }
            steps.push(match step_text(key.step, names) {
                step if step.is_empty() => types.short_name(key.type_of).into(),
                step => step,
            });
            at = key.parent;
        }
        steps.reverse();
        steps.join(" > ")
    }
}

impl Question {
    #[inline]
    fn of(parent: u32, held: Held) -> Question {
        let label = held.label.without_place(held.in_namespace);
        Question(
            u64::from(parent) << 32 | u64::from(label.bits()),
            u64::from(held.type_of) << 1 | u64::from(held.in_namespace),
        )
    }

    #[inline]
    fn slot(self) -> usize {
        let mixed = self.0.wrapping_add(self.1 << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 52) as usize % CACHE
    }
}

fn step_text(step: Step, names: &Names) -> Rc<str> {
    match step {
        Step::Name(name) => names.get(name),
        Step::Key(name) => format!("[{}]", names.get(name)).into(),
        Step::Place => "[…]".into(),
        Step::Unnamed => "".into(),
    }
}

fn text(key: &Key, names: &Names, types: &Types) -> Rc<str> {
    let step = step_text(key.step, names);
    let type_name = types.short_name(key.type_of);
    match (&*step, type_name) {
        (step, "" | "module") if !step.is_empty() => step.into(),
        ("", type_name) => type_name.into(),
        (step, type_name) => format!("{step}: {type_name}").into(),
    }
}
