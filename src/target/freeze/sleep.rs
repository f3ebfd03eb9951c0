//! The call that a thread slept in before it was interrupted, and since when.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::asleep::{Clocks, Rest};
use super::thread::Thread;
use super::time_limit::{self, ChangedArgument};
use super::tracee::Tid;
use super::{asleep, procfs};
use crate::target::arch::{self, Arguments, Registers};

/// A call with a time limit, read before its thread was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sleep {
    call: u64,
    /// As the program gave them.
    arguments: Arguments,
    limit: Duration,
    /// When it began, by the monotonic clock.
    since: Duration,
    /// How often the thread had slept by then; for one that was interrupted since and found in that call, nothing.
    switches: Option<u64>,
}

/// What one freeze tells the next about a thread that it left in a call that was made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    tid: Tid,
    sleep: Sleep,
    /// What the thread's registers hold instead of the program's own.
    changed: Option<ChangedArgument>,
    /// When it fell asleep again: if this is still so, it has not run since.
    last_ran: Duration,
}

impl Sleep {
    /// Reads it for a thread that has not been interrupted yet, together with the argument that an earlier freeze
    /// changed. `None` for a thread that runs, or whose call has no time limit that has to be cared for.
    pub fn of(
        pid: u32,
        tid: Tid,
        earlier: &[Remembered],
        clocks: &mut Clocks,
    ) -> Option<(Sleep, Option<ChangedArgument>)> {
        let (call, arguments) = procfs::sleeping_call(pid, tid)?;
        let is_known = earlier.iter().any(|earlier| earlier.tid == tid);
        let limit = time_limit::of(pid, call, &arguments);
        if !is_known && limit.is_none() {
            return None;
        }
        let rest = asleep::rest(pid, tid)?;
        let switches = Some(rest.switches);
        if let Some(earlier) = earlier
            .iter()
            .find(|earlier| earlier.is_still_so(tid, call, &arguments, &rest))
        {
            let sleep = Sleep {
                switches,
                ..earlier.sleep
            };
            return Some((sleep, earlier.changed));
        }
        let sleep = Sleep {
            call,
            arguments,
            limit: limit?,
            since: clocks.since(pid, tid, &rest)?,
            switches,
        };
        let sleeps_still = procfs::sleeping_call(pid, tid) == Some((call, arguments));
        sleeps_still.then_some((sleep, None))
    }

    /// To be told when the thread has stopped. Between the look at it and the interrupt its call may have ended, and
    /// another one like it have begun: then all that is known of that one's start is that it was later than the look, and
    /// it is given its whole time.
    ///
    /// It shows by the sleeps that the thread has had, and by a stop after the end of the first call's time. It does not
    /// for a call that something else than its limit had ended, if the interrupt came before the second one slept.
    pub fn stopped(&mut self, pid: u32, tid: Tid, clocks: &mut Clocks) {
        let Some(before) = self.switches.take() else {
            return;
        };
        let is_same = asleep::rest(pid, tid).is_some_and(|rest| {
            // Its stop is one more.
            rest.switches <= before + 1 && self.stopped_in_time(pid, tid, &rest, clocks)
        });
        if !is_same {
            self.since = asleep::now();
        }
    }

    /// Whether a thread has stopped before the latest end of its call's time.
    fn stopped_in_time(&self, pid: u32, tid: Tid, rest: &Rest, clocks: &mut Clocks) -> bool {
        let lateness = time_limit::lateness(self.call, self.limit);
        let end = self.since.saturating_add(self.limit + lateness);
        asleep::now() < end || clocks.since(pid, tid, rest).is_some_and(|stopped| stopped < end)
    }

    /// How long the call has been going on that a stopped thread comes out of; nothing if that is another one.
    pub fn spent(&self, registers: &Registers) -> Option<Duration> {
        // The first argument shares its register with the result on some processors.
        let same = arch::system_call(registers) == Some(self.call)
            && (1..self.arguments.len()).all(|n| arch::argument(registers, n) == self.arguments[n]);
        same.then(|| asleep::now().saturating_sub(self.since))
    }
}

impl Remembered {
    /// For a thread that is left in its call; `None` if that has no time limit to care for.
    pub fn new(pid: u32, thread: &Thread) -> Option<Remembered> {
        let sleep = thread.sleep?;
        time_limit::wait_until_asleep_again(pid, thread.tid, thread.slept);
        Some(Remembered {
            tid: thread.tid,
            sleep,
            changed: thread.changed,
            last_ran: asleep::rest(pid, thread.tid)?.last_ran,
        })
    }

    pub fn tid(&self) -> Tid {
        self.tid
    }

    fn is_still_so(&self, tid: Tid, call: u64, arguments: &Arguments, rest: &Rest) -> bool {
        let mut left_with = self.sleep.arguments;
        if let Some(changed) = self.changed
            && let Some(argument) = left_with.get_mut(changed.position)
        {
            *argument = changed.changed;
        }
        (self.tid, self.sleep.call, &left_with) == (tid, call, arguments) && rest.last_ran == self.last_ran
    }
}
