//! Between the snapshots, looks at the lines that the program is in: some tens a second, which stop nothing.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::capture::plan::CapturePlan;
use crate::capture::rhythm::Rhythm;
use crate::capture::snapshot::recognise_in_motion;
use crate::capture::source_texts::SourceTexts;
use crate::heap::patterns::BusyLines;
use crate::memory::process::ProcessMemory;
use crate::sampling::hot::LineObserver;
use crate::target::interpreter::Interpreter;

/// Looks a second where nobody asked for another rate.
const USUAL_RATE: u32 = 100;

/// The lines of one process, from its first snapshot on.
pub struct Lines {
    rate: u32,
    state: State,
}

enum State {
    /// Before the first snapshot.
    Waiting,
    Watching(Box<Watch>),
    /// There is one snapshot only, or the interpreter cannot be read while it runs.
    Unwatched,
}

struct Watch {
    observer: LineObserver,
    sources: SourceTexts,
    memory: ProcessMemory,
    rhythm: Rhythm,
}

impl Lines {
    pub fn new(plan: &CapturePlan) -> Lines {
        Lines {
            rate: plan.rate.map_or(USUAL_RATE, NonZeroU32::get),
            state: match plan.duration {
                Some(Duration::ZERO) => State::Unwatched,
                _ => State::Waiting,
            },
        }
    }

    /// Watches the process `pid` from now on, if that has not begun.
    pub fn start(&mut self, pid: u32, interpreters: &[Interpreter]) {
        if let State::Waiting = self.state {
            self.state = Watch::start(pid, interpreters, self.rate).map_or(State::Unwatched, State::Watching);
        }
    }

    /// How long there is nothing to do, if there will be anything.
    pub fn until_next(&self) -> Option<Duration> {
        match &self.state {
            State::Watching(watch) => Some(watch.rhythm.until_next()),
            State::Waiting | State::Unwatched => None,
        }
    }

    /// Takes a look, if it is time for one.
    pub fn look_if_due(&mut self) {
        if let State::Watching(watch) = &mut self.state {
            watch.look_if_due();
        }
    }

    /// What was seen, and what could not be.
    pub fn conclude(self, warnings: &mut Vec<String>) -> BusyLines {
        match self.state {
            State::Watching(watch) => {
                let busy = watch.observer.conclude();
                warnings.extend(busy.warnings());
                busy
            }
            State::Waiting | State::Unwatched => BusyLines::default(),
        }
    }
}

impl Watch {
    fn start(pid: u32, interpreters: &[Interpreter], rate: u32) -> Option<Box<Watch>> {
        let (runtime, recognised) = recognise_in_motion(pid, interpreters).ok()?;
        Some(Box::new(Watch {
            observer: LineObserver::new(recognised.layout, runtime),
            sources: SourceTexts::new(pid),
            memory: ProcessMemory::new(pid).ok()?,
            rhythm: Rhythm::of(rate),
        }))
    }

    fn look_if_due(&mut self) {
        self.rhythm
            .if_due(|| self.observer.look(&mut self.memory, &mut self.sources));
    }
}
