//! `pymemscope run PROGRAM`: looks at a program that it starts, until that ends, with the recorder in it.

use std::env;
use std::ffi::OsString;

use super::program::command_line;
use super::{Settings, check_outputs, show};
use crate::allocations::{Carrier, Mark, Sampling};
use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::Quiet;
use crate::capture::{self, Capture, Followed, Occasion};
use crate::error::{Error, Result, exit_code};
use crate::target::child;

/// The exit code is the program's own, unless findings were asked to decide it or it was 0 and something went wrong.
pub fn run(program: &[OsString], plan: &CapturePlan, sampling: Sampling, settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    let words = command_line(program)?;
    let stop = Interrupt::on_every_ctrl_c()?;
    // The program is looked at from outside all the same where there is no recorder.
    let carrier = Carrier::prepare(sampling);
    let environment = carrier
        .as_ref()
        .map(|carrier| carrier.environment(env::var_os("LD_PRELOAD").as_deref()));
    let environment = environment
        .as_ref()
        .map(|variables| variables.as_slice())
        .unwrap_or_default();
    // The terminal is the program's: a progress line would write over what it prints.
    let read = |pid, first: Option<&Mark>| carrier.as_ref().ok().and_then(|carrier| carrier.read(pid, first));
    let (mut first, mut at_shutdown) = (None, None);
    let mut on_occasion = |pid, occasion| match occasion {
        Occasion::Snapshot if first.is_none() => first = read(pid, None).map(|now| now.read_at),
        Occasion::Snapshot => {}
        Occasion::Shutdown => at_shutdown = read(pid, first.as_ref()),
    };
    let Followed { capture, mut program } =
        capture::run(&words, environment, &mut on_occasion, plan, &mut Quiet, &stop)?;
    let allocations = read(program.pid(), first.as_ref()).map(|last| match at_shutdown {
        // What is alive later is what the interpreter has not cleared away.
        Some(before) => last.alive_as_in(before),
        None => last,
    });
    let capture = capture.or_else(|cause| match &allocations {
        // What was recorded outlives a program of which nothing else could be read.
        Some(_) => Ok(Capture::unread(program.pid(), &words, plan.redact, cause.to_string())),
        None => Err(cause),
    });
    let shown = capture.map(|mut capture| {
        if allocations.is_none() {
            warn_of_missing(&mut capture, carrier.err().map(|reason| reason.to_string()));
        }
        capture.allocations = allocations;
        show(capture, settings)
    });
    let own = child::exit_code(program.wait());
    match shown {
        Ok(Ok(exit_code::DONE)) => Ok(own),
        Ok(findings_or_error) => findings_or_error,
        Err(cause) => Err(Error::NothingRead {
            cause: Box::new(cause),
            code: if own == exit_code::DONE { exit_code::FAILED } else { own },
        }),
    }
}

/// Says why there are no allocations.
fn warn_of_missing(capture: &mut Capture, reason: Option<String>) {
    let reason = reason.unwrap_or_else(|| {
        "the recorder did not get into it (a static or set-uid program, or one that runs apart, takes none)".to_owned()
    });
    let warning = format!("Nothing was recorded of the program: {reason}.");
    capture.warnings.push(warning);
}
