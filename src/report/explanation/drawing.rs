//! An answer as a picture: a few dozen boxes and the arrows between them, for whoever draws them.

use std::collections::HashMap;

use super::model::{Explained, Group, Referent, Step};
use crate::report::text::{cut_middle, harmless};
use crate::units;

/// A picture with more boxes than these explains nothing.
const MOST_BOXES: usize = 60;
/// Longer texts are cut.
const LONGEST_TEXT: usize = 36;

/// Boxes and arrows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    pub title: String,
    pub boxes: Vec<Box>,
    pub arrows: Vec<Arrow>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Box {
    pub lines: Vec<String>,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A module, a thread: what lives by itself.
    Root,
    Object,
    /// What was asked for.
    Asked,
    /// Stands for what is not shown.
    Gap,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    /// `.lines`, `['eu']`.
    pub label: String,
    pub manner: Manner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Holds,
    /// All chains to what was asked for lead here.
    HoldsAlone,
    Weak,
}

/// By what a box is known, so that it is drawn once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    Address(u64),
    Path(String),
}

#[derive(Default)]
struct Draft {
    drawing: Drawing,
    known: HashMap<Identity, usize>,
}

impl Drawing {
    pub fn of(explained: &Explained<'_>) -> Drawing {
        let mut draft = Draft::default();
        draft.drawing.title = title(explained);
        match &explained.referents {
            Some(referents) => draft.add_referents(referents),
            None => draft.add_holders(explained),
        }
        draft.drawing
    }
}

fn title(explained: &Explained<'_>) -> String {
    let sum = explained.found.sum;
    let verb = match explained.referents {
        Some(_) if sum.count == 1 => "what it holds",
        Some(_) => "what they hold",
        None if sum.count == 1 => "who holds it",
        None => "who holds them",
    };
    let count = match sum.count {
        1 => String::new(),
        count => format!(" × {}", units::count(count)),
    };
    format!(
        "{}{count}: {verb} · {} retained · pid {}",
        harmless(explained.found.type_name),
        units::bytes(sum.retained_bytes),
        explained.process.pid
    )
}

impl Draft {
    fn add_holders(&mut self, explained: &Explained<'_>) {
        for (number, group) in explained.groups.iter().enumerate() {
            if self.drawing.boxes.len() + group.example.steps.len() > MOST_BOXES && number > 0 {
                break;
            }
            self.add_group(number, group, explained);
        }
        let asked = explained
            .object
            .as_ref()
            .map(|object| Identity::Address(object.address.0));
        let asked = asked.and_then(|asked| self.known.get(&asked).copied());
        for weak in explained.weak_references.iter().filter(|_| asked.is_some()) {
            let lines = vec![cut(weak.path), cut(short(weak.type_name))];
            let from = self.add_box(Identity::Address(weak.address.0), lines, Kind::Object);
            self.add_arrow(from, asked.unwrap_or_default(), "", Manner::Weak);
        }
    }

    fn add_group(&mut self, number: usize, group: &Group<'_>, explained: &Explained<'_>) {
        let mut path = String::new();
        let mut above: Option<usize> = None;
        let steps = &group.example.steps;
        for (place, step) in steps.iter().enumerate() {
            path.push_str(step.step);
            let is_asked = place + 1 == steps.len();
            if step.after_gap {
                let gap = self.add_box(
                    Identity::Path(format!("{number} {path}")),
                    vec!["…".to_owned()],
                    Kind::Gap,
                );
                above
                    .iter()
                    .for_each(|&above| self.add_arrow(above, gap, "", Manner::Holds));
                above = Some(gap);
            }
            let identity = match step.address {
                // What is asked for has a box of its own for each way in which it is held.
                Some(_) if is_asked && explained.object.is_none() => Identity::Path(format!("{number} {path}")),
                Some(address) => Identity::Address(address.0),
                None => Identity::Path(path.clone()),
            };
            let below = self.add_box(identity, lines(group, step, place, is_asked), kind(place, is_asked));
            let is_by_dominator = place.checked_sub(1).is_some_and(|before| steps[before].dominator);
            let manner = match step.dominator || is_asked && is_by_dominator {
                true => Manner::HoldsAlone,
                false => Manner::Holds,
            };
            if let Some(above) = above {
                self.add_arrow(above, below, &label(group, step, is_asked), manner);
            }
            above = Some(below);
        }
    }

