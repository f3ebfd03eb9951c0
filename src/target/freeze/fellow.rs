//! Another profiler of our kind that has stopped the program, and lets go of it soon: recognised, and waited for.

use std::fs;
use std::time::{Duration, Instant};

use super::guardian::{GUARDIAN_ARGUMENT, GUARDIAN_NAME};
use super::message::Socket;
use super::procfs::{self, Status};

/// How long to wait for our turn. A stop takes milliseconds; only one that lasts while all memory is read takes seconds.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks whether it is our turn.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// What came of the waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nobody traces the program any more.
    Ours,
    /// Who traces it is none of our kind, and may do so for ever.
    Refused,
    TimeIsUp,
    /// Our own profiler has gone meanwhile.
    NotNeeded,
}

/// Whether a process is the guardian of a profiler: by its name, and by what it was started as.
fn is_guardian(pid: u32) -> bool {
    let started_as = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let argument = started_as.split(|&byte| byte == 0).nth(1);
    procfs::name(pid) == GUARDIAN_NAME && argument == Some(GUARDIAN_ARGUMENT.as_bytes())
}

/// Whether a tracer lets go soon, or has ended and thereby done so.
pub fn lets_go(tracer: u32) -> bool {
    is_guardian(tracer) || Status::of_process(tracer).is_none_or(|status| status.state == 'Z')
}

/// Waits until no thread of the process is traced, for as long as guardians do that; counted from `since`.
pub fn wait_for_turn(pid: u32, since: Instant, profiler: &Socket) -> Turn {
    loop {
        // The longer it has been, the less it matters.
        let pause = (since.elapsed() / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        if profiler.is_readable_within(pause) {
            return Turn::NotNeeded;
        }
        match tracer(pid) {
            Some(other) if !lets_go(other) => return Turn::Refused,
            _ if since.elapsed() >= PATIENCE => return Turn::TimeIsUp,
            Some(_) => {}
            None => return Turn::Ours,
        }
    }
}

/// Who traces a thread of the process, if anybody does.
fn tracer(pid: u32) -> Option<u32> {
    procfs::threads(pid)
        .into_iter()
        .filter_map(|tid| Status::of_thread(pid, tid))
        .map(|status| status.tracer)
        .find(|&tracer| tracer != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_no_guardian_and_nobody_waits_for_a_program_that_nobody_traces() {
        let pid = std::process::id();
        assert!(!is_guardian(pid));
        let (ours, _theirs) = Socket::pair().expect("a socket pair");
        assert_eq!(wait_for_turn(pid, Instant::now(), &ours), Turn::Ours);
    }

    #[test]
    fn nobody_waits_for_a_profiler_that_is_gone() {
        let (ours, theirs) = Socket::pair().expect("a socket pair");
        drop(theirs);
        assert_eq!(wait_for_turn(1, Instant::now(), &ours), Turn::NotNeeded);
    }
}
