//! What is read of a recording while its program runs, and what of it counts at the end.

use std::time::{Duration, Instant};

use recording::read::Recording;

use crate::allocations::history::History;
use crate::allocations::sources::Sources;
use crate::allocations::{Allocations, Carrier, Mark};
use crate::capture::Occasion;

/// The readings of a program's recording; of one that has no recorder there are none.
pub struct Readings<'a> {
    carrier: Option<&'a Carrier>,
    redact: bool,
    /// At the first snapshot.
    first: Option<Mark>,
    /// What was recorded where the interpreter began to shut down, as it was read: the program waits for that.
    at_shutdown: Option<(Duration, Recording)>,
    history: History,
    started: Option<Instant>,
}

impl<'a> Readings<'a> {
    pub fn of(carrier: Option<&'a Carrier>, redact: bool) -> Readings<'a> {
        Readings {
            carrier,
            redact,
            first: None,
            at_shutdown: None,
            history: History::default(),
            started: None,
        }
    }

    /// Called while the program stands at such an occasion.
    pub fn on(&mut self, occasion: Occasion) {
        if let (Occasion::InView, Some(carrier)) = (occasion, self.carrier) {
            return carrier.let_go_on();
        }
        // The snapshot at the shutdown is of the same moment.
        if self.at_shutdown.is_some() {
            return;
        }
        let Some(recording) = self.carrier.and_then(Carrier::read) else {
            return;
        };
        let now = Instant::now();
        let at = now - *self.started.get_or_insert(now);
        if occasion == Occasion::Shutdown {
            self.at_shutdown = Some((at, recording));
        } else if let Some(now) = self.understand(&recording) {
            self.history.add(at, &now);
            self.first.get_or_insert(now.read_at);
        }
    }

    /// All that was recorded of the program, which has ended or is left to itself.
    pub fn last(mut self) -> Option<Allocations> {
        let at_shutdown = self.at_shutdown.take();
        let at_shutdown = at_shutdown.and_then(|(at, recording)| Some((at, self.understand(&recording)?)));
        let last = self.understand(&self.carrier?.read()?)?;
        let last = match at_shutdown {
            Some((at, before)) => {
                self.history.add(at, &before);
                // What is alive later is what the interpreter has not cleared away.
                last.alive_as_in(before)
            }
            None => last,
        };
        Some(Allocations {
            sources: Sources::of(&last, last.process.started),
            history: self.history.into_readings(),
            ..last
        })
    }

    fn understand(&self, recording: &Recording) -> Option<Allocations> {
        Allocations::of(recording, self.redact, self.first.as_ref())
    }
}
