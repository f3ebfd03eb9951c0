//! Chains that look alike, step by step: the same names and types, whatever the places in lists and large dicts are.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Inquiry;
use crate::heap::facts::Facts;
use crate::heap::labels::{Label, LabelKind};
use crate::heap::objects::HEAP;
use crate::heap::paths::Link;

/// The likeness of no step: that of the root.
pub const NO_STEP: u32 = 0;
/// A dict with more entries than these holds data under its keys, and no names.
const MOST_KEYS: usize = 32;
/// The same for all dicts that are held alike together.
const MOST_DIFFERENT_KEYS: u32 = 16;
/// So many keys that lead to instances of one class are data as well.
const MOST_KEYS_OF_A_CLASS: u32 = 2;
/// What types that come with the interpreter are called.
const BUILT_IN: &str = "builtins.";
/// Names that `asyncio` makes up, and what stands for all of them.
const NUMBERED_TASK: &str = "task 'Task-";
const ANY_TASK: &str = "task '…'";
/// So many times it is begun anew because keys turned out to be data; what turns out after that stays half folded.
const MOST_PASSES: usize = 4;
/// Steps that lead round in a circle, as in a tree, are at most so many.
const LONGEST_CIRCLE: usize = 4;
/// Beyond so many, steps are told apart no further.
const MOST_LIKENESSES: usize = 1 << 16;
/// Some place in a container.
pub const PLACE: &str = "[…]";

/// The ways in which rows are held, as a tree of steps.
pub struct Likenesses {
    all: Vec<Likeness>,
    index: FxHashMap<(u32, Rc<str>, u32), u32>,
    /// The same by label, of steps that need not be written to be known: by what is above, label and type.
    by_label: FxHashMap<(u32, Label, u32), u32>,
    /// Paths below which keys are data; where a type stands beside them, those that lead to it.
    crowded: FxHashSet<(String, Option<u32>)>,
    /// How many keys are told apart that lead from a likeness to a type.
    keys_of_type: FxHashMap<(u32, u32), u32>,
    /// Of rows asked about, and of those on the way to them.
    of_row: FxHashMap<u32, u32>,
}

struct Likeness {
    parent: u32,
    text: Rc<str>,
    type_of: u32,
    /// Keys that are told apart below it.
    keys: u32,
    /// Whether the steps from here on are taken again and again.
    repeats: bool,
}

impl Likenesses {
    pub fn new() -> Self {
        Likenesses {
            all: vec![Likeness {
                parent: NO_STEP,
                text: "".into(),
                type_of: 0,
                keys: 0,
                repeats: false,
            }],
            index: FxHashMap::default(),
            by_label: FxHashMap::default(),
            crowded: FxHashSet::default(),
            keys_of_type: FxHashMap::default(),
            of_row: FxHashMap::default(),
        }
    }

    /// The path that all of this likeness have in common, `__main__.JOURNAL[…]`, or its last `depth` steps.
    pub fn path(&self, likeness: u32, depth: Option<u32>) -> String {
        let mut steps = vec![likeness];
        while let Some(&at) = steps.last().filter(|&&at| at != NO_STEP) {
            steps.push(self.all[at as usize].parent);
        }
        let text = |&at: &u32| {
            let Likeness { text, repeats, .. } = &self.all[at as usize];
            format!("{text}{}", if *repeats { "…" } else { "" })
        };
        let shown = depth.map_or(steps.len(), |depth| steps.len().min(depth as usize));
        let gap = if shown + 1 < steps.len() { "…" } else { "" };
        std::iter::once(gap.to_owned())
            .chain(steps[..shown].iter().rev().map(text))
            .collect()
    }

    /// The likeness one step below another; a step that was taken a few steps before leads back to it.
    fn below(&mut self, above: u32, text: &str, type_of: u32) -> u32 {
        let mut at = above;
        for _ in 0..LONGEST_CIRCLE {
            let each = &mut self.all[at as usize];
            if at == NO_STEP || each.parent == NO_STEP {
                break;
            }
            if &*each.text == text && each.type_of == type_of {
                each.repeats = true;
                return at;
            }
            at = each.parent;
        }
        let text: Rc<str> = text.into();
        if let Some(&known) = self.index.get(&(above, Rc::clone(&text), type_of)) {
            return known;
        }
        if self.all.len() >= MOST_LIKENESSES {
            return above;
        }
        let likeness = self.all.len() as u32;
        self.all.push(Likeness {
            parent: above,
            text: Rc::clone(&text),
            type_of,
            keys: 0,
            repeats: false,
        });
        self.index.insert((above, text, type_of), likeness);
        likeness
    }

    /// Whether one key more can be told apart below a likeness; of those that lead to a type, `most`.
    fn has_room_for_key(&mut self, above: u32, text: &str, type_of: u32, most: u32) -> bool {
        if self.index.contains_key(&(above, text.into(), type_of)) {
            return true;
        }
        let path = self.path(above, None);
        let each = &mut self.all[above as usize];
        each.keys += 1;
        let is_full = each.keys > MOST_DIFFERENT_KEYS;
        let of_type = self.keys_of_type.entry((above, type_of)).or_default();
        *of_type += 1;
        let is_full_of_type = *of_type > most;
        let (all, of_type) = ((path.clone(), None), (path, Some(type_of)));
        if is_full {
            self.crowded.insert(all.clone());
        }
        if is_full_of_type {
            self.crowded.insert(of_type.clone());
        }
        !self.crowded.contains(&all) && !self.crowded.contains(&of_type)
    }
}

