//! A session with a running process: when its snapshots are taken, and what becomes of them.

use std::num::NonZeroU32;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::capture::busy::Lines;
use crate::capture::facts::age;
use crate::capture::interrupt::Interrupt;
use crate::capture::observation::Observation;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::{Progress, Step};
use crate::capture::snapshot::{Camera, Picture};
use crate::capture::{Capture, Hold, Mode, ProcessFacts};
use crate::error::{Error, Result};
use crate::heap::Heap;
use crate::heap::newcomers::{Newcomers, Watch};
use crate::sampling::births::Births;
use crate::sampling::snapshot::{ContainerSize, Snapshot};
use crate::sampling::traced::Watched;
use crate::target::exit_watch::{ExitWatch, Woken};
use crate::target::freeze::{FreezeMode, Freezer, Guardian, Unfrozen};
use crate::target::freeze_failure;
use crate::target::limits::memory_limit;
use crate::target::open::{Fate, Stopping, Target};
use crate::target::process::Process;

/// What has been gathered so far.
pub struct Session {
    target: Target,
    camera: Camera,
    /// `None` when the kernel does not offer to tell of a process's end.
    exit: Option<ExitWatch>,
    facts: ProcessFacts,
    mode: Mode,
    redacted: bool,
    /// Looks a second between the snapshots, if there are any.
    rate: Option<NonZeroU32>,
    /// Since the first snapshot.
    observation: Option<Observation>,
    births: Option<Births>,
    lines: Lines,
    started: Option<Instant>,
    /// How long the program had been running then.
    age: Duration,
    snapshots: Vec<Snapshot>,
    last: Option<Picture>,
    traced: Watched,
    holds: Vec<Hold>,
    pauses: Vec<Duration>,
    warnings: Vec<String>,
}

/// What the waiting between two snapshots came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// It is time for the next snapshot.
    Due,
    /// The program ended or became another one.
    Gone,
    /// The user has seen enough.
    Interrupted,
}

