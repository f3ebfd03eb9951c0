//! The program that another one starts: nobody who runs one by `sh -c`, `timeout` or `make` wants to see these.

use super::{Following, Occasion};
use crate::target::finalize_watch::Watch;
use crate::target::freeze::FreezeError;
use crate::target::freeze_failure;
use crate::target::process::Process;

impl Following<'_> {
    /// Turns to the process that records as soon as there is one, should that be another one than was started. It waits
    /// for that, but not for long.
    pub(super) fn turn_to_recording(&mut self) {
        if self.has_turned {
            return;
        }
        let Some(pid) = (self.recording)() else {
            return;
        };
        self.has_turned = true;
        // Of a program that can be read, but not recorded, more is known than of what it starts.
        if pid != self.pid && self.session.is_none() {
            self.pid = pid;
            (self.unread, self.loaded) = (None, false);
            self.watch = match watched(pid) {
                Ok(watch) => Some(watch),
                Err(error) => {
                    self.warn_of_blindness(freeze_failure::explain(&error, &Process::new(pid)));
                    None
                }
            };
        }
        (self.on_occasion)(pid, Occasion::InView);
    }
}

fn watched(pid: u32) -> Result<Watch, FreezeError> {
    let mut watch = Watch::start()?;
    watch.begin_running(pid)?;
    Ok(watch)
}
