//! Memory that lies: the survey of a damaged heap ends soon, holds little and never panics, whatever it finds.
//!
//! A real program is copied once; then bits are flipped, lengths blown up, pointers bent and pages lost, as a fixed seed
//! says. `PYMEMSCOPE_ROUNDS` asks for more rounds on each interpreter, `PYMEMSCOPE_SEED` for others: a failure names the
//! seed that repeats it alone.

#[path = "hostile/appetite.rs"]
mod appetite;
#[path = "hostile/copy.rs"]
mod copy;
#[path = "hostile/damage.rs"]
mod damage;
mod interpreters;
mod profiler;
mod targets;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use copy::Copy;
use cpython::{Recognised, Symbols, recognise};
use damage::{Places, Random};
use interpreters::{Interpreter, for_each_interpreter};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pymemscope::heap::inquiry::{Answer, Direction, Question, Topic};
use pymemscope::heap::survey::{Subject, survey};
use pymemscope::heap::wanted::Wanted;
use pymemscope::heap::{Earlier, Heap};
use pymemscope::memory::slots::Slots;
use pymemscope::target::maps;
use pymemscope::target::open::{self, Stopping};
use pymemscope::target::process::State;
use pymemscope::target::static_data::static_data;
use targets::Target;

#[global_allocator]
static ALLOCATOR: appetite::Counting = appetite::Counting;

const ROUNDS: u64 = 20;
/// A survey of the healthy heap takes less than a second without optimisation, on a busy machine a few.
const LONGEST: Duration = Duration::from_secs(60);
/// A survey of the healthy heap holds about 10 MB.
const MOST_HELD: usize = 400 << 20;

/// A copy of a program, and what is known of it.
struct Copied {
    memory: Copy,
    symbols: Symbols,
    slots: Rc<Slots>,
    statics: Vec<std::ops::Range<u64>>,
}

fn copied(python: &Interpreter) -> Copied {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/varied.py");
    let program = Target::spawn(python.command().arg("-S").arg(script));
    assert_eq!(program.line().trim_end(), "ready");
    program.rests();
    let mut target = open::Target::open(program.pid(), Stopping::NotIntended).unwrap();
    // Its threads may still be on their way into their locks.
    kill(Pid::from_raw(program.pid() as i32), Signal::SIGSTOP).unwrap();
    while target.process.state().unwrap() != State::Stopped {
        thread::yield_now();
    }
    let found = &target.interpreters[0];
    let symbols = Symbols {
        runtime: found.runtime,
        runtime_size: found.runtime_size,
        py_version: found.version_symbol,
    };
    let ranges = maps::object_ranges(&target.maps);
    let private: Vec<_> = ranges
        .into_iter()
        .filter(|each| !each.shared)
        .map(|each| each.range)
        .collect();
    let memory = Copy::of(&mut target.memory, &private);
    Copied {
        slots: Rc::new(Slots::new(&memory.ranges())),
        memory,
        symbols,
        statics: static_data(&mut target.memory, &target.maps),
    }
}

impl Copied {
    /// Everything that is done with a frozen program.
    fn look(&mut self, healthy: &Recognised) -> Option<Heap> {
        // A damaged program may be refused; the survey has to do with it all the same.
        let recognised = recognise(&mut self.memory, &self.symbols);
        let _ = recognised.map_err(|refused| refused.to_string());
        let subject = Subject {
            layout: &healthy.layout,
            runtime: self.symbols.runtime,
            slots: Rc::clone(&self.slots),
            statics: self.statics.clone(),
            redacts_keys: false,
            tracing: None,
            descriptors: None,
        };
        for direction in [Direction::Holders, Direction::Referents] {
            let question = Question {
                about: Topic::Type("dict".to_owned()),
                direction,
                depth: None,
            };
            let surveyed = survey(&mut self.memory, &subject).ok()?;
            if let Ok(answer) = surveyed.answer(&mut self.memory, &question) {
                check_answer(&answer);
            }
        }
        let surveyed = survey(&mut self.memory, &subject).ok()?;
        Some(surveyed.finish(&mut self.memory, &Earlier::default(), Wanted::ALL))
    }
}

