//! Pictures of a heap or a recording: trees of frames, each with the objects and bytes of its own. Flame graphs and the
//! profiles of other tools are made of them.

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
use crate::allocations::{Allocations, Moment};
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
    /// Of a recording, the bytes that were alive when most was.
    Peak,
    /// Of a recording, the bytes that were allocated in all.
    Total,
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
    /// Nobody saw where objects were made.
    NoSites,
    /// Only what was made since the first snapshot is known to have grown, and trees of holders do not tell.
    NoGrowth,
    /// A single snapshot does not tell what has grown.
    OneLook,
    /// The peak and all that was allocated are known of what was recorded alone, and of calls.
    NoRecording,
    /// The heap was never read.
    NoHeap,
    /// Samples of what is gone have no domain.
    NoDomain,
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
    /// Where it is of a recording, of each frame: what is in use, and what was allocated in all.
    pub recorded: Option<Vec<[Amount; 2]>>,
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
        let heap = &capture.heap;
        let total = Amount {
            objects: heap.totals.objects,
            bytes: heap.totals.bytes,
        };
        let (frames, recorded) = match (graph, asked.weight) {
            (Graph::Ownership | Graph::Types, Weight::Growth) => return Err(NoPicture::NoGrowth),
            (Graph::Ownership | Graph::Types, Weight::Peak | Weight::Total) => return Err(NoPicture::NoRecording),
            (Graph::Ownership | Graph::Types, _) if !capture.has_heap() => return Err(NoPicture::NoHeap),
            (Graph::Ownership, _) => (frames_of(&heap.tree, total), None),
            (Graph::Types, _) => (frames_of(&heap.type_tree, total), None),
            (Graph::Allocation, Weight::Peak | Weight::Total) => recorded_frames(capture, asked.weight)?,
            (Graph::Allocation, weight) => match (&capture.births, weight) {
                (Some(births), _) if births.sites.is_empty() && is_recorded(capture) => {
                    recorded_frames(capture, weight)?
                }
                (Some(_), Weight::Growth) if capture.snapshots.len() < 2 => return Err(NoPicture::OneLook),
                (Some(births), Weight::Growth) => (allocation::frames(births, true), None),
                (Some(births), _) => (completed(allocation::frames(births, false), total), None),
                (None, _) => recorded_frames(capture, weight)?,
            },
        };
        Ok(Picture {
            graph,
            weight: asked.weight,
            title: title(&capture.process),
            taken_at: capture
                .process
                .start_time
                .map(|start| start + (capture.age + capture.duration).as_secs_f64()),
            frames,
            recorded,
        })
    }

    /// What a frame's width is made of.
    pub fn own(&self, frame: &Frame) -> u64 {
        match self.weight {
            Weight::Count => frame.own.objects,
            Weight::Bytes | Weight::Growth | Weight::Peak | Weight::Total => frame.own.bytes,
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
            Weight::Count => self.things(),
            Weight::Bytes | Weight::Growth | Weight::Peak | Weight::Total => "bytes",
        }
    }

    /// What is counted besides bytes.
    pub fn things(&self) -> &'static str {
        match self.recorded {
            Some(_) => "blocks",
            None => "objects",
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
    pub const ALL: [Weight; 5] = [
        Weight::Bytes,
        Weight::Count,
        Weight::Growth,
        Weight::Peak,
        Weight::Total,
    ];

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Bytes => "bytes",
            Weight::Count => "count",
            Weight::Growth => "growth",
            Weight::Peak => "peak",
            Weight::Total => "total",
        }
    }
}

/// Where objects were made says most, if anybody saw it.
pub fn usual_graph(capture: &Capture) -> Graph {
    let is_observed = capture.births.as_ref().is_some_and(|births| !births.sites.is_empty());
    match is_observed || is_recorded(capture) {
        true => Graph::Allocation,
        false => Graph::Ownership,
    }
}

fn is_recorded(capture: &Capture) -> bool {
    capture.allocations.as_ref().is_some_and(Allocations::has_sites)
}

/// Frames with what is in use and what was allocated in all.
type RecordedFrames = (Vec<Frame>, Option<Vec<[Amount; 2]>>);

/// The frames of what was recorded.
fn recorded_frames(capture: &Capture, weight: Weight) -> Result<RecordedFrames, NoPicture> {
    let allocations = capture.allocations.as_ref().filter(|recorded| recorded.has_sites());
    let allocations = allocations.ok_or(match weight {
        Weight::Peak | Weight::Total => NoPicture::NoRecording,
        _ => NoPicture::NoSites,
    })?;
    if weight == Weight::Total && allocations.lacks_allocated {
        return Err(NoPicture::NoDomain);
    }
    let in_use = allocations.sites(match weight {
        Weight::Growth => Moment::Grown,
        Weight::Peak => Moment::Peak,
        Weight::Bytes | Weight::Count | Weight::Total => Moment::Alive,
    });
    let (frames, recorded) = allocation::recorded(
        in_use.ok_or(NoPicture::OneLook)?,
        &allocations.allocated,
        weight == Weight::Total,
    );
    Ok((frames, Some(recorded)))
}

fn title(process: &ProcessFacts) -> String {
    let command = command_line(&process.command, TITLE_WIDTH);
    match process.python.as_str() {
        "" => format!("pid {} · {command}", process.pid),
        python => format!("Python {python} · pid {} · {command}", process.pid),
    }
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
