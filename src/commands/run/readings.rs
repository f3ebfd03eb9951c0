//! What is read of a recording while its program runs, and what of it counts at the end.

use std::time::Instant;

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
    at_shutdown: Option<Allocations>,
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
        let Some(now) = self.read() else { return };
        let at = Instant::now();
        self.history.add(at - *self.started.get_or_insert(at), &now);
        match occasion {
            Occasion::Shutdown => self.at_shutdown = Some(now),
            Occasion::Snapshot => drop(self.first.get_or_insert(now.read_at)),
            Occasion::InView => {}
        }
    }

    /// All that was recorded of the program, which has ended or is left to itself.
    pub fn last(self) -> Option<Allocations> {
        let last = self.read()?;
        let last = match self.at_shutdown {
            // What is alive later is what the interpreter has not cleared away.
            Some(before) => last.alive_as_in(before),
            None => last,
        };
        Some(Allocations {
            sources: Sources::of(&last, last.process.started),
            history: self.history.into_readings(),
            ..last
        })
    }

    fn read(&self) -> Option<Allocations> {
        self.carrier?.read(self.redact, self.first.as_ref())
    }
}
