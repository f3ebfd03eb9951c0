//! The numbered steps of a freeze and its release, after each of which the profiler may be killed.

use super::FreezeError;
use super::message::{Answer, Socket};

/// What was just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All threads are traced, and run.
    Seized = 1,
    /// All threads were told to stop.
    Interrupted = 2,
    /// All threads stand still.
    Stopped = 3,
    /// The program has one page more, of the copy's code.
    PageMapped = 4,
    /// The page holds its code.
    CodeWritten = 5,
    /// The copy exists; the thread that made it stands in the page.
    Copied = 6,
    /// The copy dies with the guardian.
    CopyHeld = 7,
    /// The page is gone.
    PageUnmapped = 8,
    /// The thread has its own registers again.
    Restored = 9,
    /// All threads run again.
    LetGo = 10,
    /// The copy has been killed.
    CopyKilled = 11,
    /// A thread stands still for the second time, to reap the copy.
    StoppedAgain = 12,
    /// The copy is reaped; the thread's registers are still ours.
    Reaped = 13,
    /// The thread has its own registers again.
    RestoredAgain = 14,
}

impl Step {
    pub const ALL: [Step; 14] = [
        Step::Seized,
        Step::Interrupted,
        Step::Stopped,
        Step::PageMapped,
        Step::CodeWritten,
        Step::Copied,
        Step::CopyHeld,
        Step::PageUnmapped,
        Step::Restored,
        Step::LetGo,
        Step::CopyKilled,
        Step::StoppedAgain,
        Step::Reaped,
        Step::RestoredAgain,
    ];

    pub fn number(self) -> u32 {
        self as u32
    }

    pub fn from_number(number: u32) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.number() == number)
    }
}

/// Stands still after one step, if it was asked to.
#[derive(Debug)]
pub struct Steps<'a> {
    socket: &'a Socket,
    stand_after: Option<Step>,
}

impl<'a> Steps<'a> {
    pub fn new(socket: &'a Socket, stand_after: Option<Step>) -> Self {
        Steps { socket, stand_after }
    }

    /// Says that the step was reached and waits for the profiler's next word or its end, if this is where to stand.
    pub fn reached(&self, step: Step) {
        if self.stand_after == Some(step) {
            let _ = self
                .socket
                .send(&Answer::Failed(FreezeError::Standing { step: step.number() }));
            let _ = self.socket.receive::<serde_json::Value>();
        }
    }
}
