//! An answer as every output shows it. Its serialised form is the JSON answer, `pymemscope/paths/1`.

use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::capture::inquiry::Explanation;
use crate::heap::inquiry::{self, Direction, Question, State, Topic};
use crate::report::model::{Process, freeze_name};

pub const SCHEMA: &str = "pymemscope/paths/1";
/// What every answer conforms to, as JSON Schema 2020-12.
pub const SCHEMA_TEXT: &str = include_str!("paths.schema.json");

/// Sizes are bytes, times are seconds, addresses are hexadecimal strings. What is not known is absent.
#[derive(Debug, Serialize)]
pub struct Explained<'a> {
    pub schema: &'static str,
    pub process: Process<'a>,
    pub capture: CaptureFacts<'a>,
    pub question: Asked<'a>,
    pub found: Found<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Object<'a>>,
    /// The most frequent first.
    pub referrers: Vec<Referrer<'a>>,
    /// The ways in which the objects are held; empty where it was asked what they hold.
    pub groups: Vec<Group<'a>>,
    /// The objects of the groups that are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Sum>,
    /// References that keep nothing alive.
    pub weak_references: Vec<WeakReference<'a>>,
    /// A tree in which each node comes behind what holds it; the first is what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referents: Option<Vec<Referent<'a>>>,
    /// Resident bytes of the process.
    #[serde(skip)]
    pub rss: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct CaptureFacts<'a> {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// Absent for a core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_reason: Option<&'a str>,
    /// Whether memory of the program was missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    pub pauses: Vec<f64>,
    pub duration: f64,
    pub objects_read: u64,
    pub objects_rejected: u64,
    pub warnings: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
pub struct Asked<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// `holders` or `referents`.
    pub direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Sum {
    pub count: u64,
    pub bytes: u64,
    pub retained_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct Found<'a> {
    #[serde(rename = "type")]
    pub type_name: &'a str,
    #[serde(flatten)]
    pub sum: Sum,
}

#[derive(Debug, Serialize)]
pub struct Object<'a> {
    pub address: Address,
    pub deep_bytes: u64,
    pub deep_objects: u64,
    /// The largest `deep_bytes` first.
    pub parts: Vec<Part<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Part<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub type_name: &'a str,
    #[serde(flatten)]
    pub sum: Sum,
    pub deep_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct Referrer<'a> {
    #[serde(rename = "type")]
    pub type_name: &'a str,
    pub count: u64,
}

#[derive(Debug, Serialize)]
pub struct Group<'a> {
    /// `held`, `held by C code` or `garbage`.
    pub state: &'static str,
    pub path: &'a str,
    #[serde(flatten)]
    pub sum: Sum,
    pub chains: u64,
    pub example: Chain<'a>,
    /// The outermost first.
    pub dominators: Vec<Dominator<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Chain<'a> {
    pub path: &'a str,
    pub length: u64,
    pub steps: Vec<Step<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Step<'a> {
    pub step: &'a str,
    /// Absent for threads, frames and the interpreter, like the address.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    pub retained_bytes: u64,
    pub times: u64,
    pub dominator: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub after_gap: bool,
}

#[derive(Debug, Serialize)]
pub struct Dominator<'a> {
    pub path: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    pub retained_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct WeakReference<'a> {
    pub path: &'a str,
    #[serde(rename = "type")]
    pub type_name: &'a str,
    pub address: Address,
}

#[derive(Debug, Serialize)]
pub struct Referent<'a> {
    pub parent: u32,
    pub step: &'a str,
    #[serde(rename = "type")]
    pub type_name: &'a Rc<str>,
    #[serde(flatten)]
    pub sum: Sum,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weak: bool,
    /// How many objects it holds that are not shown.
    pub hidden: u64,
}

/// An address, shown in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub u64);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

impl Address {
    /// Of an object; what is none has no address.
    fn of(address: u64) -> Option<Address> {
        (address != 0).then_some(Address(address))
    }
}

