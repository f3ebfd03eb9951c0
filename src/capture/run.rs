//! A session with a program that we start: from its first instruction to the shutdown of its interpreter.

mod inner;

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::capture::interrupt::Interrupt;
use crate::capture::plan::CapturePlan;
use crate::capture::progress::{Progress, Step};
use crate::capture::session::Session;
use crate::capture::{Capture, Mode};
use crate::error::{Error, Result};
use crate::target::child::{self, Meanwhile, Program};
use crate::target::finalize_watch::{Event, Watch};
use crate::target::freeze::Unfrozen;
use crate::target::freeze_failure;
use crate::target::process::Process;

/// Between two looks whether the interpreter has started.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The same for a program that has not loaded one by now.
const LOOK_AGAIN_LATER: Duration = Duration::from_millis(500);
/// A program that runs code of its own in so many looks in a row has done its imports.
const SETTLED: u32 = 3;
/// Some programs never have: they do all their work in an import, or run no Python at first.
const LONGEST_START: Duration = Duration::from_secs(5);
/// How often the progress is shown anew.
const TICK: Duration = Duration::from_millis(200);

/// A program that was started by [`run`], and what was seen of it until it ended or the watching was over.
#[derive(Debug)]
pub struct Followed {
    /// An error when nothing of the program was read.
    pub capture: Result<Capture>,
    /// It may still run.
    pub program: Program,
}

/// When something else can be read of the program, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Before a snapshot.
    Snapshot,
    /// The program stands where its interpreter shuts down, and goes on as soon as it has been frozen.
    Shutdown,
    /// The process that records, which waits for that, is looked at from now on.
    InView,
}

/// Who records: asked for the process that began with it, which may be another one than was started; and told of the
/// process that is looked at.
pub type Recorder<'a> = (&'a mut dyn FnMut() -> Option<u32>, &'a mut dyn FnMut(u32, Occasion));

/// Starts `program` (its name, looked up on `PATH`, and its arguments) with the variables of `environment`, and takes the
/// snapshots that `plan` asks for: one when it has done the imports at its start, further ones at intervals, one at an
/// interrupt, and the last when the interpreter begins to shut down. A duration ends that early, and leaves the program to
/// itself; one of zero takes only the last of them. When the program turns out to have started the one that `recorder` knows
/// of, that is looked at.
///
/// A first interrupt takes a snapshot, for the program is interrupted too and may be about to end; a second one ends the
/// watching. An error means that the program could not be started; what went wrong later is in [`Followed`].
pub fn run(
    program: &[OsString],
    environment: &[(OsString, OsString)],
    (recording, on_occasion): Recorder<'_>,
    plan: &CapturePlan,
    progress: &mut dyn Progress,
    stop: &Interrupt,
) -> Result<Followed> {
    let mut watch = Watch::start();
    let (mut program, watched) = Program::start(program, environment, watch.as_mut().map_err(|error| error.clone()))
        .map_err(|cause| cannot_start(program, cause))?;
    stop.pass_on_to(Some(program.pid()));
    let mut following = Following {
        pid: program.pid(),
        recording,
        has_turned: false,
        on_occasion,
        plan,
        progress,
        stop,
        watch: watch.ok().filter(|_| watched.is_ok()),
        session: None,
        earlier: None,
        unread: None,
        blind: None,
        loaded: false,
        readable_since: None,
        settled: 0,
        warnings: Vec::new(),
        whole: false,
    };
    if let Err(error) = watched {
        following.warn_of_blindness(freeze_failure::explain(&error, &Process::new(program.pid())));
    }
    let status = following.follow(&mut program);
    // Who began to record meanwhile is not kept waiting.
    (following.on_occasion)(following.pid, Occasion::InView);
    Ok(Followed {
        capture: following.finish(status),
        program,
    })
}

fn cannot_start(program: &[OsString], cause: io::Error) -> Error {
    let name = program.first().map(|name| name.to_string_lossy().into_owned());
    Error::CannotStart {
        program: name.unwrap_or_default(),
        cause,
    }
}

/// A program under way.
struct Following<'a> {
    pid: u32,
    /// Tells the process that records, until it has.
    recording: &'a mut dyn FnMut() -> Option<u32>,
    has_turned: bool,
    /// Told of the process.
    on_occasion: &'a mut dyn FnMut(u32, Occasion),
    plan: &'a CapturePlan,
    progress: &'a mut dyn Progress,
    stop: &'a Interrupt,
    /// `None` when the program cannot be traced.
    watch: Option<Watch>,
    /// Since the first snapshot.
    session: Option<Session>,
    /// Of the program that the process ran before.
    earlier: Option<Session>,
    /// Why nothing could be read when it was tried last.
    unread: Option<Error>,
    /// Why the program cannot be stopped where its interpreter shuts down.
    blind: Option<Error>,
    /// An interpreter was seen in the program's memory, whether it could be read or not.
    loaded: bool,
    /// When the interpreter could be read for the first time.
    readable_since: Option<Instant>,
    /// So many looks in a row found the program in code of its own.
    settled: u32,
    /// For the session to come.
    warnings: Vec<String>,
    /// The last snapshot was taken where the interpreter shuts down.
    whole: bool,
}

