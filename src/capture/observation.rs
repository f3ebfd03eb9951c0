//! What happens between snapshots: a look at what the program is making, some hundred times a second, that stops nothing.

use std::num::NonZeroU32;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::capture::snapshot::recognise_in_motion;
use crate::heap::newcomers::{Newcomers, Roll, Watch};
use crate::memory::process::ProcessMemory;
use crate::sampling::attribution::attribute;
use crate::sampling::births::Births;
use crate::sampling::observing::{Counts, Observer, Random};
use crate::target::interpreter::Interpreter;

/// The looking takes at most one part in so many of a processor.
const LEAST_REST: u32 = 12;
/// The weight of the latest look in the usual time that one takes, one part in so many.
const INERTIA: u32 = 16;

/// Watches a process from its first snapshot on.
pub struct Observation {
    observer: Observer,
    memory: ProcessMemory,
    /// The objects of the first snapshot.
    first: Rc<Roll>,
    /// Between two looks, as it was asked for.
    interval: Duration,
    /// How long a look usually takes.
    cost: Duration,
    next: Instant,
    random: Random,
}

impl Observation {
    /// Watches the process `pid`, whose first snapshot showed the objects of `first`. `None` where its interpreter cannot be
    /// read while it runs.
    pub fn start(pid: u32, interpreters: &[Interpreter], rate: NonZeroU32, first: Rc<Roll>) -> Option<Observation> {
        let (runtime, recognised) = recognise_in_motion(pid, interpreters).ok()?;
        Some(Observation {
            observer: Observer::new(recognised.layout, runtime),
            memory: ProcessMemory::new(pid).ok()?,
            first,
            interval: Duration::from_secs(1) / rate.get(),
            cost: Duration::ZERO,
            next: Instant::now(),
            random: Random::default(),
        })
    }

    /// How long there is nothing to do.
    pub fn until_next(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Takes a look, if it is time for one.
    pub fn look_if_due(&mut self) {
        let started = Instant::now();
        if started < self.next {
            return;
        }
        self.observer.look(&mut self.memory);
        self.cost = (self.cost * (INERTIA - 1) + started.elapsed()) / INERTIA;
        let rest = self.interval.max(self.cost * LEAST_REST);
        // At even intervals a program that does things at even intervals would show the same of them each time.
        let nanos = u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX);
        self.next = started + rest / 2 + Duration::from_nanos(self.random.below(nanos));
    }

    pub fn counts(&self) -> Counts {
        self.observer.counts()
    }

    /// What the next snapshot is to tell of.
    pub fn watch(&self) -> Watch {
        Watch {
            before: Some(Rc::clone(&self.first)),
            seen: self.observer.seen(),
        }
    }

    /// Where the objects of that snapshot were made.
    pub fn births(&self, newcomers: &Newcomers) -> Births {
        attribute(newcomers, &self.observer.observed())
    }
}
