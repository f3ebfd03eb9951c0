//! A look at a process that is dead, by its core file: there is nothing to hold still and nothing to wait for.

use std::rc::Rc;
use std::time::{Duration, Instant};

use cpython::refusal::Refused;

use super::look::Look;
use super::plan::CapturePlan;
use super::progress::{Progress, Step};
use super::session::summary;
use super::snapshot::{FrozenMemory, image_budget, object_slots, recognise_any, whereabouts};
use super::source::CoreFile;
use super::{Capture, Hold, Mode, ProcessFacts};
use crate::error::{Error, Result};
use crate::heap::survey::{Subject, Survey, survey};
use crate::heap::{Earlier, redaction};
use crate::memory::bulk::BulkRead;
use crate::memory::image::Image;
use crate::sampling::traced::{self, Watched};
use crate::target::core::Core;
use crate::target::static_data::static_data;

/// Looks at the heap in a core.
pub(super) fn look_at_core<T>(
    file: &CoreFile,
    plan: &CapturePlan,
    progress: &mut dyn Progress,
    see: impl FnOnce(Survey<'_>, &mut FrozenMemory) -> T,
) -> Result<Look<T>> {
    progress.step(Step::Finding);
    let since = Instant::now();
    let core = Core::open(&file.path, file.sysroot.as_deref())?;
    let (python, seen, notes) = read(&core, file, plan, progress, see)?;
    let mut warnings = core.gaps.warnings();
    warnings.extend(notes);
    let command = if plan.redact {
        redaction::command(&core.command)
    } else {
        core.command
    };
    Ok(Look {
        process: ProcessFacts {
            pid: core.pid,
            python,
            build: "release",
            executable: core.executable,
            command,
            working_directory: None,
            start_time: None,
            rss: None,
        },
        freeze: None,
        freeze_reason: None,
        pauses: Vec::new(),
        age: Duration::ZERO,
        duration: since.elapsed(),
        seen,
        incomplete: !core.gaps.is_empty(),
        warnings,
        memory_limit: None,
    })
}

/// Reads the heap: the version, what is made of it, and what the user should know.
fn read<T>(
    core: &Core,
    file: &CoreFile,
    plan: &CapturePlan,
    progress: &mut dyn Progress,
    see: impl FnOnce(Survey<'_>, &mut FrozenMemory) -> T,
) -> Result<(String, T, Vec<String>)> {
    let unreadable = |cause: std::io::Error| Error::Core {
        path: file.path.clone(),
        what: format!("cannot be read: {cause}"),
        hint: "there may be too little memory: try a machine with more".to_owned(),
    };
    let (_, slots) = object_slots(&core.maps);
    let source: Box<dyn BulkRead> = Box::new(core.memory.clone());
    let mut image = Image::new(source, Rc::clone(&slots), image_budget(core.stored)).map_err(unreadable)?;
    let (runtime, recognised) =
        recognise_any(core.pid, &core.interpreters, &mut image).map_err(|cause| core.explained(cause))?;
    let statics = static_data(&mut image, &core.maps);
    let tracing = plan
        .tracemalloc
        .then(|| whereabouts(&core.interpreters, runtime, &slots));
    let subject = Subject {
        layout: &recognised.layout,
        runtime,
        slots,
        statics,
        redacts_keys: plan.redact,
        tracing,
        descriptors: None,
    };
    let refused = |cause: cpython::memory::Unreadable| {
        core.explained(Error::Refused {
            pid: core.pid,
            version: Some(recognised.version.to_string()),
            cause: Refused::Unreadable(cause),
        })
    };
    let surveyed = survey(&mut image, &subject).map_err(refused)?;
    let objects = surveyed.found.objects.count() as u64;
    progress.step(Step::Reading { snapshot: 1, objects });
    let seen = see(surveyed, &mut image);
    Ok((recognised.version.to_string(), seen, recognised.notes))
}

/// The heap in a core as a capture of one snapshot.
pub fn capture_core(file: &CoreFile, plan: &CapturePlan, progress: &mut dyn Progress) -> Result<Capture> {
    let mut traced = Watched::default();
    let look = look_at_core(file, plan, progress, |surveyed, memory| {
        traced.add(traced::look(memory, &surveyed));
        surveyed.finish(memory, &Earlier::default(), plan.wanted)
    })?;
    let heap = look.seen;
    let mut warnings = look.warnings;
    warnings.extend(heap.warnings.iter().cloned());
    let (traced, warning) = traced.conclude();
    warnings.extend(warning);
    let (births, tracemalloc) = traced.unzip();
    Ok(Capture {
        process: look.process,
        mode: Mode::Core,
        redacted: plan.redact,
        pauses: Vec::new(),
        duration: Duration::ZERO,
        age: Duration::ZERO,
        snapshots: vec![summary(&heap, Duration::ZERO, None)],
        holds: vec![Hold {
            freeze: None,
            reason: None,
            pauses: Vec::new(),
        }],
        incomplete: look.incomplete,
        heap,
        births,
        tracemalloc,
        allocations: None,
        unread: None,
        looks: None,
        warnings,
        memory_limit: None,
    })
}
