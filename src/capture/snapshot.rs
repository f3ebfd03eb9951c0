//! One snapshot: freeze, prove, survey, release.

use std::rc::Rc;
use std::time::{Duration, Instant};

use cpython::identify::Symbols;
use cpython::memory::ReadMemory;
use cpython::objects::calls;
use cpython::objects::tracemalloc::Whereabouts;
use cpython::prove::{Recognised, recognise};
use cpython::refusal::Refused;

use crate::capture::plan::CapturePlan;
use crate::error::{Error, Result};
use crate::heap::survey::{Subject, Survey, survey};
use crate::heap::wanted::Wanted;
use crate::heap::{Earlier, Heap};
use crate::memory::bulk::BulkRead;
use crate::memory::image::Image;
use crate::memory::mem_file::MemFile;
use crate::memory::process::ProcessMemory;
use crate::memory::slots::{SLOT_SIZE, Slots};
use crate::sampling::traced::{self, Looked};
use crate::target::descriptors::idle_descriptors;
use crate::target::freeze::{FreezeError, FreezeMode, FreezeUsed, Freezer, Frozen};
use crate::target::freeze_failure;
use crate::target::interpreter::Interpreter;
use crate::target::maps::{self, Mapping, ObjectRange};
use crate::target::open::Target;
use crate::target::pagemap::PageMap;
use crate::target::process::Process;
use crate::target::static_data::static_data;

/// Takes snapshots of one process.
pub struct Camera {
    pid: u32,
    mode: FreezeMode,
    redact: bool,
    tracemalloc: bool,
    wanted: Wanted,
}

/// A snapshot in full, and what was made of its heap.
pub struct Picture<T = Heap> {
    pub at: Instant,
    pub python: String,
    pub freeze: FreezeUsed,
    pub reason: Option<String>,
    pub heap: T,
    pub warnings: Vec<String>,
}

/// The memory that a survey reads, of a process or of a core.
pub type FrozenMemory = Image<Box<dyn BulkRead>>;

/// Before an interpreter that is in the middle of something is given up.
const ATTEMPTS: usize = 40;
/// Between two attempts. A collection of young objects takes less.
const PATIENCE: Duration = Duration::from_millis(5);
/// The image holds a part of the program's memory at a time: less would be read too often, more costs more to have than
/// to read again.
const SMALLEST_IMAGE: u64 = 8 << 20;
const IMAGE_SHARE: u64 = 16;

/// What the files of the import system's own code are called.
const IMPORT_SYSTEM: &str = "<frozen importlib";

impl Camera {
    pub fn new(pid: u32, plan: &CapturePlan) -> Camera {
        Camera {
            pid,
            mode: plan.freeze,
            redact: plan.redact,
            tracemalloc: plan.tracemalloc,
            wanted: plan.wanted,
        }
    }

    /// Whether there is an interpreter that can be read, by what the memory holds at this moment.
    pub fn finds_interpreter(&self, target: &mut Target) -> Result<()> {
        target.memory.forget();
        recognise_any(self.pid, &target.interpreters, &mut target.memory).map(drop)
    }

    /// Whether the program's first thread runs code of its own, by what the memory holds at this moment: it is not in the
    /// middle of an import, nor in the start of the interpreter.
    pub fn runs_own_code(&self, target: &mut Target) -> bool {
        target.memory.forget();
        let mut runs = || -> Option<bool> {
            let (runtime, recognised) = recognise_any(self.pid, &target.interpreters, &mut target.memory).ok()?;
            let (memory, layout) = (&mut target.memory, &recognised.layout);
            let interpreters = cpython::runtime::interpreters(memory, layout, runtime).ok()?;
            let main = interpreters.iter().find(|interpreter| interpreter.id == 0)?;
            // The newest comes first.
            let first = *cpython::runtime::threads(memory, layout, main.address).ok()?.last()?;
            let codes = calls::codes(memory, layout, first).ok()?;
            let is_import =
                |&code: &u64| calls::file_of(memory, layout, code).map_or(true, |file| file.starts_with(IMPORT_SYSTEM));
            Some(!codes.is_empty() && !codes.iter().any(is_import))
        };
        runs().unwrap_or(false)
    }

