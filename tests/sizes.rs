//! Object by object: what `sys.getsizeof` and `gc.get_referents` say in the program, the examiner says from outside.

mod interpreters;
mod profiler;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cpython::layout::Layout;
use cpython::objects::blocks::Blocks;
use cpython::objects::examine::Examiner;
use cpython::objects::types::{FieldName, TypeInfo, is_type};
use cpython::objects::visit::{Step, Visitor};
use cpython::{ReadMemory, Symbols, recognise, runtime};
use interpreters::{Interpreter, for_each_interpreter};
use pymemscope::memory::process::ProcessMemory;
use pymemscope::target::maps;
use pymemscope::target::open::{self, Stopping};
use targets::Target;

/// What a program says of one of its objects.
struct Sample {
    address: u64,
    getsizeof: u64,
    type_name: String,
    referents: BTreeSet<u64>,
}

impl Sample {
    fn parse(line: &str) -> Sample {
        let (head, referents) = line.split_once('|').expect("a bar");
        let mut words = head.splitn(3, ' ');
        let mut number = || words.next().expect("a word").parse().expect("a number");
        let (address, getsizeof) = (number(), number());
        let referents = referents.split_whitespace();
        Sample {
            address,
            getsizeof,
            type_name: words.next().expect("a name").to_owned(),
            referents: referents.map(|word| word.parse().expect("a number")).collect(),
        }
    }
}

#[derive(Default)]
struct Told {
    references: Vec<(Step, u64)>,
    candidates: BTreeSet<u64>,
}

impl<M> Visitor<M> for Told {
    fn reference(&mut self, _memory: &mut M, step: Step, target: u64) {
        self.references.push((step, target));
    }

    fn candidate(&mut self, _memory: &mut M, word: u64) {
        self.candidates.insert(word);
    }
}

fn start(python: &Interpreter) -> (Target, Vec<Sample>) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let script = folder.join(format!("sizes-{}-{}.py", python.name(), std::process::id()));
    let samples = include_str!("../bindings/cpython/tests/support/samples.py");
    let (samples, _) = samples.split_once("name_offset = ").expect("the part that tells");
    let parts = [samples, include_str!("sizes/more.py"), include_str!("sizes/telling.py")];
    std::fs::write(&script, parts.join("\n")).unwrap();
    let target = Target::spawn(python.command().arg(&script));
    let lines = std::iter::from_fn(|| Some(target.line()).filter(|line| line.trim_end() != "ready"));
    let samples = lines.map(|line| Sample::parse(line.trim_end())).collect();
    std::fs::remove_file(script).unwrap();
    (target, samples)
}

fn check(python: &Interpreter) {
    let (program, samples) = start(python);
    let mut target = open::Target::open(program.pid(), Stopping::NotIntended).unwrap();
    let found = &target.interpreters[0];
    let symbols = Symbols {
        runtime: found.runtime,
        runtime_size: found.runtime_size,
        py_version: found.version_symbol,
    };
    let memory = &mut target.memory;
    let layout = recognise(memory, &symbols).unwrap().layout;
    let interpreters = runtime::interpreters(memory, &layout, symbols.runtime).unwrap();
    let addresses = interpreters.iter().map(|each| each.address).collect();
    let blocks = Blocks {
        pymalloc: true,
        debug: false,
    };
    let mut examiner = Examiner::new(&layout, blocks, maps::static_data(&target.maps), addresses);
    let mut wrong: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in &samples {
        for what in differences(memory, &layout, &mut examiner, sample) {
            wrong.entry(sample.type_name.clone()).or_default().insert(what);
        }
    }
    println!("{} samples", samples.len());
    for (name, what) in &wrong {
        println!(
            "{name}: {}",
            what.iter().take(6).cloned().collect::<Vec<_>>().join("; ")
        );
    }
    
}

fn differences(memory: &mut ProcessMemory, layout: &Layout, examiner: &mut Examiner, sample: &Sample) -> Vec<String> {
    let type_address = memory.word(sample.address + layout.object.ob_type).unwrap();
    let info = TypeInfo::read(memory, layout, type_address).unwrap();
    let mut told = Told::default();
    let size = match examiner.examine(memory, &info, sample.address, &mut told) {
        Ok(size) => size,
        Err(error) => return vec![format!("{error}")],
    };
    let mut wrong = Vec::new();
    if size.getsizeof != sample.getsizeof {
        wrong.push(format!("{} bytes, should be {}", size.getsizeof, sample.getsizeof));
    }
    let references: BTreeSet<u64> = told.references.iter().map(|&(_, target)| target).collect();
    for &referent in &sample.referents {
        if referent != type_address && !references.contains(&referent) && !told.candidates.contains(&referent) {
            wrong.push(format!("does not refer to a {}", name_of(memory, layout, referent)));
        }
    }
    let collected = info.flags & 1 << 14 != 0;
    for &(step, reference) in &told.references {
        if !sample.referents.contains(&reference) && (collected || name_of(memory, layout, reference).starts_with("NO")) {
            let step = match step {
                Step::Field(FieldName::Known(name)) => name.to_owned(),
                Step::Field(FieldName::Text(at)) => {
                    String::from_utf8_lossy(&memory.c_string(at, 50).unwrap()).into_owned()
                }
                other => format!("{other:?}").split(['(', ' ']).next().unwrap().to_owned(),
            };
            wrong.push(format!("refers to a {} by {step}", name_of(memory, layout, reference)));
        }
    }
    wrong
}

fn name_of(memory: &mut ProcessMemory, layout: &Layout, object: u64) -> String {
    let type_address = memory.word(object.wrapping_add(layout.object.ob_type)).unwrap_or(0);
    if !is_type(memory, layout, type_address) {
        return format!("NO OBJECT {object:#x}");
    }
    cpython::objects::types::type_c_name(memory, layout, type_address).unwrap()
}

#[test]
fn every_object_is_as_large_and_refers_to_what_the_program_says() {
    for_each_interpreter(check);
}
