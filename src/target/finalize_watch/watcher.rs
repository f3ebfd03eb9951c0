//! The watcher process: traces the program's main thread, stops it where its interpreter shuts down, and freezes it.
//!
//! It is of no session or process group at which somebody could aim who means the profiler. When the profiler is gone,
//! it takes its breakpoints away and leaves, and the program runs on.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::process::exit;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::aim::Aim;
use super::message::{Event, Message, Request};
use super::watch::WATCHER_NAME;
use crate::target::freeze::copy::Copy;
use crate::target::freeze::hold::Hold;
use crate::target::freeze::keeper::stand_apart;
use crate::target::freeze::kept::Notice;
use crate::target::freeze::message::{Answer, Socket};
use crate::target::freeze::step::Steps;
use crate::target::freeze::{FreezeError, FreezeMode, surgeon};
use crate::target::process::Process;

/// What `main` runs when its first argument is [`super::WATCHER_ARGUMENT`]. Standard input is the socket to the
/// profiler.
pub fn watcher_main() -> ! {
    stand_apart(WATCHER_NAME);
    // SAFETY: descriptor 0 is the socket that the profiler gave us, and nothing else here owns it.
    let socket = Socket::from_descriptor(unsafe { OwnedFd::from_raw_fd(0) });
    if let Ok(Some(Request::Watch { pid, runs })) = socket.receive() {
        match hold_main_thread(pid) {
            Ok(hold) => {
                let mut watcher = Watcher::new(&socket, hold);
                let aimed = if runs { watcher.aim_at_running() } else { Ok(()) };
                let _ = socket.send(&Message::Watching(aimed));
                watcher.serve();
            }
            Err(error) => {
                let _ = socket.send(&Message::Watching(Err(error)));
            }
        }
    }
    exit(0)
}

fn hold_main_thread(pid: u32) -> Result<Hold, FreezeError> {
    let mut hold = Hold::new(pid, Vec::new())?;
    hold.keep(pid as i32)?;
    Ok(hold)
}

struct Watcher<'a> {
    socket: &'a Socket,
    process: Process,
    hold: Hold,
    aim: Aim,
    /// The copy that was made last and has not been released.
    copy: Option<Copy>,
    /// Since when the program has been standing where its interpreter shuts down.
    at_end: Option<Instant>,
}

impl<'a> Watcher<'a> {
    fn new(socket: &'a Socket, hold: Hold) -> Self {
        Watcher {
            socket,
            process: Process::new(hold.pid),
            hold,
            // The program that it is going to execute comes with a notice.
            aim: Aim::Loading(Vec::new()),
            copy: None,
            at_end: None,
        }
    }

    /// Serves until the profiler has gone, or has let the program go on to its end.
    fn serve(&mut self) {
        // A copy outlives the program until it has been read.
        while self.hold.keeps_any() || self.copy.is_some() {
            let mut ready = [
                PollFd::new(self.socket.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.hold.children().as_fd(), PollFlags::POLLIN),
            ];
            let _ = poll(&mut ready, PollTimeout::NONE);
            let asked = ready[0].any().unwrap_or(true);
            self.hold.children().clear();
            self.hold.attend();
            self.heed_notices();
            if !asked {
                continue;
            }
            match self.socket.receive() {
                Ok(Some(Request::Freeze { mode })) => self.freeze(mode),
                Ok(Some(Request::Release)) => self.release(),
                Ok(Some(Request::GoOn)) => return self.go_on(),
                Ok(Some(Request::Watch { .. })) => {}
                Ok(None) | Err(_) => return self.leave(),
            }
            // Stops that came while the program was being frozen.
            self.heed_notices();
        }
    }

    fn heed_notices(&mut self) {
        for notice in self.hold.take_notices() {
            match (notice, &self.aim) {
                (Notice::Breakpoint(address), Aim::End(ends)) if ends.contains(&address) => {
                    self.at_end = Some(Instant::now());
                    self.tell(Event::Finalizing);
                }
                (Notice::Executed, _) => {
                    self.aim = Aim::Loading(Vec::new());
                    self.aim_anew();
                    self.hold.pass_breakpoint();
                }
                (Notice::Breakpoint(_), _) => {
                    self.aim_anew();
                    self.hold.pass_breakpoint();
                }
            }
        }
    }

    /// The same for a program that does not stand still.
    fn aim_at_running(&mut self) -> Result<(), FreezeError> {
        self.hold.stop_one()?;
        self.aim_anew();
        self.hold.let_go();
        Ok(())
    }

    /// Looks at what the program has loaded by now.
    fn aim_anew(&mut self) {
        let aim = Aim::at(&self.process);
        if aim == self.aim {
            return;
        }
        self.aim = aim;
        match self.hold.set_breakpoints(self.aim.addresses().to_vec()) {
            Ok(()) if matches!(self.aim, Aim::End(_)) => self.tell(Event::Loaded),
            Ok(()) => {}
            Err(error) => self.tell(Event::Blind(format!(
                "the system gives no hardware breakpoint ({})",
                error.desc()
            ))),
        }
    }

    fn freeze(&mut self, mode: FreezeMode) {
        if self.hold.forget_lost() {
            self.tell(Event::Blind(
                "a thread of it other than the first has executed another program".into(),
            ));
        }
        // A program that has nothing left to do can as well stand while it is read.
        let mode = if self.at_end.is_some() { FreezeMode::Stop } else { mode };
        let answer = match surgeon::freeze(&mut self.hold, mode, &Steps::new(self.socket, None)) {
            Ok((copy, answer)) => {
                self.copy = copy;
                answer
            }
            Err(error) => {
                self.hold.let_go();
                Answer::Failed(error)
            }
        };
        let _ = self.socket.send(&Message::Answer(answer));
    }

    fn release(&mut self) {
        let answer = surgeon::release(&mut self.hold, self.copy.take(), &Steps::new(self.socket, None));
        let _ = self.socket.send(&Message::Answer(answer));
    }

    fn go_on(&mut self) {
        let since = self.at_end;
        self.leave();
        let pause = since.map_or_else(Default::default, |since| since.elapsed());
        let _ = self.socket.send(&Message::WentOn { pause });
    }

    /// Undoes everything. Our own end then lets go of what sleeps.
    fn leave(&mut self) {
        if self.copy.is_some() {
            surgeon::release(&mut self.hold, self.copy.take(), &Steps::new(self.socket, None));
        }
        let _ = self.hold.give_up();
    }

    /// A profiler that is gone is told nothing, and needs nothing.
    fn tell(&self, event: Event) {
        let _ = self.socket.send(&Message::Event(event));
    }
}