/// What holds of every heap, however wrong.
fn check(heap: &Heap) {
    let objects: u64 = heap.types.iter().map(|each| each.count).sum();
    assert_eq!(objects, heap.totals.objects);
    for tree in [&heap.tree, &heap.type_tree] {
        let in_tree: u64 = tree.nodes.iter().map(|node| node.own_objects).sum();
        assert_eq!(in_tree, heap.totals.objects);
        for (index, node) in tree.nodes.iter().enumerate().skip(1) {
            assert!((node.parent as usize) < index);
        }
    }
    let partitions = heap.partitions.as_ref().unwrap();
    let more = [&partitions.by_owner_class, &partitions.by_referrer_types];
    for parts in more
        .into_iter()
        .flatten()
        .chain([&partitions.by_module, &partitions.by_size])
    {
        assert_eq!(parts.iter().map(|part| part.count).sum::<u64>(), heap.totals.objects);
    }
    if let Some(garbage) = &heap.garbage {
        let in_cycles: u64 = garbage.cycles.iter().map(|cycles| cycles.objects).sum();
        assert!(in_cycles + garbage.cycles_left_out.objects <= garbage.objects);
    }
    for each in &heap.types {
        assert!(each.tracked_count <= each.count);
    }
}

/// What holds of every answer.
fn check_answer(answer: &Answer) {
    if let Some(referents) = &answer.referents {
        for (index, each) in referents.iter().enumerate().skip(1) {
            assert!((each.parent as usize) < index);
        }
    } else {
        let in_groups: u64 = answer.groups.iter().map(|group| group.sum.count).sum();
        assert_eq!(in_groups + answer.left_out.count, answer.sum.count);
    }
}

/// What a heap says, to be compared.
fn essence(heap: &Heap) -> impl PartialEq + std::fmt::Debug + use<> {
    (heap.totals, heap.types.clone(), heap.rejected, heap.warnings.clone())
}

enum Said {
    /// The round with this seed begins.
    Round(u64),
    Failed(String),
}

fn torment(python: &Interpreter, seeds: &[u64], say: &dyn Fn(Said)) {
    let mut program = copied(python);
    let healthy = recognise(&mut program.memory, &program.symbols).unwrap();
    say(Said::Round(0));
    let before = program.look(&healthy).unwrap();
    check(&before);
    assert_eq!(before.rejected, 0, "the healthy program has been misread");
    assert!(before.totals.objects > 40_000);
    let places = Places::of(&mut program.memory, &healthy.layout, program.symbols.runtime);
    let healthy_essence = essence(&before);
    let (mut changed, mut refused) = (0, 0);
    for &seed in seeds {
        say(Said::Round(seed));
        let mut random = Random(seed);
        for _ in 0..1 << random.below(11) {
            places.damage(&mut program.memory, &mut random);
        }
        let held = appetite::start();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let heap = program.look(&healthy);
            heap.iter().for_each(check);
            heap
        }));
        match outcome {
            Ok(Some(heap)) => changed += usize::from(essence(&heap) != healthy_essence),
            Ok(None) => refused += 1,
            Err(_) => say(Said::Failed(format!("panicked with PYMEMSCOPE_SEED={seed}"))),
        }
        if appetite::peak() - held > MOST_HELD {
            let held = (appetite::peak() - held) >> 20;
            say(Said::Failed(format!("held {held} MiB with PYMEMSCOPE_SEED={seed}")));
        }
        program.memory.mend();
    }
    say(Said::Round(0));
    let after = program.look(&healthy).unwrap();
    assert_eq!(healthy_essence, essence(&after));
    eprintln!(
        "  of {} damaged heaps {refused} were refused, {changed} read otherwise",
        seeds.len()
    );
    assert!(
        (changed + refused) * 2 > seeds.len() || seeds.len() < 10,
        "the damage was hardly met"
    );
}

/// Waits for the end of what is said; a round that takes too long fails the test.
fn wait(said: &Receiver<Said>, name: &str) {
    let mut seed = 0;
    loop {
        match said.recv_timeout(LONGEST) {
            Ok(Said::Round(next)) => seed = next,
            Ok(Said::Failed(what)) => panic!("on Python {name}: {what}"),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                panic!("on Python {name}: not done after {LONGEST:?} with PYMEMSCOPE_SEED={seed}")
            }
        }
    }
}

#[test]
fn a_damaged_heap_is_surveyed_soon_and_without_harm() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds: Vec<u64> = match number("PYMEMSCOPE_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("PYMEMSCOPE_ROUNDS").unwrap_or(ROUNDS)).collect(),
    };
    for_each_interpreter(|python| {
        let (send, said) = channel();
        let (python_there, seeds) = (python.clone(), seeds.clone());
        let worker = thread::spawn(move || {
            torment(&python_there, &seeds, &|what| {
                let _ = send.send(what);
            });
        });
        wait(&said, &python.name());
        assert!(worker.join().is_ok(), "on Python {}: see above", python.name());
    });
}
