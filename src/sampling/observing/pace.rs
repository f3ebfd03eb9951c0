//! Tells readings that were interrupted, in which much can have happened between one glance and the next, from steady ones.

use std::time::{Duration, Instant};

/// How long readings usually take.
#[derive(Debug)]
pub struct Pace {
    /// Nanoseconds a range, near the lower end of what was measured.
    usual: f64,
    /// When the last reading was over.
    last: Option<Instant>,
}

/// A reading that took so many times as long as usual was interrupted.
const INTERRUPTED: f64 = 1.7;
/// More time between two readings is an interruption.
const LONGEST_GAP: Duration = Duration::from_micros(6);

impl Default for Pace {
    fn default() -> Self {
        Pace {
            usual: f64::INFINITY,
            last: None,
        }
    }
}

impl Pace {
    /// What comes next does not go on from what was read before.
    pub fn pause(&mut self) {
        self.last = None;
    }

    /// Notes a reading of so many ranges; says whether it, and the time since the one before, went by without interruption.
    pub fn is_steady(&mut self, started: Instant, ranges: usize) -> bool {
        let ended = Instant::now();
        let taken = ended.duration_since(started).as_nanos() as f64 / ranges.max(1) as f64;
        let goes_on = self.last.is_none_or(|last| started.duration_since(last) < LONGEST_GAP);
        self.last = Some(ended);
        // Up slowly and down quickly, so that it stays below most of them.
        let (slow, quick) = (0.005, 0.1);
        self.usual = match self.usual {
            usual if usual.is_infinite() => taken,
            usual if taken < usual => usual - quick * (usual - taken),
            usual => usual * (1.0 + slow),
        };
        goes_on && taken < INTERRUPTED * self.usual
    }
}
