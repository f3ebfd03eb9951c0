//! `pymemscope snapshot PID -o FOLDER`: saves the heap of a program that runs.

use std::path::Path;
use std::time::Duration;

use crate::capture::folder::NewFolder;
use crate::capture::interrupt::Interrupt;
use crate::capture::look::{Look, look};
use crate::capture::plan::CapturePlan;
use crate::capture::source::Source;
use crate::capture::{Capture, Hold, Mode, Snapshot};
use crate::error::{Error, Result, exit_code};
use crate::heap::{Earlier, Heap};
use crate::report::model::Report;
use crate::report::screen::Screen;
use crate::report::{progress, standard_output, terminal};
use crate::sampling::growth::Growth;
use crate::sampling::traced::{self, Looked, Watched};
use crate::units;

pub fn snapshot(source: &Source, plan: &CapturePlan, path: &Path, force: bool) -> Result<u8> {
    standard_output::check()?;
    let folder = NewFolder::create(path, force)?;
    // A second signal ends it at once.
    let stop = Interrupt::on_any_end()?;
    let mut progress = progress::on_stderr();
    let look = look(source, plan, progress.as_mut(), |surveyed, memory| {
        let looked = traced::look(memory, &surveyed);
        (surveyed.finish(memory, &Earlier::default(), plan.wanted), looked)
    });
    drop(progress);
    let mut look = look?;
    let (mut heap, looked) = std::mem::take(&mut look.seen);
    let detail = heap.detail.take().unwrap_or_default();
    let capture = capture(look, plan, heap, looked);
    if stop.wait(Duration::ZERO) {
        return Err(Error::Stopped {
            unwritten: vec![path.to_owned()],
        });
    }
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

/// One look as a capture.
fn capture<T>(look: Look<T>, plan: &CapturePlan, heap: Heap, looked: Looked) -> Capture {
    let snapshot = Snapshot {
        at: Duration::ZERO,
        rss: look.process.rss,
        objects: heap.totals.objects,
        heap_bytes: heap.totals.bytes,
        types: Vec::new(),
        containers: Vec::new(),
    };
    let mut warnings = look.warnings;
    warnings.extend(heap.warnings.iter().cloned());
    let (traced, warning) = Watched::of(looked).conclude();
    warnings.extend(warning);
    let (births, tracemalloc) = traced.unzip();
    Capture {
        process: look.process,
        mode: Mode::Snapshot,
        redacted: plan.redact,
        pauses: look.pauses.clone(),
        duration: Duration::ZERO,
        age: look.age,
        snapshots: vec![snapshot],
        holds: vec![Hold {
            freeze: look.freeze,
            reason: look.freeze_reason,
            pauses: look.pauses,
        }],
        incomplete: look.incomplete,
        heap,
        births,
        tracemalloc,
        allocations: None,
        unread: None,
        looks: None,
        warnings,
        memory_limit: look.memory_limit,
    }
}
