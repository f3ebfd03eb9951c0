//! The progress display: one line on standard error that is written over and goes away, on a terminal only.

use std::io::{self, IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::capture::progress::{Progress, Quiet, Step};
use crate::units;

/// Shows a line no more often than this.
const PAUSE: Duration = Duration::from_millis(100);
/// A watch that is shorter is shown in tenths of a second.
const SHORT: Duration = Duration::from_secs(10);
/// Back to the line's start, and clear it (ECMA-48: CR, then "erase in line").
const CLEAR: &[u8] = b"\r\x1b[K";

/// The display for standard error as it is.
pub fn on_stderr() -> Box<dyn Progress> {
    if stderr().is_terminal() {
        Box::new(Line {
            shown: None,
            out: stderr(),
        })
    } else {
        Box::new(Quiet)
    }
}

/// A line that is cleared when it is dropped. Whether writing it succeeds is of no consequence.
struct Line<W: Write> {
    shown: Option<(Instant, Step)>,
    out: W,
}

impl<W: Write> Progress for Line<W> {
    fn step(&mut self, step: Step) {
        let same_kind = |(at, last): (Instant, Step)| {
            std::mem::discriminant(&last) == std::mem::discriminant(&step) && at.elapsed() < PAUSE
        };
        if !self.shown.is_some_and(same_kind) {
            self.shown = Some((Instant::now(), step));
            let _ = self.show(step);
        }
    }
}

impl<W: Write> Line<W> {
    fn show(&mut self, step: Step) -> io::Result<()> {
        self.out.write_all(CLEAR)?;
        self.out.write_all(text(step).as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = self.out.write_all(CLEAR).and_then(|()| self.out.flush());
        }
    }
}

fn text(step: Step) -> String {
    match step {
        Step::Finding => "looking for the interpreter".to_owned(),
        Step::Freezing { snapshot } => format!("snapshot {snapshot}: freezing"),
        Step::Reading { snapshot, objects } => format!("snapshot {snapshot}: read {} objects", units::count(objects)),
        Step::Waiting { elapsed, total } => {
            // Tenths where a second is much of the whole.
            let elapsed = match total {
                Some(total) if total < SHORT => format!("{:.1} s", elapsed.min(total).as_secs_f64()),
                _ => units::time(Duration::from_secs(elapsed.as_secs())),
            };
            let of = total
                .map(|total| format!(" of {}", units::time(total)))
                .unwrap_or_default();
            format!("watching: {elapsed}{of}, Ctrl-C ends it and reports")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_written_over_and_cleared() {
        let mut written = Vec::new();
        let mut line = Line {
            shown: None,
            out: &mut written,
        };
        line.step(Step::Finding);
        line.step(Step::Freezing { snapshot: 1 });
        line.step(Step::Freezing { snapshot: 1 });
        drop(line);
        let expected = "\r\x1b[Klooking for the interpreter\r\x1b[Ksnapshot 1: freezing\r\x1b[K";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn waiting_says_how_long() {
        let waiting = |total| {
            text(Step::Waiting {
                elapsed: Duration::from_millis(3900),
                total,
            })
        };
        assert_eq!(
            waiting(Some(Duration::from_secs(10))),
            "watching: 3 s of 10 s, Ctrl-C ends it and reports"
        );
        assert_eq!(
            waiting(Some(Duration::from_secs(5))),
            "watching: 3.9 s of 5 s, Ctrl-C ends it and reports"
        );
        assert_eq!(
            waiting(Some(Duration::from_secs(2))),
            "watching: 2.0 s of 2 s, Ctrl-C ends it and reports"
        );
        assert_eq!(waiting(None), "watching: 3 s, Ctrl-C ends it and reports");
    }
}
