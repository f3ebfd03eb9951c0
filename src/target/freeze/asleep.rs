//! How long a thread has been asleep, by the scheduler's own clock.
//!
//! `/proc/PID/task/TID/sched` (with `CONFIG_SCHED_DEBUG`) has the moment when a thread last left the processor, in
//! milliseconds of that processor's clock. The clocks of two processors drift apart, so ours is read on the same one.

use std::fs;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity, sched_yield};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use super::tracee::Tid;

/// How often the clocks are compared; the best of them counts.
const MOST_TRIES: usize = 3;

/// When a sleeping thread left the processor, by that processor's clock; `None` where the kernel does not say.
///
/// It stays the same for as long as the thread has not run.
pub fn last_ran(pid: u32, tid: Tid) -> Option<Duration> {
    read(&format!("/proc/{pid}/task/{tid}/sched"))
}

/// When a sleeping thread left the processor, by the monotonic clock.
pub fn since(pid: u32, tid: Tid) -> Option<Duration> {
    let fell_asleep = last_ran(pid, tid)?;
    let (processor_time, monotonic) = both_clocks(last_processor(pid, tid)?)?;
    monotonic.checked_sub(processor_time.saturating_sub(fell_asleep))
}

/// The time by the monotonic clock.
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map(Duration::from)
        .unwrap_or_default()
}

/// The time by one processor's clock and by the monotonic one, at the same moment.
fn both_clocks(processor: usize) -> Option<(Duration, Duration)> {
    let usual = sched_getaffinity(Pid::from_raw(0)).ok()?;
    let mut only = CpuSet::new();
    only.set(processor).ok()?;
    sched_setaffinity(Pid::from_raw(0), &only).ok()?;
    let tries = (0..MOST_TRIES).filter_map(|_| {
        let before = now();
        // Brings our own entry up to date.
        let _ = sched_yield();
        let processor_time = read("/proc/thread-self/sched")?;
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
    let stat = fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_ascii_whitespace().nth(36)?.parse().ok()
}

fn read(path: &str) -> Option<Duration> {
    parse(&fs::read_to_string(path).ok()?)
}

fn parse(sched: &str) -> Option<Duration> {
    let line = sched.lines().find(|line| line.starts_with("se.exec_start"))?;
    let milliseconds: f64 = line.rsplit_once(':')?.1.trim().parse().ok()?;
    Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_in_milliseconds() {
        let text = "cat (7, #threads: 1)\n-----\nse.exec_start          :       1521891.848571\nse.vruntime : 1.0\n";
        assert_eq!(parse(text), Some(Duration::from_nanos(1_521_891_848_571)));
        assert_eq!(parse("nothing"), None);
    }
}
