//! `pymemscope snapshot PID -o FOLDER`: saves the heap of a program that runs.

use std::path::Path;
use std::time::Duration;

use crate::capture::folder::NewFolder;
use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::capture::{self, FreezeMode, Mode};
use crate::error::{Result, exit_code};
use crate::report::model::Report;
use crate::report::screen::Screen;
use crate::report::{progress, standard_output, terminal};
use crate::sampling::growth::Growth;
use crate::units;

pub fn snapshot(pid: u32, freeze: FreezeMode, path: &Path, force: bool) -> Result<u8> {
    standard_output::check()?;
    let folder = NewFolder::create(path, force)?;
    let plan = CapturePlan {
        duration: Some(Duration::ZERO),
        interval: None,
        freeze,
        in_detail: true,
    };
    let stop = Interrupt::on_any_end()?;
    let mut progress = progress::on_stderr();
    let captured = capture::attach(pid, &plan, Mode::Snapshot, progress.as_mut(), &stop);
    drop(progress);
    let mut capture = captured?;
    let detail = capture.detail.take().unwrap_or_default();
    let bytes = folder.write(&capture, &detail)?;
    let screen = Screen::of_stdout();
    let report = Report::new(&capture, &Growth::of(&capture.snapshots), Vec::new());
    let saved = format!(
        "Saved {} objects and {} references in {} ({})",
        units::count(capture.heap.totals.objects),
        units::count(detail.references.len() as u64),
        path.display(),
        units::bytes(bytes)
    );
    standard_output::write(|out| {
        terminal::write_head(&report, screen, out)?;
        terminal::write_warnings(&report, screen, out)?;
        writeln!(out, "{saved}")
    })?;
    Ok(exit_code::DONE)
}
