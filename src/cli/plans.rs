//! When a program is looked at and how, or what of that makes no sense together.

use std::time::Duration;

use super::meaning::usage;
use super::{Freezing, TypedFreeze, Watching};
use crate::capture::plan::{CapturePlan, Wanted};
use crate::error::Error;
use crate::target::freeze::FreezeMode;

/// A dead program is looked at once.
pub(super) fn of_the_dead(watching: &Watching, wanted: Wanted) -> Result<CapturePlan, Error> {
    let waits = watching.duration.is_some_and(|duration| !duration.is_zero());
    if waits || watching.interval.is_some() || watching.rate.is_some() {
        return Err(usage(
            "a core file is one moment of a program: there is nothing to wait for",
            "leave out -d, --interval and --rate",
        ));
    }
    Ok(CapturePlan {
        tracemalloc: !watching.no_tracemalloc,
        wanted,
        ..one_look(&watching.freezing)
    })
}

/// Of commands that watch a program.
pub(super) fn plan(
    watching: &Watching,
    duration: Option<Duration>,
    interval: Option<Duration>,
    wanted: Wanted,
) -> Result<CapturePlan, Error> {
    if interval.is_some_and(|interval| interval.is_zero()) {
        return Err(usage(
            "an interval of 0 seconds would take snapshots without end",
            "give --interval a longer time",
        ));
    }
    if interval.is_some() && duration.is_some_and(|duration| duration.is_zero()) {
        return Err(usage(
            "-d 0 takes one snapshot, which leaves no room for --interval",
            "leave one of them out",
        ));
    }
    if watching.rate.is_some() && duration.is_some_and(|duration| duration.is_zero()) {
        return Err(usage(
            "-d 0 takes one snapshot, and --rate is for looks between two",
            "leave one of them out",
        ));
    }
    Ok(CapturePlan {
        duration,
        interval,
        rate: watching.rate,
        freeze: freeze_mode(&watching.freezing),
        redact: watching.freezing.redact,
        tracemalloc: !watching.no_tracemalloc,
        wanted,
    })
}

/// Of commands that take one snapshot.
pub(super) fn one_look(freezing: &Freezing) -> CapturePlan {
    CapturePlan::one_look(freeze_mode(freezing), freezing.redact)
}

pub(super) fn freeze_mode(typed: &Freezing) -> FreezeMode {
    match typed.freeze {
        _ if typed.nonblocking => FreezeMode::None,
        TypedFreeze::Auto => FreezeMode::Auto,
        TypedFreeze::Fork => FreezeMode::Fork,
        TypedFreeze::Stop => FreezeMode::Stop,
        TypedFreeze::None => FreezeMode::None,
    }
}
