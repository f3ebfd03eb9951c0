//! What happens between snapshots: a look at what the program is making, some hundred times a second, that stops nothing.

use std::num::NonZeroU32;
use std::rc::Rc;
use std::time::Duration;

use crate::capture::rhythm::Rhythm;
use crate::capture::snapshot::recognise_in_motion;
use crate::heap::newcomers::{Newcomers, Roll, Watch};
use crate::memory::process::ProcessMemory;
use crate::sampling::attribution::attribute;
use crate::sampling::births::Births;
use crate::sampling::observing::{Counts, Observer};
use crate::target::interpreter::Interpreter;

/// Watches a process from its first snapshot on.
pub struct Observation {
    observer: Observer,
    memory: ProcessMemory,
    /// The objects of the first snapshot.
    first: Rc<Roll>,
    rhythm: Rhythm,
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
            rhythm: Rhythm::of(rate.get()),
        })
    }

    /// How long there is nothing to do.
    pub fn until_next(&self) -> Duration {
        self.rhythm.until_next()
    }

    /// Takes a look, if it is time for one.
    pub fn look_if_due(&mut self) {
        self.rhythm.if_due(|| self.observer.look(&mut self.memory));
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
