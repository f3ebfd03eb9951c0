//! `pymemscope run PROGRAM`: looks at a program that it starts, until that ends, with the recorder in it.

mod readings;

use std::env;
use std::ffi::OsString;

use self::readings::Readings;
use super::program::command_line;
use super::{Settings, check_outputs, show};
use crate::allocations::{Allocations, Carrier, Dropped, Sampling};
use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::Quiet;
use crate::capture::{self, Capture, Followed};
use crate::error::{Error, Result, exit_code};
use crate::target::child;
use crate::target::process::Process;
use crate::units;

/// The exit code is the program's own, unless findings were asked to decide it or it was 0 and something went wrong.
pub fn run(program: &[OsString], plan: &CapturePlan, sampling: Sampling, settings: &Settings) -> Result<u8> {
    check_outputs(settings)?;
    let program = command_line(program)?;
    match run_seen(&program, plan, sampling, settings) {
        Err(Error::CannotStart { cause, .. } | Error::Interrupt { cause })
            if child::is_short_of_descriptors(&cause) =>
        {
            let hint = "the system is short of descriptors; `ulimit -n` shows how many a process may have";
            run_unseen(&program, &cause.to_string(), hint)
        }
        seen => seen,
    }
}

/// The program runs all the same where it cannot be looked at.
fn run_unseen(program: &[OsString], what: &str, hint: &str) -> Result<u8> {
    let status = child::run_unseen(program).map_err(|cause| Error::CannotStart {
        program: program
            .first()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        cause,
    })?;
    let cause = Error::Unseen {
        what: what.to_owned(),
        hint: hint.to_owned(),
    };
    Err(nothing_read(cause, child::exit_code(status)))
}

/// `own` is the program's exit code.
fn nothing_read(cause: Error, own: u8) -> Error {
    Error::NothingRead {
        cause: Box::new(cause),
        code: if own == exit_code::DONE { exit_code::FAILED } else { own },
    }
}

fn run_seen(program: &[OsString], plan: &CapturePlan, sampling: Sampling, settings: &Settings) -> Result<u8> {
    if let Some(what) = Process::missing_from_proc() {
        return run_unseen(program, what, "mount it: `mount -t proc proc /proc`");
    }
    let stop = Interrupt::on_every_ctrl_c()?;
    // The program is looked at from outside all the same where there is no recorder.
    let (carrier, missing) = match Carrier::prepare(sampling) {
        Ok(carrier) => (Some(carrier), None),
        Err(reason) => (None, Some(reason.to_string())),
    };
    let environment: Vec<_> = match &carrier {
        Some(carrier) => carrier.environment(env::vars_os()),
        None => env::vars_os().collect(),
    };
    let mut readings = Readings::of(carrier.as_ref(), plan.redact);
    let mut on_occasion = |_, occasion| readings.on(occasion);
    let mut recording = || carrier.as_ref().and_then(Carrier::program);
    // The terminal is the program's: a progress line would write over what it prints.
    let Followed { capture, mut program } = capture::run(
        program,
        &environment,
        (&mut recording, &mut on_occasion),
        plan,
        &mut Quiet,
        &stop,
    )?;
    let captured = match (capture, readings.last()) {
        (Ok(capture), allocations) => Ok((Capture { allocations, ..capture }, None)),
        (Err(cause), Some(allocations)) => {
            let unread = Capture::unread(allocations, plan.redact, cause.to_string());
            Ok((unread, Some(cause)))
        }
        (Err(cause), None) => Err(cause),
    };
    let shown = captured.map(|(mut capture, cause)| {
        let warning = warning(capture.allocations.as_ref(), missing.as_deref());
        capture.warnings.extend(warning);
        (show(capture, settings), cause)
    });
    let own = child::exit_code(program.wait());
    match shown {
        Ok((Ok(exit_code::DONE), None)) => Ok(own),
        // Whoever wanted the heap judged is not to take this for a good answer.
        Ok((Ok(exit_code::DONE), Some(_))) if settings.fail_on.is_none() => Ok(own),
        Ok((Ok(exit_code::DONE), Some(cause))) | Err(cause) => Err(nothing_read(cause, own)),
        Ok((findings_or_error, _)) => findings_or_error,
    }
}

/// What the reader of the recording has to know.
fn warning(allocations: Option<&Allocations>, missing: Option<&str>) -> Option<String> {
    let Some(allocations) = allocations else {
        let reason = missing.unwrap_or(
            "the recorder did not get into it (a static or set-uid program, or one that runs apart, takes none)",
        );
        return Some(format!("Nothing was recorded of the program: {reason}."));
    };
    let Dropped {
        places,
        blocks,
        mappings,
        processes,
    } = allocations.dropped;
    let noted = if allocations.sample_bytes == 0 {
        "blocks"
    } else {
        "samples"
    };
    let parts = [
        (places, format!("{noted} are at \"(not recorded: table full)\"")),
        (blocks, format!("{noted} were not followed until they were freed")),
        (mappings, "mappings are not counted".to_owned()),
        (processes, "processes are not recorded".to_owned()),
    ];
    let missing = parts.iter().filter(|(count, _)| *count > 0);
    let missing: Vec<String> = missing
        .map(|(count, what)| format!("{} {what}", units::count(*count)))
        .collect();
    (!missing.is_empty()).then(|| format!("The recording was full: {}.", missing.join(", ")))
}
