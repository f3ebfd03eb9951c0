//! The file format of speedscope (<https://www.speedscope.app/file-format-schema.json>): stacks with their bytes, and
//! again with their objects.

use std::io::{self, Write};

use serde::Serialize;

use super::stacks::{Place, Stacks};
use super::{Amount, Picture, Weight};

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    exporter: &'static str,
    name: &'a str,
    active_profile_index: usize,
    shared: Shared<'a>,
    profiles: [Profile<'a>; 2],
}

#[derive(Serialize)]
struct Shared<'a> {
    frames: Vec<Frame<'a>>,
}

#[derive(Serialize)]
struct Frame<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    /// The outermost frame of each stack first.
    samples: &'a [Vec<usize>],
    weights: Vec<u64>,
}

pub fn write(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let stacks = Stacks::of(picture);
    let samples: Vec<Vec<usize>> = stacks.all().map(|(frame, _)| outwards_first(&stacks, frame)).collect();
    let profile = |name, unit, of: fn(Amount) -> u64| Profile {
        kind: "sampled",
        name,
        unit,
        start_value: 0,
        end_value: of(picture.total()),
        samples: &samples,
        weights: stacks.all().map(|(_, own)| of(own)).collect(),
    };
    let file = File {
        schema: SCHEMA,
        exporter: concat!("pymemscope@", env!("CARGO_PKG_VERSION")),
        name: &picture.title,
        active_profile_index: usize::from(picture.weight == Weight::Count),
        shared: Shared {
            frames: stacks.places.iter().map(frame).collect(),
        },
        profiles: [
            profile("bytes", "bytes", |amount| amount.bytes),
            profile(picture.things(), "none", |amount| amount.objects),
        ],
    };
    serde_json::to_writer(&mut *out, &file)?;
    out.write_all(b"\n")
}

fn outwards_first(stacks: &Stacks<'_>, frame: usize) -> Vec<usize> {
    let mut stack: Vec<usize> = stacks.inwards(frame).collect();
    stack.reverse();
    stack
}

fn frame(place: &Place) -> Frame<'_> {
    Frame {
        name: &place.name,
        file: &place.file,
        line: place.line,
    }
}