    fn add_referents(&mut self, referents: &[Referent<'_>]) {
        for (place, each) in referents.iter().take(MOST_BOXES).enumerate() {
            let mut lines = vec![cut(short(each.type_name))];
            if each.sum.count != 1 {
                lines[0].push_str(&format!(" × {}", units::count(each.sum.count)));
            }
            if !each.weak {
                lines.push(format!("{} retained", units::bytes(each.sum.retained_bytes)));
            }
            if each.hidden > 0 {
                lines.push(format!("… {} more", units::count(each.hidden)));
            }
            let kind = if place == 0 { Kind::Asked } else { Kind::Object };
            let below = self.add_box(Identity::Path(place.to_string()), lines, kind);
            let manner = if each.weak { Manner::Weak } else { Manner::Holds };
            if place > 0 {
                self.add_arrow(each.parent as usize, below, each.step, manner);
            }
        }
    }

    fn add_box(&mut self, identity: Identity, lines: Vec<String>, kind: Kind) -> usize {
        let boxes = &mut self.drawing.boxes;
        *self.known.entry(identity).or_insert_with(|| {
            boxes.push(Box { lines, kind });
            boxes.len() - 1
        })
    }

    fn add_arrow(&mut self, from: usize, to: usize, label: &str, manner: Manner) {
        let arrow = Arrow {
            from,
            to,
            label: cut(label.trim_start_matches(" > ")),
            manner,
        };
        if from != to && !self.drawing.arrows.contains(&arrow) {
            self.drawing.arrows.push(arrow);
        }
    }
}

fn kind(place: usize, is_asked: bool) -> Kind {
    match (place, is_asked) {
        (_, true) => Kind::Asked,
        (0, false) => Kind::Root,
        _ => Kind::Object,
    }
}

fn lines(group: &Group<'_>, step: &Step<'_>, place: usize, is_asked: bool) -> Vec<String> {
    let type_name = step.type_name.map(|name| cut(short(name)));
    let mut lines = Vec::new();
    if place == 0 {
        lines.push(cut(step.step));
    }
    match type_name {
        Some(name) if is_asked && group.sum.count > 1 => {
            lines.push(format!("{name} × {}", units::count(group.sum.count)));
            lines.push(format!("{} retained", units::bytes(group.sum.retained_bytes)));
        }
        // What a module retains says little: it never goes.
        Some(name) if place == 0 && !is_asked => lines.push(name),
        Some(name) => {
            lines.push(name);
            lines.push(format!("{} retained", units::bytes(step.retained_bytes)));
        }
        // A frame is called by the name of its function.
        None if place > 0 => lines.push(cut(step.step.trim_start_matches(" > "))),
        None => {}
    }
    lines
}

fn label(group: &Group<'_>, step: &Step<'_>, is_asked: bool) -> String {
    match step.times {
        // The place of one among many is no name.
        1 if is_asked && group.sum.count > 1 && step.step.starts_with('[') => "[…]".to_owned(),
        // A frame's box says it.
        1 if step.address.is_none() => String::new(),
        1 => step.step.to_owned(),
        times => format!("{} × {}", step.step, units::count(times)),
    }
}

fn cut(text: &str) -> String {
    cut_middle(&harmless(text), LONGEST_TEXT).into_owned()
}

fn short(name: &str) -> &str {
    name.strip_prefix("builtins.").unwrap_or(name)
}