impl Session {
    /// Opens the process and finds its interpreter; nothing is stopped yet.
    pub fn open(pid: u32, plan: &CapturePlan, mode: Mode) -> Result<Session> {
        let freeze = plan.freeze;
        // What we started ourselves is traced by our own watcher.
        let stopping = if freeze == FreezeMode::None || mode == Mode::Run {
            Stopping::NotIntended
        } else {
            Stopping::Intended
        };
        let camera = Camera::new(pid, plan);
        let target = Target::open(pid, stopping)?;
        let facts = ProcessFacts::of(pid, &target, plan.redact);
        Ok(Session {
            exit: ExitWatch::new(pid).ok(),
            target,
            camera,
            facts,
            mode,
            redacted: plan.redact,
            rate: plan.rate,
            observation: None,
            births: None,
            lines: Lines::new(plan),
            started: None,
            age: Duration::ZERO,
            snapshots: Vec::new(),
            last: None,
            traced: Watched::default(),
            holds: Vec::new(),
            pauses: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// Whether its interpreter has started, by a look that stops nothing; an error says why it cannot be read yet.
    pub fn finds_interpreter(&mut self) -> Result<()> {
        let found = self.camera.finds_interpreter(&mut self.target);
        found.map_err(|error| self.explained_by_fate(error))
    }

    /// Whether the program runs code of its own, and is not in the middle of an import, by a look that stops nothing.
    pub fn runs_own_code(&mut self) -> bool {
        self.camera.runs_own_code(&mut self.target)
    }

    /// Takes a snapshot. An error leaves what was read before as it is.
    pub fn take(&mut self, freezer: &mut dyn Freezer, progress: &mut dyn Progress) -> Result<()> {
        let number = self.snapshots.len() + 1;
        progress.step(Step::Freezing { snapshot: number });
        let rss = self.target.process.rss().unwrap_or_default();
        let pauses_before = self.pauses.len();
        let mut earlier = self.snapshots.last().map(Snapshot::as_earlier).unwrap_or_default();
        earlier.watch = self.watch();
        let taken = self
            .camera
            .take(&mut self.target, freezer, rss, &earlier, &mut self.pauses, |objects| {
                progress.step(Step::Reading {
                    snapshot: number,
                    objects,
                });
            });
        let (mut picture, looked) = taken.map_err(|error| self.explained_by_fate(error))?;
        self.traced.add(looked);
        if let Some(newcomers) = picture.heap.newcomers.take() {
            self.take_in(newcomers);
        }
        let started = *self.started.get_or_insert_with(|| {
            self.age = self.facts.start_time.map(age).unwrap_or_default();
            picture.at
        });
        self.lines.start(self.facts.pid, &self.target.interpreters);
        self.facts.python.clone_from(&picture.python);
        self.facts.rss = Some(rss);
        self.holds.push(Hold {
            freeze: Some(picture.freeze),
            reason: picture.reason.clone(),
            pauses: self.pauses.get(pauses_before..).unwrap_or_default().to_vec(),
        });
        for warning in &picture.warnings {
            self.warn(warning.clone());
        }
        let snapshot = summary(&picture.heap, picture.at.duration_since(started), Some(rss));
        snapshot.forget_what_is_gone(&mut self.snapshots);
        self.snapshots.push(snapshot);
        self.last = Some(picture);
        Ok(())
    }

    /// What the next snapshot is to tell of newcomers, if the program is looked at between the snapshots.
    fn watch(&self) -> Option<Watch> {
        self.rate?;
        Some(self.observation.as_ref().map(Observation::watch).unwrap_or_default())
    }

    /// The first snapshot says who was there, later ones who came.
    fn take_in(&mut self, newcomers: Newcomers) {
        match (&self.observation, newcomers.roll.clone(), self.rate) {
            (None, Some(first), Some(rate)) if !self.traced.is_on() => {
                self.observation = Observation::start(self.facts.pid, &self.target.interpreters, rate, first);
            }
            (None, Some(_), Some(_)) => self.warn(
                "tracemalloc is on, and its tables say more than looks do: --rate was left aside. With --no-tracemalloc the \
                 program is looked at instead"
                    .to_owned(),
            ),
            (Some(observation), None, _) => self.births = Some(observation.births(&newcomers)),
            _ => {}
        }
    }

    /// How long there is nothing to do between the snapshots, at most `longest`.
    pub fn until_next_look(&self, longest: Duration) -> Duration {
        let births = self.observation.iter().map(Observation::until_next);
        let all = births.chain(self.lines.until_next());
        all.fold(longest, Duration::min)
    }

    /// Looks at what the program is making and doing, if it is time for that.
    pub fn look_if_due(&mut self) {
        if let Some(observation) = &mut self.observation {
            observation.look_if_due();
        }
        self.lines.look_if_due();
    }

    fn explained_by_fate(&self, error: Error) -> Error {
        explained_by_fate(&self.target, self.facts.pid, error)
    }

    pub fn has_snapshots(&self) -> bool {
        self.last.is_some()
    }

    /// Whether the process has ended, or runs another program than when it was opened.
    fn is_over(&self) -> bool {
        self.target.fate() != Fate::Same
    }

    /// Whether the process runs another program than when it was opened.
    pub fn is_of_another_program(&self) -> bool {
        self.target.fate() == Fate::Executed
    }

    /// How long ago the first snapshot was taken.
    pub fn elapsed(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| started.elapsed())
    }

    /// Waits until `due`, counted from the first snapshot; `None` waits for an end.
    pub fn wait_until(
        &mut self,
        due: Option<Duration>,
        total: Option<Duration>,
        progress: &mut dyn Progress,
        stop: &Interrupt,
    ) -> Waited {
        /// How often the progress is shown anew.
        const TICK: Duration = Duration::from_millis(200);
        let mut shown: Option<Duration> = None;
        loop {
            let elapsed = self.elapsed();
            let is_tick = shown.is_none_or(|shown| elapsed >= shown + TICK);
            if is_tick {
                if shown.is_some() && self.target.fate() != Fate::Same {
                    return Waited::Gone;
                }
                progress.step(Step::Waiting { elapsed, total });
                shown = Some(elapsed);
            }
            let left = due.map_or(TICK, |due| due.saturating_sub(elapsed)).min(TICK);
            let left = self.until_next_look(left);
            let woken = match &self.exit {
                Some(exit) => exit.wait(stop.as_fd(), left),
                None if stop.wait(left) => Woken::Other,
                None => Woken::TimeIsUp,
            };
            self.look_if_due();
            match woken {
                Woken::Other => return Waited::Interrupted,
                Woken::Exited => return Waited::Gone,
                Woken::TimeIsUp if due.is_some_and(|due| self.elapsed() >= due) => return Waited::Due,
                Woken::TimeIsUp => {}
            }
        }
    }

    /// Adds a warning, once.
    pub fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// What became of a process that is gone.
    pub fn end(&self) -> Error {
        let pid = self.facts.pid;
        match self.target.fate() {
            Fate::Executed => Error::Executed { pid },
            Fate::Exited | Fate::Same => Error::Exited { pid },
        }
    }

    /// Says in a warning why there will be no more snapshots.
    pub fn warn_of_end(&mut self, error: &Error) {
        let text = match error {
            Error::Exited { .. } => {
                "The program ended before the last snapshot; this is what was read before.".to_owned()
            }
            Error::Executed { .. } => {
                "The process started another program before the last snapshot; this is what was read before.".to_owned()
            }
            other => format!("The last snapshot failed ({other}); this is what was read before."),
        };
        self.warn(text);
    }

    /// Everything that a report is made of; an error when nothing was read.
    pub fn finish(mut self) -> Result<Capture> {
        let memory_limit = memory_limit(&self.target.process).filter(|_| !self.is_over());
        let Some(mut last) = self.last.take() else {
            return Err(Error::Exited { pid: self.facts.pid });
        };
        let mut warnings = self.warnings;
        last.heap.patterns.busy = self.lines.conclude(&mut warnings);
        for warning in &last.heap.warnings {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        let (traced, warning) = self.traced.conclude();
        warnings.extend(warning);
        let (traced, tracemalloc) = traced.unzip();
        let duration = self.snapshots.last().map_or(Duration::ZERO, |snapshot| snapshot.at);
        Ok(Capture {
            process: self.facts,
            mode: self.mode,
            redacted: self.redacted,
            pauses: self.pauses,
            duration,
            age: self.age,
            snapshots: self.snapshots,
            holds: self.holds,
            incomplete: false,
            heap: last.heap,
            births: traced.or(self.births),
            tracemalloc,
            allocations: None,
            unread: None,
            looks: self.observation.map(|observation| observation.counts()),
            warnings,
            memory_limit,
        })
    }
}

/// Takes the snapshots that `plan` asks for of the running process `pid`.
///
/// `stop` ends the waiting between them early; what was read until then is the capture. A process that ends midway is
/// reported with a warning, and is an error only when nothing of it was read.
pub fn attach(pid: u32, plan: &CapturePlan, progress: &mut dyn Progress, stop: &Interrupt) -> Result<Capture> {
    progress.step(Step::Finding);
    let mut freezer = freezer(pid, plan.freeze)?;
    let mut session = Session::open(pid, plan, Mode::Attach)?;
    session.take(freezer.as_mut(), progress)?;
    let total = plan.duration;
    let mut due = plan.interval.unwrap_or(Duration::MAX);
    // When reading took longer than the whole duration, the last snapshot is due at once, and still taken.
    while total != Some(Duration::ZERO) {
        let next = total.map_or(due, |total| due.min(total));
        let waited = session.wait_until((next != Duration::MAX).then_some(next), total, progress, stop);
        if waited == Waited::Gone {
            session.warn_of_end(&session.end());
            break;
        }
        let is_last = waited == Waited::Interrupted || total.is_some_and(|total| next >= total);
        match session.take(freezer.as_mut(), progress) {
            Ok(()) => {}
            // Whatever was in the way, such as a debugger, may be gone at the next one.
            Err(error) if !is_last && !session.is_over() => session.warn(format!("A snapshot failed ({error}).")),
            Err(error) => {
                session.warn_of_end(&error);
                break;
            }
        }
        if is_last {
            break;
        }
        // A snapshot that took longer than the interval is followed by the next whole multiple.
        while due <= session.elapsed() {
            due = due.saturating_add(plan.interval.unwrap_or(Duration::MAX));
        }
    }
    session.finish()
}

/// What went wrong with a process that is gone is that it is gone.
pub(super) fn explained_by_fate(target: &Target, pid: u32, error: Error) -> Error {
    match target.fate() {
        Fate::Exited => Error::Exited { pid },
        Fate::Executed => Error::Executed { pid },
        Fate::Same => error,
    }
}

/// Whoever is to hold the process still, in the way that was asked for.
pub(super) fn freezer(pid: u32, mode: FreezeMode) -> Result<Box<dyn Freezer>> {
    if mode == FreezeMode::None {
        return Ok(Box::new(Unfrozen));
    }
    match Guardian::start() {
        Ok(guardian) => Ok(Box::new(guardian)),
        Err(error) => Err(freeze_failure::explain(&error, &Process::new(pid))),
    }
}

pub(super) fn summary(heap: &Heap, at: Duration, rss: Option<u64>) -> Snapshot {
    Snapshot {
        at,
        rss,
        objects: heap.totals.objects,
        heap_bytes: heap.totals.bytes,
        types: heap
            .types
            .iter()
            .map(|each| (each.name.clone(), each.count, each.bytes))
            .collect(),
        containers: heap
            .containers
            .iter()
            .map(ContainerSize::of)
            .chain(heap.followed.iter().map(ContainerSize::of_followed))
            .collect(),
    }
}