/// What happens next.
enum Moment {
    /// It is time for a snapshot.
    Due,
    Interrupted,
    /// The interpreter is about to shut down.
    Finalizing,
    Ended(ExitStatus),
}

impl Following<'_> {
    /// Follows the program until it ends, which gives its status, or the watching is over.
    fn follow(&mut self, program: &mut Program) -> Option<ExitStatus> {
        let started = Instant::now();
        let mut interrupted = false;
        let only_the_end = self.plan.duration == Some(Duration::ZERO);
        let mut due = (!only_the_end).then_some(started);
        let mut last = None;
        loop {
            match self.wait(program, [due, last].into_iter().flatten().min()) {
                Moment::Ended(status) => return Some(status),
                Moment::Finalizing => {
                    self.take_last();
                    (due, last) = (None, None);
                }
                Moment::Interrupted if interrupted => return None,
                Moment::Interrupted => {
                    interrupted = true;
                    self.take();
                }
                Moment::Due if self.session.is_none() && self.is_starting() => {
                    due = Some(Instant::now() + look_again(started.elapsed()));
                }
                Moment::Due => {
                    let now = Instant::now();
                    self.take();
                    if last.is_some_and(|last| now >= last) {
                        return None;
                    }
                    match &self.session {
                        None => due = Some(Instant::now() + look_again(started.elapsed())),
                        Some(session) => {
                            let first = Instant::now() - session.elapsed();
                            last = last.or(self.plan.duration.map(|duration| first + duration));
                            due = self.plan.interval.map(|interval| next_multiple(first, interval));
                        }
                    }
                }
            }
        }
    }

    /// Waits for what happens next; `due` is when the next snapshot is.
    fn wait(&mut self, program: &mut Program, due: Option<Instant>) -> Moment {
        loop {
            self.turn_to_recording();
            while let Some(event) = self.watch.as_mut().and_then(Watch::event) {
                match event {
                    Event::Finalizing => return Moment::Finalizing,
                    Event::Loaded => self.loaded = true,
                    Event::Blind(reason) => self.warn_of_blindness(Error::Freeze {
                        reason,
                        hint: "let it run longer than --interval, for snapshots on the way".to_owned(),
                    }),
                }
            }
            if self.stop.take() {
                return Moment::Interrupted;
            }
            let left = due
                .map_or(TICK, |due| due.saturating_duration_since(Instant::now()))
                .min(TICK);
            let left = self
                .session
                .as_ref()
                .map_or(left, |session| session.until_next_look(left));
            self.show_waiting();
            let watch = self.watch.as_ref().and_then(Watch::descriptor);
            let others: Vec<_> = [Some(self.stop.as_fd()), watch].into_iter().flatten().collect();
            let meanwhile = program.wait_beside(&others, left);
            if let Some(session) = &mut self.session {
                session.look_if_due();
            }
            match meanwhile {
                Meanwhile::Ended(status) => {
                    // Its number may be given to somebody else.
                    self.stop.pass_on_to(None);
                    return Moment::Ended(status);
                }
                Meanwhile::TimeIsUp if due.is_some_and(|due| Instant::now() >= due) => return Moment::Due,
                Meanwhile::TimeIsUp | Meanwhile::Readable(_) => {}
            }
        }
    }

    fn show_waiting(&mut self) {
        self.progress.step(match &self.session {
            Some(session) => Step::Waiting {
                elapsed: session.elapsed(),
                total: self.plan.duration,
            },
            None => Step::Finding,
        });
    }

    /// Whether it is too early for the first snapshot: it cannot be read yet, or what the program imports at its start
    /// would count as growth.
    fn is_starting(&mut self) -> bool {
        let mut session = match self.open() {
            Ok(session) => session,
            Err(error) => {
                self.note(error);
                return true;
            }
        };
        let since = *self.readable_since.get_or_insert_with(Instant::now);
        self.settled = if session.runs_own_code() { self.settled + 1 } else { 0 };
        self.settled < SETTLED && since.elapsed() < LONGEST_START
    }

    /// Takes a snapshot if the program can be read by now. What fails shows at the end, should nothing be read then.
    fn take(&mut self) {
        match self.try_to_take() {
            Ok(()) => self.unread = None,
            Err(error) => self.note(error),
        }
    }

    /// Keeps in mind why nothing could be read.
    fn note(&mut self, error: Error) {
        match (&error, &mut self.session) {
            (Error::Executed { .. }, _) => self.turn_to_new_program(),
            (Error::Exited { .. }, _) | (_, None) => {}
            (_, Some(session)) => session.warn(format!("A snapshot failed ({error}).")),
        }
        // That the program has ended explains less than why it could not be read before.
        if self.unread.is_none() || !matches!(error, Error::Exited { .. } | Error::Zombie { .. }) {
            self.unread = Some(error);
        }
    }

    /// A session with the program, if its interpreter has started.
    fn open(&self) -> Result<Session> {
        let mut session = Session::open(self.pid, self.plan, Mode::Run)?;
        session.finds_interpreter()?;
        Ok(session)
    }

    fn try_to_take(&mut self) -> Result<()> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.open()?,
        };
        (self.on_occasion)(self.pid, Occasion::Snapshot);
        let taken = match &mut self.watch {
            Some(watch) => session.take(watch, self.progress),
            None => session.take(&mut Unfrozen, self.progress),
        };
        if taken.is_ok() || session.has_snapshots() {
            self.session = Some(session);
        }
        taken
    }

    /// Takes the snapshot after which the interpreter shuts down, and lets the program go on.
    fn take_last(&mut self) {
        (self.on_occasion)(self.pid, Occasion::Shutdown);
        if self.session.as_ref().is_some_and(Session::is_of_another_program) {
            self.turn_to_new_program();
        }
        let taken = self.try_to_take();
        self.whole = taken.is_ok();
        self.unread = taken.err();
        if let Some(watch) = &mut self.watch {
            watch.end();
        }
    }

    /// What is to be seen is the program that the process runs now.
    fn turn_to_new_program(&mut self) {
        (self.readable_since, self.settled) = (None, 0);
        self.earlier = self.session.take().or(self.earlier.take());
    }

    fn warn_of_blindness(&mut self, cause: Error) {
        self.warnings.push(format!(
            "The program could not be stopped where its interpreter shuts down: {cause}."
        ));
        self.blind = Some(cause);
    }

    fn finish(mut self, status: Option<ExitStatus>) -> Result<Capture> {
        let followed = match (&self.session, &self.earlier) {
            (Some(_), Some(_)) => Some("The process ran another program before, which is left out."),
            (None, Some(_)) => Some("The process started another program, which could not be read."),
            (_, None) => None,
        };
        self.warnings.extend(followed.map(str::to_owned));
        let Some(mut session) = self.session.take().or(self.earlier.take()) else {
            return Err(self.why_nothing_was_read(status));
        };
        for warning in self.warnings {
            session.warn(warning);
        }
        if let (Some(status), false) = (status, self.whole) {
            let why = self.unread.map(|error| format!(" ({error})")).unwrap_or_default();
            session.warn(format!(
                "The program ended {} and was not seen when its interpreter shut down{why}; \
                 this is what it held at the last snapshot before.",
                child::manner(status)
            ));
        }
        session.finish()
    }

    fn why_nothing_was_read(self, status: Option<ExitStatus>) -> Error {
        let seen = self.unread.unwrap_or(Error::Exited { pid: self.pid });
        // A look into a program that is being loaded, or taken down, finds no interpreter yet, or no more.
        let unseen = matches!(seen, Error::NotPython { .. } | Error::Freeze { .. });
        let too_short = seen.is_of_a_short_life() || self.loaded && status.is_some() && unseen;
        match (self.blind, status) {
            _ if !too_short => seen,
            (Some(blind), Some(status)) if status.code().is_some() => blind,
            (_, Some(status)) => Error::EndedUnread {
                manner: child::manner(status),
                obstacle: matches!(seen, Error::Freeze { .. }).then(|| seen.to_string()),
            },
            (Some(blind), None) => blind,
            (None, None) => seen,
        }
    }
}

/// When to look again for an interpreter in a program that was started this long ago.
fn look_again(since: Duration) -> Duration {
    /// Slow disks included.
    const USUAL_START: Duration = Duration::from_secs(10);
    if since < USUAL_START {
        LOOK_AGAIN
    } else {
        LOOK_AGAIN_LATER
    }
}

/// The next instant that is a whole number of intervals after the first snapshot.
fn next_multiple(first: Instant, interval: Duration) -> Instant {
    let passed = first.elapsed().as_nanos() / interval.as_nanos().max(1);
    first + interval.saturating_mul(u32::try_from(passed + 1).unwrap_or(u32::MAX))
}
