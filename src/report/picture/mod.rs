//! Pictures of a heap: trees of frames, each with the objects and bytes of its own. Flame graphs and the profiles of other
//! tools are made of them.

mod allocation;
pub mod collapsed;
mod fold;
pub mod format;
mod merged;
mod pprof;
mod rest;
pub mod short_path;
mod speedscope;
mod stacks;
pub mod svg;

use std::rc::Rc;

use super::text::command_line;
use crate::capture::{Capture, ProcessFacts};
use crate::heap::Tree;
pub use crate::heap::wanted::Graph;
use crate::sampling::births::Call;

/// Longer command lines are cut in titles.
const TITLE_WIDTH: usize = 60;
/// What the whole heap holds itself.
const NO_HOLDER: &str = "(no holder)";
/// What a heap has and its tree has not.
const NOT_IN_THE_TREE: &str = "(not in the tree)";

/// What the width of a frame stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Weight {
    #[default]
    Bytes,
    /// Objects.
    Count,
    /// The bytes that came since the first snapshot.
    Growth,
}

/// Which picture is wanted; without a graph, the one that says most of what is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub graph: Option<Graph>,
    pub weight: Weight,
}

/// Why there is no such picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPicture {
    /// The heap was never read.
    NoHeap,
    /// Nobody saw where objects were made.
    NoSites,
    /// Only what was made since the first snapshot is known to have grown, and trees of holders do not tell.
    NoGrowth,
    /// A single snapshot does not tell what has grown.
    OneLook,
}

/// A tree of frames. Frame 0 is the whole, and has nothing of its own.
#[derive(Debug, Clone)]
pub struct Picture {
    pub graph: Graph,
    pub weight: Weight,
    /// Whose heap it is.
    pub title: String,
    /// When it was, in seconds since 1970.
    pub taken_at: Option<f64>,
    pub frames: Vec<Frame>,
}

/// Objects that are alike in what the picture tells apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The index of the parent, always smaller than the frame's own; the whole is its own parent.
    pub parent: u32,
    pub label: Rc<str>,
    /// The call that it stands for, if it does.
    pub call: Option<Call>,
    /// Without those of the frames above it.
    pub own: Amount,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    pub objects: u64,
    pub bytes: u64,
}

impl Picture {
    /// The picture of a capture that was asked for.
    pub fn of(capture: &Capture, asked: Asked) -> Result<Picture, NoPicture> {
        let graph = asked.graph.unwrap_or_else(|| usual_graph(capture));
        if asked.weight == Weight::Growth && graph != Graph::Allocation {
            return Err(NoPicture::NoGrowth);
        }
        if asked.weight == Weight::Growth && capture.snapshots.len() < 2 {
            return Err(NoPicture::OneLook);
        }
        if !capture.has_heap() {
            let recorded = capture.allocations.as_ref().filter(|_| graph == Graph::Allocation);
            let sites = &recorded.ok_or(NoPicture::NoHeap)?.alive;
            return Ok(Picture::made_of(capture, asked, graph, allocation::recorded(sites)));
        }
        let heap = &capture.heap;
        let total = Amount {
            objects: heap.totals.objects,
            bytes: heap.totals.bytes,
        };
        let frames = match graph {
            Graph::Ownership => frames_of(&heap.tree, total),
            Graph::Types => frames_of(&heap.type_tree, total),
            Graph::Allocation => {
                let births = capture.births.as_ref().ok_or(NoPicture::NoSites)?;
                let frames = allocation::frames(births, asked.weight == Weight::Growth);
                match asked.weight {
                    Weight::Growth => frames,
                    Weight::Bytes | Weight::Count => completed(frames, total),
                }
            }
        };
        Ok(Picture::made_of(capture, asked, graph, frames))
    }

    fn made_of(capture: &Capture, asked: Asked, graph: Graph, frames: Vec<Frame>) -> Picture {
        Picture {
            graph,
            weight: asked.weight,
            title: title(&capture.process),
            taken_at: capture
                .process
                .start_time
                .map(|start| start + (capture.age + capture.duration).as_secs_f64()),
            frames,
        }
    }

    /// What a frame's width is made of.
    pub fn own(&self, frame: &Frame) -> u64 {
        match self.weight {
            Weight::Count => frame.own.objects,
            Weight::Bytes | Weight::Growth => frame.own.bytes,
        }
    }

    pub fn total(&self) -> Amount {
        self.frames
            .iter()
            .fold(Amount::default(), |sum, frame| sum.and(frame.own))
    }

    /// What widths are counted in.
    pub fn unit(&self) -> &'static str {
        match self.weight {
            Weight::Count => "objects",
            Weight::Bytes | Weight::Growth => "bytes",
        }
    }
}

impl Amount {
    pub fn and(self, other: Amount) -> Amount {
        Amount {
            objects: self.objects.saturating_add(other.objects),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Weight {
    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Bytes => "bytes",
            Weight::Count => "count",
            Weight::Growth => "growth",
        }
    }
}

/// Where objects were made says most, if anybody saw it.
pub fn usual_graph(capture: &Capture) -> Graph {
    match &capture.births {
        Some(births) if !births.sites.is_empty() => Graph::Allocation,
        None if !capture.has_heap() => Graph::Allocation,
        _ => Graph::Ownership,
    }
}

fn title(process: &ProcessFacts) -> String {
    let command = command_line(&process.command, TITLE_WIDTH);
    format!("Python {} · pid {} · {command}", process.python, process.pid)
}

/// The frames of a tree that heaps come with.
fn frames_of(tree: &Tree, total: Amount) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::with_capacity(tree.nodes.len() + 2);
    frames.push(Frame::whole());
    for (index, node) in tree.nodes.iter().enumerate() {
        let own = Amount {
            objects: node.own_objects,
            bytes: node.own_bytes,
        };
        let parent = if (node.parent as usize) < index { node.parent } else { 0 };
        if index > 0 {
            frames.push(Frame::named(parent, Rc::clone(&node.label), own));
        }
    }
    let own = tree.nodes.first().map(|root| Amount {
        objects: root.own_objects,
        bytes: root.own_bytes,
    });
    frames.extend(
        own.filter(|own| *own != Amount::default())
            .map(|own| Frame::named(0, NO_HOLDER.into(), own)),
    );
    completed(frames, total)
}

/// The frames with one more for what they lack of the total, so that widths add up to it.
fn completed(mut frames: Vec<Frame>, total: Amount) -> Vec<Frame> {
    let there = frames.iter().fold(Amount::default(), |sum, frame| sum.and(frame.own));
    let missing = Amount {
        objects: total.objects.saturating_sub(there.objects),
        bytes: total.bytes.saturating_sub(there.bytes),
    };
    if missing != Amount::default() {
        frames.push(Frame::named(0, NOT_IN_THE_TREE.into(), missing));
    }
    frames
}

impl Frame {
    fn whole() -> Frame {
        Frame::named(0, "".into(), Amount::default())
    }

    fn named(parent: u32, label: Rc<str>, own: Amount) -> Frame {
        Frame {
            parent,
            label,
            call: None,
            own,
        }
    }
}
