//! How long a thread has been asleep, by the scheduler's own clock.
//!
//! `/proc/PID/task/TID/sched` (with `CONFIG_SCHED_DEBUG`) has the moment when a thread last left the processor, in
//! milliseconds of that processor's clock. The clocks of two processors drift apart, so ours is read on the same one.

use std::collections::HashMap;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity, sched_yield};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use super::procfs;
use super::tracee::Tid;
use super::urgency::Urgency;

/// How often the clocks are compared; the best of them counts.
const MOST_TRIES: usize = 3;

/// What the scheduler notes of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// When it left the processor, by that processor's clock. This stays the same for as long as it has not run.
    pub last_ran: Duration,
    /// How often it has left the processor by itself, to sleep or to stop.
    pub switches: u64,
}

/// `None` where the kernel does not say.
pub fn rest(pid: u32, tid: Tid) -> Option<Rest> {
    read(&format!("/proc/{pid}/task/{tid}/sched"))
}

/// The clocks of processors, each compared with the monotonic one when it is first needed: it takes until the processor
/// has time for us. They drift apart slowly enough for the length of a stop.
#[derive(Debug, Default)]
pub struct Clocks(HashMap<usize, (Duration, Duration)>);

impl Clocks {
    /// When a sleeping thread left the processor, by the monotonic clock.
    pub fn since(&mut self, pid: u32, tid: Tid, rest: &Rest) -> Option<Duration> {
        let processor = last_processor(pid, tid)?;
        let (processor_time, monotonic) = match self.0.get(&processor) {
            Some(clocks) => *clocks,
            None => *self.0.entry(processor).or_insert(both_clocks(processor)?),
        };
        if rest.last_ran > processor_time {
            return monotonic.checked_add(rest.last_ran - processor_time);
        }
        monotonic.checked_sub(processor_time - rest.last_ran)
    }
}

/// The time by the monotonic clock.
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map(Duration::from)
        .unwrap_or_default()
}

/// The time by one processor's clock and by the monotonic one, at the same moment.
fn both_clocks(processor: usize) -> Option<(Duration, Duration)> {
    // Before the others there too: who waits for a turn on a busy processor comes late for the stop.
    let _urgency = Urgency::begin();
    let usual = sched_getaffinity(Pid::from_raw(0)).ok()?;
    let mut only = CpuSet::new();
    only.set(processor).ok()?;
    sched_setaffinity(Pid::from_raw(0), &only).ok()?;
    let tries = (0..MOST_TRIES).filter_map(|_| {
        let before = now();
        // Brings our own entry up to date.
        let _ = sched_yield();
        let processor_time = read("/proc/thread-self/sched")?.last_ran;
        let after = now();
        Some((after - before, (processor_time, after)))
    });
    // One in which nobody else was let run in between.
    let best = tries.min_by_key(|(took, _)| *took);
    let _ = sched_setaffinity(Pid::from_raw(0), &usual);
    best.map(|(_, clocks)| clocks)
}

/// The processor that a thread last ran on: the 39th field of `stat`, the 37th behind the name.
fn last_processor(pid: u32, tid: Tid) -> Option<usize> {
    let stat = procfs::read(&format!("/proc/{pid}/task/{tid}/stat"))?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_ascii_whitespace().nth(36)?.parse().ok()
}

fn read(path: &str) -> Option<Rest> {
    parse(&procfs::read(path)?)
}

fn parse(sched: &str) -> Option<Rest> {
    let value = |name| {
        let line = sched.lines().find(|line| line.starts_with(name))?;
        Some(line.rsplit_once(':')?.1.trim())
    };
    let milliseconds: f64 = value("se.exec_start")?.parse().ok()?;
    Some(Rest {
        last_ran: Duration::try_from_secs_f64(milliseconds / 1000.0).ok()?,
        switches: value("nr_voluntary_switches")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_in_milliseconds_and_the_number_of_sleeps() {
        let text = "cat (7, #threads: 1)\n-----\nse.exec_start          :       1521891.848571\nse.vruntime : 1.0\n\
                    nr_switches : 5\nnr_voluntary_switches      :         3\n";
        let rest = parse(text).expect("both");
        assert_eq!(rest.last_ran, Duration::from_nanos(1_521_891_848_571));
        assert_eq!(rest.switches, 3);
        assert_eq!(parse("nothing"), None);
    }
}