    /// Takes a snapshot, the next one after that of which `earlier` tells; how long the program stood still for it is added
    /// to `pauses`. With it comes what `tracemalloc` knows.
    pub fn take(
        &mut self,
        target: &mut Target,
        freezer: &mut dyn Freezer,
        rss: u64,
        earlier: &Earlier,
        pauses: &mut Vec<Duration>,
        mut read: impl FnMut(u64),
    ) -> Result<(Picture, Looked)> {
        let wanted = self.wanted;
        let mut looked = Looked::Off;
        let picture = self.take_for(target, freezer, rss, pauses, |surveyed, memory| {
            looked = traced::look(memory, &surveyed);
            let heap = surveyed.finish(memory, earlier, wanted);
            read(heap.totals.objects);
            heap
        })?;
        Ok((picture, looked))
    }

    /// The same for those who want something else of the heap than the whole of it; `see` is called once.
    pub fn take_for<T>(
        &mut self,
        target: &mut Target,
        freezer: &mut dyn Freezer,
        rss: u64,
        pauses: &mut Vec<Duration>,
        mut see: impl FnMut(Survey<'_>, &mut FrozenMemory) -> T,
    ) -> Result<Picture<T>> {
        let mut attempt = 1;
        loop {
            let at = Instant::now();
            let frozen = freezer
                .freeze(self.pid, self.mode)
                .map_err(|error| freeze_failed(self.pid, &error))?;
            let (used, reason) = (frozen.used, frozen.reason.clone());
            pauses.extend((used == FreezeUsed::Fork).then_some(frozen.pause));
            let mut warnings = frozen.warnings.clone();
            let mut shot = Shot {
                frozen: Some(frozen),
                pid: self.pid,
                redact: self.redact,
                tracemalloc: self.tracemalloc,
                freezer,
                pauses,
            };
            match shot.read(target, rss, &mut see) {
                Ok((python, heap, notes)) => {
                    shot.release();
                    warnings.extend(notes);
                    if used == FreezeUsed::None {
                        warnings.push(
                            "The program was not stopped: what changed while it was read may be missing or counted twice."
                                .to_owned(),
                        );
                    }
                    return Ok(Picture {
                        at,
                        python,
                        freeze: used,
                        reason,
                        heap,
                        warnings,
                    });
                }
                Err(cause) => {
                    shot.release();
                    let passing = matches!(&cause, Error::Refused { cause, .. } if cause.is_passing());
                    if !passing || attempt == ATTEMPTS {
                        return Err(cause);
                    }
                    attempt += 1;
                    std::thread::sleep(PATIENCE);
                }
            }
        }
    }
}

/// A process that is frozen at this moment. However it is left, it is released.
struct Shot<'a> {
    frozen: Option<Frozen>,
    pid: u32,
    redact: bool,
    tracemalloc: bool,
    freezer: &'a mut dyn Freezer,
    pauses: &'a mut Vec<Duration>,
}

impl Shot<'_> {
    /// Lets the program go on, or ends its copy.
    fn release(&mut self) {
        if let Some(frozen) = self.frozen.take()
            && frozen.used != FreezeUsed::None
            && let Ok(released) = self.freezer.release(frozen)
        {
            self.pauses.push(released.pause);
        }
    }

    /// Reads the frozen memory: the version, the heap, and what the user should know.
    fn read<T>(
        &mut self,
        target: &Target,
        rss: u64,
        mut see: impl FnMut(Survey<'_>, &mut FrozenMemory) -> T,
    ) -> Result<(String, T, Vec<String>)> {
        let pid = self.pid;
        let Some(frozen) = &self.frozen else {
            return Err(Error::Exited { pid });
        };
        let (used, may_last, readable) = (frozen.used, frozen.may_last, frozen.readable_pid);
        let unreadable = |cause| Error::Unreadable {
            pid,
            what: "the frozen memory",
            cause,
        };
        let process = Process::new(readable);
        let maps = maps::of_process(&process).map_err(unreadable)?;
        // A copy has those of the moment in which it was made.
        let descriptors = idle_descriptors(&process).ok();
        let (ranges, slots) = object_slots(&maps);
        let memory: Box<dyn BulkRead> = Box::new(MemFile::open(readable).map_err(unreadable)?);
        let mut image = Image::new(memory, Rc::clone(&slots), image_budget(rss)).map_err(unreadable)?;
        let (runtime, recognised) = match used {
            FreezeUsed::None => recognise_in_motion(pid, &target.interpreters)?,
            FreezeUsed::Fork | FreezeUsed::Stop => recognise_any(pid, &target.interpreters, &mut image)?,
        };
        let mut images = ProcessMemory::new(readable).map_err(unreadable)?;
        let statics = static_data(&mut images, &maps);
        if !may_last {
            let pages = PageMap::open(&process);
            let writable = Slots::new(
                &ranges
                    .iter()
                    .filter(|each| each.writable)
                    .map(|each| each.range.clone())
                    .collect::<Vec<_>>(),
            );
            image.load_all(|slot| {
                let start = slots.start(slot);
                writable.index(start).is_some() && pages.holds_any(start..start + SLOT_SIZE)
            });
            self.release();
        }
        let tracing = self
            .tracemalloc
            .then(|| whereabouts(&target.interpreters, runtime, &slots));
        let subject = Subject {
            layout: &recognised.layout,
            runtime,
            slots,
            statics,
            redacts_keys: self.redact,
            tracing,
            descriptors,
        };
        let refused = |cause: cpython::memory::Unreadable| Error::Refused {
            pid,
            version: Some(recognised.version.to_string()),
            cause: Refused::Unreadable(cause),
        };
        let mut surveyed = survey(&mut image, &subject).map_err(refused)?;
        if used == FreezeUsed::None {
            let mut now = ProcessMemory::new(readable).map_err(unreadable)?;
            surveyed.reject_gone_types(&mut now);
        }
        let seen = see(surveyed, &mut image);
        Ok((recognised.version.to_string(), seen, recognised.notes))
    }
}

