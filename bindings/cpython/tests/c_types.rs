//! On every interpreter of this machine: an object of each C type refers to what the tables say, and to nothing else.

mod support;

use std::collections::BTreeSet;

use cpython::layout::{CType, Layout};
use cpython::{ReadMemory, Recognised, recognise};
use support::{LiveMemory, Target, interpreters};

/// `Py_TPFLAGS_HEAPTYPE`.
const HEAPTYPE: u64 = 1 << 9;
/// `Py_TPFLAGS_BASE_EXC_SUBCLASS`.
const EXCEPTION: u64 = 1 << 30;

/// Types among the samples that no table describes on purpose: other decoders know them, or their blocks are scanned.
const WITHOUT_ENTRY: &[&str] = &[
    "NoneType",
    "_sre.SRE_Scanner",
    "_thread.RLock",
    "_thread.lock",
    "dict",
    "str",
    "tuple",
];

/// Entries that no sample shows: names that the type has in other versions, and what exists for a moment only.
const UNSEEN: &[&str] = &[
    "Context",
    "ContextVar",
    "FutureIter",
    "Struct",
    "TaskStepMethWrapper",
    "Token",
    "_abc._abc_data",
    "_abc_data",
    "_asyncio.TaskStepMethWrapper",
    "_collections._deque_iterator",
    "_collections._deque_reverse_iterator",
    "_collections._tuplegetter",
    "_contextvars.Context",
    "_contextvars.ContextVar",
    "_contextvars.Token",
    "_struct.Struct",
    "_struct.unpack_iterator",
    "_thread._localdummy",
    "array.arrayiterator",
    "arrayiterator",
    "async_generator_wrapped_value",
    "builtin_method",
    "str_ascii_iterator",
    "types.UnionType",
    "unpack_iterator",
];

/// Types whose `tp_traverse` tells of references that other decoders find: the links of a cache, the items of a queue,
/// the values of a tee.
const MORE_THAN_MEMBERS: &[&str] = &[
    "functools._lru_cache_wrapper",
    "_queue.SimpleQueue",
    "itertools._tee_dataobject",
];

struct Sample {
    address: u64,
    kind: u64,
    tp_name: String,
    referents: BTreeSet<u64>,
}

impl Sample {
    /// From `address type tp_name|referents`.
    fn parse(line: &str) -> Sample {
        let (head, referents) = line.split_once('|').expect("a bar");
        let mut words = head.splitn(3, ' ');
        let mut number = || words.next().expect("a word").parse().expect("a number");
        let (address, kind) = (number(), number());
        let tp_name = words.next().expect("a name").to_owned();
        let referents = referents
            .split_whitespace()
            .map(|word| word.parse().expect("a number"))
            .collect();
        Sample {
            address,
            kind,
            tp_name,
            referents,
        }
    }
}

#[test]
fn the_tables_name_every_reference_of_every_c_type() {
    for (name, python) in interpreters() {
        let target = Target::start(&python, include_str!("support/samples.py"));
        let mut memory = target.memory();
        let Recognised { layout, .. } =
            recognise(&mut memory, &target.symbols()).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let facts = target.facts.iter().filter(|(fact, _)| fact.starts_with("sample"));
        let samples: Vec<Sample> = facts.map(|(_, line)| Sample::parse(line)).collect();
        assert!(samples.len() > 150, "{name}: only {} samples", samples.len());
        let mut wrong = Vec::new();
        let mut seen = BTreeSet::new();
        for sample in &samples {
            wrong.extend(check(&mut memory, &layout, sample, &mut seen));
        }
        let entries = layout.c_types.iter().flat_map(|table| table.iter());
        let names: BTreeSet<&str> = entries.map(|entry| entry.name).collect();
        let unseen = names
            .into_iter()
            .filter(|entry| !seen.contains(*entry) && !UNSEEN.contains(entry));
        wrong.extend(unseen.map(|entry| format!("no sample is a {entry}")));
        println!("{name}: {} samples of {} C types", samples.len(), seen.len());
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    }
}

/// What is wrong with what the tables say of a sample.
fn check(memory: &mut LiveMemory, layout: &Layout, sample: &Sample, seen: &mut BTreeSet<String>) -> Vec<String> {
    let types = &layout.types;
    let mut wrong = Vec::new();
    let mut strong = Vec::new();
    let mut kind = sample.kind;
    let mut described = false;
    while kind != 0 {
        if let Some(entry) = entry(memory, layout, kind) {
            described = true;
            seen.insert(entry.name.to_owned());
            strong.extend(entry.strong.iter().copied());
        }
        kind = memory.word(kind + types.base).expect("a base");
    }
    if memory.word(sample.kind + types.flags).expect("flags") & EXCEPTION != 0 {
        described = true;
        strong.extend(layout.exception.references.iter().copied());
    }
    if !described {
        if !WITHOUT_ENTRY.contains(&sample.tp_name.as_str()) && !sample.tp_name.starts_with("_UnionGeneric") {
            wrong.push(format!("{} is in no table", sample.tp_name));
        }
        return wrong;
    }
    let mut explained = BTreeSet::from([sample.kind]);
    for (member, offset) in strong {
        let value = memory.word(sample.address + offset).expect("a member");
        if value != 0 && !is_object(memory, layout, value) {
            wrong.push(format!(
                "{}.{member} at {offset} is {value:#x}, which is no object",
                sample.tp_name
            ));
        }
        explained.insert(value);
    }
    let dict_offset = memory.word(sample.kind + types.dictoffset).expect("tp_dictoffset") as i64;
    if dict_offset != 0 {
        let at = sample.address.wrapping_add_signed(dict_offset);
        explained.insert(memory.word(at).expect("the place of a dict"));
    }
    if MORE_THAN_MEMBERS.contains(&sample.tp_name.as_str()) {
        return wrong;
    }
    for referent in sample.referents.difference(&explained) {
        let at = find(memory, layout, sample, *referent);
        wrong.push(format!("{} refers to {referent:#x} too, at {at:?}", sample.tp_name));
    }
    wrong
}

fn entry(memory: &mut LiveMemory, layout: &Layout, kind: u64) -> Option<&'static CType> {
    let name = memory.word(kind + layout.types.name).expect("tp_name");
    let name = String::from_utf8(memory.c_string(name, 256).expect("a name")).expect("a name in UTF-8");
    let flags = memory.word(kind + layout.types.flags).expect("tp_flags");
    if flags & HEAPTYPE != 0 && !name.contains('.') {
        return None;
    }
    layout
        .c_types
        .iter()
        .flat_map(|table| table.iter())
        .find(|entry| entry.name == name)
}

/// Whether the type of a type of `address` is `type`, or inherits from it.
fn is_object(memory: &mut LiveMemory, layout: &Layout, address: u64) -> bool {
    let mut at = address;
    for _ in 0..6 {
        match memory.word(at.wrapping_add(layout.object.ob_type)) {
            Ok(kind) if kind == at => return true,
            Ok(kind) => at = kind,
            Err(_) => return false,
        }
    }
    false
}

/// Where in the fixed part of a sample a reference stands.
fn find(memory: &mut LiveMemory, layout: &Layout, sample: &Sample, referent: u64) -> Option<u64> {
    let size = memory.word(sample.kind + layout.types.basicsize).expect("tp_basicsize");
    (layout.object.size..size)
        .step_by(8)
        .find(|offset| memory.word(sample.address + offset) == Ok(referent))
}
