//! When to look next at a program that runs on: as often as was asked for, and no more of a processor than is fair.

use std::time::{Duration, Instant};

use crate::sampling::observing::Random;

/// The looking takes at most one part in so many of a processor.
const LEAST_REST: u32 = 12;
/// The weight of the latest look in the usual time that one takes, one part in so many.
const INERTIA: u32 = 16;
/// A look that takes longer than so many usual ones and this besides was interrupted.
const LONGER: u32 = 3;
const SHORT: Duration = Duration::from_micros(500);

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
        self.cost = usual(self.cost, started.elapsed());
        let rest = self.interval.max(self.cost * LEAST_REST);
        // At even intervals a program that does things at even intervals would show the same of them each time.
        let nanos = u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX);
        self.next = started + rest / 2 + Duration::from_nanos(self.random.below(nanos));
    }
}

/// How long a look usually takes, after one that took so long. Time in which it waited for the processor is not the look's:
/// a second of that would be made up for by twelve seconds of rest.
fn usual(before: Duration, taken: Duration) -> Duration {
    (before * (INERTIA - 1) + taken.min(before * LONGER + SHORT)) / INERTIA
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_micros(200);

    #[test]
    fn an_interruption_says_little_about_what_looks_cost() {
        let after = usual(LOOK, Duration::from_secs(1));
        assert!(after < 2 * LOOK, "{after:?}");
    }

    #[test]
    fn looks_that_have_become_dearer_are_believed_in_time() {
        let dear = Duration::from_millis(20);
        let after = (0..100).fold(LOOK, |cost, _| usual(cost, dear));
        assert!(after > dear / 2 && after <= dear, "{after:?}");
    }
}
