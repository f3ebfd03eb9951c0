//! The form of pprof, `profile.proto` of <https://github.com/google/pprof>, in gzip: stacks with `inuse_objects` and
//! `inuse_space`, and of recordings before them `alloc_objects` and `alloc_space`, as Go's heap profiles have them. There are
//! no addresses and no mappings: every location is a place in the program, or has a name only.

mod message;

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rustc_hash::FxHashMap;

use self::message::Message;
use super::stacks::{Place, Stacks};
use super::{Amount, Picture, Weight};

/// Fields of the message `Profile`.
const SAMPLE_TYPE: u32 = 1;
const SAMPLE: u32 = 2;
const LOCATION: u32 = 4;
const FUNCTION: u32 = 5;
const STRING_TABLE: u32 = 6;
const TIME_NANOS: u32 = 9;
const COMMENT: u32 = 13;
const DEFAULT_SAMPLE_TYPE: u32 = 14;

const NANOS: f64 = 1e9;

pub fn write(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let mut packed = GzEncoder::new(out, Compression::default());
    packed.write_all(&profile(picture))?;
    packed.finish().map(drop)
}

fn profile(picture: &Picture) -> Vec<u8> {
    let stacks = Stacks::of(picture);
    let mut texts = Texts::default();
    let mut profile = Message::default();
    let recorded = stacks.recorded();
    let in_all = [("alloc_objects", "count"), ("alloc_space", "bytes")];
    let in_all = in_all.into_iter().filter(|_| recorded.is_some());
    for (name, unit) in in_all.chain([("inuse_objects", "count"), ("inuse_space", "bytes")]) {
        let mut value_type = Message::default();
        value_type.number(1, texts.number(name));
        value_type.number(2, texts.number(unit));
        profile.message(SAMPLE_TYPE, &value_type);
    }
    let mut add = |frame, values: &[Amount]| {
        let mut sample = Message::default();
        sample.numbers(1, stacks.inwards(frame).map(id));
        sample.numbers(2, values.iter().flat_map(|value| [value.objects, value.bytes]));
        profile.message(SAMPLE, &sample);
    };
    match recorded {
        Some(all) => all.for_each(|(frame, [in_use, in_all])| add(frame, &[in_all, in_use])),
        None => stacks.all().for_each(|(frame, own)| add(frame, &[own])),
    }
    write_places(&stacks.places, &mut texts, &mut profile);
    profile.number(COMMENT, texts.number(&picture.title));
    let default = match picture.weight {
        Weight::Count => "inuse_objects",
        Weight::Total => "alloc_space",
        Weight::Bytes | Weight::Growth | Weight::Peak => "inuse_space",
    };
    profile.number(DEFAULT_SAMPLE_TYPE, texts.number(default));
    if let Some(seconds) = picture.taken_at {
        // A time that makes no sense becomes 0, which is none.
        profile.number(TIME_NANOS, (seconds * NANOS) as u64);
    }
    for text in &texts.all {
        profile.text(STRING_TABLE, text);
    }
    profile.into_bytes()
}

/// Locations are the places; lines of one function share that.
fn write_places<'a>(places: &'a [Place], texts: &mut Texts<'a>, profile: &mut Message) {
    let mut functions: FxHashMap<(&str, &str), u64> = FxHashMap::default();
    for (index, place) in places.iter().enumerate() {
        let next = functions.len() as u64 + 1;
        let function = *functions.entry((&*place.name, &*place.file)).or_insert(next);
        if function == next {
            let name = texts.number(&place.name);
            let mut message = Message::default();
            message.number(1, function);
            message.number(2, name);
            message.number(3, name);
            message.number(4, texts.number(&place.file));
            profile.message(FUNCTION, &message);
        }
        let mut line = Message::default();
        line.number(1, function);
        line.number(2, place.line.unwrap_or(0).into());
        let mut location = Message::default();
        location.number(1, id(index));
        location.message(4, &line);
        profile.message(LOCATION, &location);
    }
}

/// Ids are never 0.
fn id(place: usize) -> u64 {
    place as u64 + 1
}

/// The table of texts, which are named by their places in it; the first one is empty.
struct Texts<'a> {
    all: Vec<&'a str>,
    numbers: FxHashMap<&'a str, u64>,
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Texts {
            all: vec![""],
            numbers: FxHashMap::from_iter([("", 0)]),
        }
    }
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: &'a str) -> u64 {
        *self.numbers.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() as u64 - 1
        })
    }
}