impl<F: Facts> Inquiry<F> {
    /// The likeness of each row's cheapest chain, in the order of the rows.
    pub fn likenesses(&mut self, rows: &[u32]) -> (Likenesses, Vec<u32>) {
        let mut known = Likenesses::new();
        let mut passes = 1;
        loop {
            let crowded = known.crowded.len();
            let of_rows = rows.iter().map(|&row| self.likeness_of_row(&mut known, row)).collect();
            if known.crowded.len() == crowded || passes == MOST_PASSES {
                return (known, of_rows);
            }
            passes += 1;
            // Keys that turned out to be data are told apart no more.
            known = Likenesses {
                crowded: known.crowded,
                ..Likenesses::new()
            };
        }
    }

    fn likeness_of_row(&mut self, known: &mut Likenesses, row: u32) -> u32 {
        let mut chain = Vec::new();
        let mut at = row;
        while !known.of_row.contains_key(&at) {
            let Some(reference) = self.network.cheapest.through(at) else {
                break;
            };
            chain.push(reference);
            at = self.network.references.source(reference);
        }
        let mut likeness = match known.of_row.get(&at) {
            Some(&likeness) => likeness,
            None if at == HEAP => NO_STEP,
            // The chains to what no root reaches begin at their holder.
            None => match self.network.incoming.of(at).first() {
                Some(&entry) => self.reference_below(known, NO_STEP, None, entry),
                None => NO_STEP,
            },
        };
        known.of_row.insert(at, likeness);
        while let Some(reference) = chain.pop() {
            let before = self.network.cheapest.through(at);
            likeness = self.reference_below(known, likeness, before, reference);
            at = self.network.target(reference);
            known.of_row.insert(at, likeness);
        }
        likeness
    }

    /// The likeness of a whole chain, as the numbers of its references.
    pub fn likeness_of_chain(&mut self, known: &mut Likenesses, references: &[u32]) -> u32 {
        let mut before = None;
        let mut likeness = NO_STEP;
        for &reference in references {
            likeness = self.reference_below(known, likeness, before, reference);
            before = Some(reference);
        }
        likeness
    }

    fn reference_below(&mut self, known: &mut Likenesses, above: u32, before: Option<u32>, reference: u32) -> u32 {
        if self.is_passed_over(reference) {
            return above;
        }
        let link = self.network.link(&self.facts, before, reference);
        let is_variable = before.is_some_and(|before| self.is_passed_over(before) && !link.in_namespace);
        if is_variable || matches!(link.label.kind(), LabelKind::Local | LabelKind::Unnamed) {
            let text = self.text(before, reference);
            return known.below(above, &text, self.facts.kind_of(link.row));
        }
        self.step_below(known, above, link)
    }

    /// The likeness of what is held by `link`, one step below another.
    pub fn step_below(&mut self, known: &mut Likenesses, above: u32, link: Link) -> u32 {
        if link.label == Label::NAMESPACE {
            return above;
        }
        let type_of = self.facts.kind_of(link.row);
        let kind = link.label.kind();
        let is_place = self.is_place(link);
        let is_key = matches!(kind, LabelKind::Value | LabelKind::Entry) && !link.in_namespace && !is_place;
        // Whatever a step of an attribute's name is written as, it is the same for the same name.
        let label = match is_place {
            true => Some(Label::new(LabelKind::Index, 0)),
            false => {
                Some(link.label).filter(|_| matches!(kind, LabelKind::Attribute | LabelKind::Slot | LabelKind::Member))
            }
        };
        if let Some(&below) = label.and_then(|label| known.by_label.get(&(above, label, type_of))) {
            return below;
        }
        let below = match is_place {
            true => known.below(above, PLACE, type_of),
            false => {
                let text = self.step(link);
                let all = match kind {
                    LabelKind::Task => ANY_TASK,
                    _ => PLACE,
                };
                let is_data = match kind {
                    LabelKind::Task => {
                        let is_numbered = text.starts_with(NUMBERED_TASK);
                        is_numbered || !known.has_room_for_key(above, &text, type_of, MOST_DIFFERENT_KEYS)
                    }
                    _ => is_key && !known.has_room_for_key(above, &text, type_of, self.most_keys(type_of)),
                };
                known.below(above, if is_data { all } else { &text }, type_of)
            }
        };
        if let Some(label) = label {
            known.by_label.insert((above, label, type_of), below);
        }
        below
    }

    /// Whether something is held by its place in a list, or in a dict so large that its keys are data.
    pub fn is_place(&self, link: Link) -> bool {
        match link.label.kind() {
            LabelKind::Index => true,
            LabelKind::Value | LabelKind::Entry => {
                !link.in_namespace && self.network.references.of(link.parent).len() > 2 * MOST_KEYS
            }
            _ => false,
        }
    }

    /// How many keys that lead to objects of a type are told apart: those of lists and other dicts are more often names.
    fn most_keys(&self, type_of: u32) -> u32 {
        match self.facts.kind(type_of).name.starts_with(BUILT_IN) {
            true => MOST_DIFFERENT_KEYS,
            false => MOST_KEYS_OF_A_CLASS,
        }
    }
}