impl<'a> Explained<'a> {
    pub fn new(explanation: &'a Explanation, question: &'a Question) -> Explained<'a> {
        let (answer, process) = (&explanation.answer, &explanation.process);
        Explained {
            schema: SCHEMA,
            process: Process {
                pid: process.pid,
                python: &process.python,
                build: process.build,
                executable: &process.executable,
                command: &process.command,
                start_time: process.start_time,
            },
            capture: capture_facts(explanation),
            question: asked(question),
            found: Found {
                type_name: &answer.type_name,
                sum: sum(answer.sum),
            },
            object: answer.profile.as_ref().map(object),
            referrers: answer
                .referrers
                .iter()
                .map(|(type_name, count)| Referrer {
                    type_name,
                    count: *count,
                })
                .collect(),
            groups: answer.groups.iter().map(group).collect(),
            left_out: (answer.left_out.count > 0).then(|| sum(answer.left_out)),
            weak_references: answer.weak.iter().map(weak_reference).collect(),
            referents: answer.referents.as_ref().map(|all| all.iter().map(referent).collect()),
            rss: process.rss,
        }
    }
}

fn capture_facts(explanation: &Explanation) -> CaptureFacts<'_> {
    CaptureFacts {
        redacted: explanation.redacted,
        freeze: explanation.freeze.map(freeze_name),
        freeze_reason: explanation.freeze_reason.as_deref(),
        partial: explanation.incomplete,
        pauses: explanation.pauses.iter().map(|pause| pause.as_secs_f64()).collect(),
        duration: explanation.duration.as_secs_f64(),
        objects_read: explanation.answer.objects_read,
        objects_rejected: explanation.answer.objects_rejected,
        warnings: explanation.warnings.iter().map(String::as_str).collect(),
    }
}

fn asked(question: &Question) -> Asked<'_> {
    let (type_name, address) = match &question.about {
        Topic::Type(name) => (Some(name.as_str()), None),
        Topic::Address(address) => (None, Some(Address(*address))),
    };
    Asked {
        type_name,
        address,
        direction: match question.direction {
            Direction::Holders => "holders",
            Direction::Referents => "referents",
        },
        depth: question.depth,
    }
}

fn sum(sum: inquiry::Sum) -> Sum {
    Sum {
        count: sum.count,
        bytes: sum.bytes,
        retained_bytes: sum.retained_bytes,
    }
}

fn object(profile: &inquiry::Profile) -> Object<'_> {
    Object {
        address: Address(profile.address),
        deep_bytes: profile.deep_bytes,
        deep_objects: profile.deep_objects,
        parts: profile.parts.iter().map(part).collect(),
    }
}

fn part(part: &inquiry::Part) -> Part<'_> {
    Part {
        name: &part.name,
        type_name: &part.type_name,
        sum: sum(part.sum),
        deep_bytes: part.deep_bytes,
    }
}

fn group(group: &inquiry::Group) -> Group<'_> {
    Group {
        state: match group.state {
            State::Held => "held",
            State::HeldByC => "held by C code",
            State::Garbage => "garbage",
        },
        path: &group.path,
        sum: sum(group.sum),
        chains: group.chains,
        example: Chain {
            path: &group.example.path,
            length: group.example.length,
            steps: group.example.steps.iter().map(step).collect(),
        },
        dominators: group.dominators.iter().map(dominator).collect(),
    }
}

fn step(step: &inquiry::ChainStep) -> Step<'_> {
    Step {
        step: &step.text,
        type_name: (step.address != 0).then_some(&*step.type_name),
        address: Address::of(step.address),
        retained_bytes: step.retained_bytes,
        times: step.times,
        dominator: step.is_dominator,
        after_gap: step.after_gap,
    }
}

fn dominator(dominator: &inquiry::Dominator) -> Dominator<'_> {
    Dominator {
        path: &dominator.path,
        type_name: (dominator.address != 0).then_some(&*dominator.type_name),
        address: Address::of(dominator.address),
        retained_bytes: dominator.retained_bytes,
    }
}

fn weak_reference(weak: &inquiry::Weak) -> WeakReference<'_> {
    WeakReference {
        path: &weak.path,
        type_name: &weak.type_name,
        address: Address(weak.address),
    }
}

fn referent(referent: &inquiry::Referent) -> Referent<'_> {
    Referent {
        parent: referent.parent,
        step: &referent.text,
        type_name: &referent.type_name,
        sum: sum(referent.sum),
        address: referent.address.and_then(Address::of),
        weak: referent.is_weak,
        hidden: referent.hidden,
    }
}