/// The memory that may hold objects: where it lies, and its slots. What others may change is left out.
pub(super) fn object_slots(maps: &[Mapping]) -> (Vec<ObjectRange>, Rc<Slots>) {
    let mut ranges = maps::object_ranges(maps);
    ranges.retain(|range| !range.shared);
    let slots = Slots::new(&ranges.iter().map(|each| each.range.clone()).collect::<Vec<_>>());
    (ranges, Rc::new(slots))
}

/// Where the tables of `tracemalloc` are to be looked for.
pub(super) fn whereabouts(interpreters: &[Interpreter], runtime: u64, slots: &Slots) -> Whereabouts {
    let interpreter = interpreters.iter().find(|each| each.runtime == runtime);
    Whereabouts {
        runtime,
        config: interpreter.and_then(|each| each.tracemalloc_config),
        image: interpreter.map(|each| each.module_ranges.clone()).unwrap_or_default(),
        data: interpreter.map(|each| each.data_ranges.clone()).unwrap_or_default(),
        mapped: slots.count() as u64 * SLOT_SIZE,
    }
}

/// How much an image of a program may hold that has `bytes` in memory.
pub(super) fn image_budget(bytes: u64) -> u64 {
    (bytes / IMAGE_SHARE).max(SMALLEST_IMAGE)
}

/// Recognises an interpreter that goes on meanwhile. What must hold between two places may not hold for a moment that
/// falls between the reads of them, and is looked at again; a build that does not fit never fits.
pub(super) fn recognise_in_motion(pid: u32, interpreters: &[Interpreter]) -> Result<(u64, Recognised)> {
    /// A program that waits for a processor stays in the middle of things for some time slices.
    const PATIENCE: Duration = Duration::from_secs(1);
    let since = Instant::now();
    loop {
        // Small reads of the pages in question lie closest together in time; each glance sees them anew.
        let mut memory = ProcessMemory::new(pid).map_err(|cause| Error::Unreadable {
            pid,
            what: "the memory",
            cause,
        })?;
        match recognise_any(pid, interpreters, &mut memory) {
            Err(Error::Refused {
                cause: Refused::OtherBuild { .. } | Refused::Collecting | Refused::Unreadable(_),
                ..
            }) if since.elapsed() < PATIENCE => {}
            answer => return answer,
        }
    }
}

/// Recognises the first interpreter of the process that can be.
pub(super) fn recognise_any(
    pid: u32,
    interpreters: &[Interpreter],
    memory: &mut impl ReadMemory,
) -> Result<(u64, Recognised)> {
    let mut first = None;
    for interpreter in interpreters {
        let symbols = Symbols {
            runtime: interpreter.runtime,
            runtime_size: interpreter.runtime_size,
            py_version: interpreter.version_symbol,
        };
        match recognise(memory, &symbols) {
            Ok(recognised) => return Ok((interpreter.runtime, recognised)),
            Err(cause) => {
                let version = interpreter.version_text(memory);
                first.get_or_insert(Error::Refused { pid, version, cause });
            }
        }
    }
    Err(first.unwrap_or(Error::Exited { pid }))
}

fn freeze_failed(pid: u32, error: &FreezeError) -> Error {
    freeze_failure::explain(error, &Process::new(pid))
}
