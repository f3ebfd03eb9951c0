//! `pymemscope run PROGRAM`: looks at a program that it starts, until that ends, with the recorder in it.

use std::env;
use std::ffi::OsString;
use std::io;

use super::program::command_line;
use super::{Settings, check_outputs, show, stdout_is_taken};
use crate::allocations::{Allocations, Carrier, Sampling};
use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::Quiet;
use crate::capture::{self, Capture, Followed};
use crate::error::{Error, Result, exit_code};
use crate::report::screen::Screen;
use crate::report::{recording_table, standard_output};
use crate::target::child;

/// The exit code is the program's own, unless findings were asked to decide it or it was 0 and something went wrong.
pub fn run(program: &[OsString], plan: &CapturePlan, sampling: Sampling, settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    let program = command_line(program)?;
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
    let read = |pid| carrier.as_ref().ok().and_then(|carrier| carrier.read(pid));
    let mut at_shutdown = None;
    let mut before_shutdown = |pid| at_shutdown = read(pid);
    let Followed { capture, mut program } =
        capture::run(&program, environment, &mut before_shutdown, plan, &mut Quiet, &stop)?;
    let allocations = read(program.pid()).map(|last| match at_shutdown {
        // What is alive later is what the interpreter has not cleared away.
        Some(before) => last.alive_as_in(before),
        None => last,
    });
    let shown = match capture {
        Ok(mut capture) => {
            warn_of_missing(
                &mut capture,
                carrier.err().map(|reason| reason.to_string()),
                allocations.as_ref(),
            );
            Ok(show(&capture, allocations.as_ref(), settings))
        }
        Err(cause) => Err(cause),
    };
    let own = child::exit_code(program.wait());
    match shown {
        Ok(Ok(exit_code::DONE)) => Ok(own),
        Ok(findings_or_error) => findings_or_error,
        Err(cause) => {
            if let Some(allocations) = &allocations {
                show_alone(allocations, settings)?;
            }
            Err(Error::NothingRead {
                cause: Box::new(cause),
                code: if own == exit_code::DONE { exit_code::FAILED } else { own },
            })
        }
    }
}

/// Says why there are no allocations.
fn warn_of_missing(capture: &mut Capture, reason: Option<String>, allocations: Option<&Allocations>) {
    if allocations.is_none() {
        let reason = reason.unwrap_or_else(|| {
            "the recorder did not get into it (a static or set-uid program, or one that runs apart, takes none)"
                .to_owned()
        });
        capture
            .warnings
            .push(format!("Nothing was recorded of the program: {reason}."));
    }
}

/// What was recorded outlives a program of which nothing else could be read.
fn show_alone(allocations: &Allocations, settings: &Settings) -> Result<()> {
    if stdout_is_taken(&settings.outputs) {
        return Ok(());
    }
    let screen = Screen::of_stdout();
    standard_output::write(|out: &mut dyn io::Write| recording_table::write(allocations, settings.top, screen, out))
}
