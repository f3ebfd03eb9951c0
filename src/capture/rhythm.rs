//! When to look next at a program that runs on: as often as was asked for, and no more of a processor than is fair.

use std::time::{Duration, Instant};

use crate::sampling::observing::Random;

/// The looking takes at most one part in so many of a processor.
const LEAST_REST: u32 = 12;
/// The weight of the latest look in the usual time that one takes, one part in so many.
const INERTIA: u32 = 16;

/// The pace of looks of one kind.
pub struct Rhythm {
    /// Between two looks, as it was asked for.
    interval: Duration,
    /// How long a look usually takes.
    cost: Duration,
    next: Instant,
    random: Random,
}

impl Rhythm {
    /// So many looks a second, the first one at once.
    pub fn of(rate: u32) -> Rhythm {
        Rhythm {
            interval: Duration::from_secs(1) / rate.max(1),
            cost: Duration::ZERO,
            next: Instant::now(),
            random: Random::default(),
        }
    }

    /// How long there is nothing to do.
    pub fn until_next(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Does it, if it is time for that.
    pub fn if_due(&mut self, look: impl FnOnce()) {
        let started = Instant::now();
        if started < self.next {
            return;
        }
        look();
        self.cost = (self.cost * (INERTIA - 1) + started.elapsed()) / INERTIA;
        let rest = self.interval.max(self.cost * LEAST_REST);
        // At even intervals a program that does things at even intervals would show the same of them each time.
        let nanos = u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX);
        self.next = started + rest / 2 + Duration::from_nanos(self.random.below(nanos));
    }
}
