//! Observes where a program that goes on makes its objects, by readings that stop nothing.
//!
//! The collector appends what is made to the list of its youngest objects, so that what came to stand at the list's end
//! between two glances was made by the calls that ran meanwhile. A sample is a burst of such glances, each at the list's
//! end and at the innermost call, one microsecond after the other.

mod burst;
mod codes;
mod marks;
mod newborn;
mod pace;
mod settle;
mod stacks;

use std::time::{Duration, Instant};

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::{gil, stack, youngest};

use self::burst::{Burst, Places, pages_of};
use self::codes::Codes;
use self::marks::{Candidate, MOST_CANDIDATES, Mark, Marks};
use self::newborn::{Newborn, Window};
use self::pace::Pace;
use self::stacks::{Stacks, Thread};

use super::interpreters::Interpreters;

pub use self::marks::Random;
pub use self::settle::{Observed, Origin};

/// Rounds that one call of the system reads, and such calls in a burst.
const ROUNDS: usize = 8;
const SERIES: usize = 6;
/// What is still there so many rounds after it came is no passing object, whose address another one would take at once.
const LEAST_LIFE: usize = 12;
/// The pages of so many of the innermost frames are read in each round, and so many further ones where the innermost stood
/// lately.
const WATCHED: usize = 4;
const RECENT: usize = 4;

/// Watches one process.
pub struct Observer {
    layout: Layout,
    interpreters: Interpreters,
    codes: Codes,
    stacks: Stacks,
    marks: Marks,
    /// Pages that the innermost frame stood in lately.
    recent: Vec<u64>,
    bursts: [Burst; SERIES],
    pace: Pace,
    /// When the first look was, and the time that bursts took.
    since: Option<Instant>,
    watched: Duration,
    counts: Counts,
}

/// What the looking came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Readings of a thread that ran Python code.
    pub samples: u64,
    /// Those that changed under the reading, so that nothing was learned.
    pub rejected: u64,
}

/// A burst could not be made sense of.
struct Rejected;

impl Observer {
    /// Watches the process whose `_PyRuntime` stands at `runtime`.
    pub fn new(layout: Layout, runtime: u64) -> Observer {
        Observer {
            stacks: Stacks::new(&layout),
            layout,
            interpreters: Interpreters::of(runtime),
            codes: Codes::default(),
            marks: Marks::default(),
            recent: Vec::new(),
            bursts: std::array::from_fn(|_| Burst::default()),
            pace: Pace::default(),
            since: None,
            watched: Duration::ZERO,
            counts: Counts::default(),
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes a sample of every interpreter.
    pub fn look<M: ReadMemory>(&mut self, memory: &mut M) {
        self.since.get_or_insert_with(Instant::now);
        memory.forget();
        for interpreter in self.interpreters.at_look(memory, &self.layout) {
            let Ok(Some(thread)) = gil::holder(memory, &self.layout, self.interpreters.runtime, interpreter) else {
                continue;
            };
            self.counts.samples += 1;
            if self.look_at(memory, interpreter, thread).is_err() {
                self.counts.rejected += 1;
            }
        }
    }

    /// Takes a sample of the thread that holds the interpreter's lock.
    fn look_at<M: ReadMemory>(&mut self, memory: &mut M, interpreter: u64, thread: u64) -> Result<(), Rejected> {
        self.codes.look_again();
        let head = youngest::head(&self.layout, self.interpreters.runtime, interpreter);
        let innermost = stack::innermost(&self.layout, thread);
        let word = innermost.word(memory).map_err(|_| Rejected)?;
        let calls = Thread::read(memory, &self.layout, word);
        let anchors = newborn::anchors(memory, &self.layout, head);
        let near = calls.innermost(WATCHED).chain(innermost.through.map(|_| word));
        let length = stack::needed(&self.layout);
        let near: Vec<u64> = near.flat_map(|address| pages_of(address, length)).collect();
        let head_length = youngest::needed(&self.layout);
        let places = Places {
            innermost,
            head,
            head_length,
        };
        self.read_bursts(memory, places, &near);
        if self.bursts.iter().all(|burst| burst.rounds() == 0) {
            return Err(Rejected);
        }
        memory.forget();
        let tails = self.tails();
        if tails.last() == Some(&newborn::UNKNOWN) {
            return Err(Rejected);
        }
        if tails.iter().all(|tail| Some(tail) == anchors.first()) {
            return Ok(());
        }
        if gil::holder(memory, &self.layout, self.interpreters.runtime, interpreter) != Ok(Some(thread)) {
            return Err(Rejected);
        }
        let newborn = self.newborn(memory, head, &tails, &anchors).ok_or(Rejected)?;
        let windows = newborn::windows(&newborn, head, &anchors, &tails);
        self.stacks.look_again(calls);
        let mut came: Vec<(usize, Mark)> = Vec::new();
        for (place, (each, window)) in newborn.iter().zip(windows).enumerate() {
            let lasts = |window: &Window| window.after + LEAST_LIFE < tails.len();
            let Some(window) = window.filter(|window| lasts(window) && self.is_steady(*window)) else {
                continue;
            };
            let candidates = self.candidates(memory, window);
            if candidates.first().is_some_and(|candidate| candidate.weight > 0.0) {
                let mark = Mark {
                    object: youngest::object(&self.layout, each.node),
                    type_address: each.type_address,
                    look: self.interpreters.looks,
                    agrees: self.agrees(memory, window),
                    candidates,
                };
                came.push((place, mark));
            }
        }
        memory.forget();
        for (place, mark) in came {
            if self.is_still_there(memory, head, &newborn, place, &anchors) {
                self.marks.add(mark);
            }
        }
        Ok(())
    }

    /// Reads all bursts; `near` are the pages where the calls stand now.
    fn read_bursts<M: ReadMemory>(&mut self, memory: &mut M, places: Places, near: &[u64]) {
        let length = stack::needed(&self.layout);
        self.pace.pause();
        let started = Instant::now();
        for burst in &mut self.bursts {
            let mut pages = near.to_vec();
            pages.extend(self.recent.iter().copied());
            burst.read(memory, places, &pages, ROUNDS, &mut self.pace);
            if burst.rounds() < ROUNDS {
                // One of them is not there any more.
                self.recent.clear();
            }
            for round in 0..burst.rounds() {
                let missing = match burst.innermost(round) {
                    Ok(frame) if burst.memory(round, frame, length).is_some() => continue,
                    Ok(frame) => pages_of(frame, length),
                    Err(word) => pages_of(word, length),
                };
                for page in missing {
                    if page != 0 && !near.contains(&page) && !self.recent.contains(&page) {
                        self.recent.insert(0, page);
                    }
                }
                self.recent.truncate(RECENT);
            }
        }
        self.watched += started.elapsed();
    }

    /// The node that stood last in the list, round by round.
    fn tails(&self) -> Vec<u64> {
        let rounds = self
            .bursts
            .iter()
            .flat_map(|burst| (0..burst.rounds()).map(|round| burst.head(round)));
        let last = |head: &[u8]| match youngest::is_collecting(&self.layout, head) {
            true => newborn::UNKNOWN,
            false => youngest::last(&self.layout, head),
        };
        rounds.map(last).collect()
    }

    /// What came, the last one first: from the last object on that is still there.
    fn newborn<M: ReadMemory>(
        &self,
        memory: &mut M,
        head: u64,
        tails: &[u64],
        anchors: &[u64],
    ) -> Option<Vec<Newborn>> {
        const ATTEMPTS: usize = 4;
        let mut last: Vec<u64> = tails.iter().rev().copied().collect();
        last.dedup();
        last.retain(|&node| node != newborn::UNKNOWN);
        last.into_iter()
            .take(ATTEMPTS)
            .find_map(|last| newborn::since(memory, &self.layout, head, last, anchors, tails))
    }

    /// The stacks that may have made what came in this window, with what speaks for each.
    fn candidates<M: ReadMemory>(&mut self, memory: &mut M, window: Window) -> [Candidate; MOST_CANDIDATES] {
        /// What speaks for the call before an object came, for one while it came, and for the call after.
        const WEIGHTS: [f32; 3] = [0.45, 0.5, 0.05];
        let mut found: Vec<Candidate> = Vec::new();
        let mut total = 0.0;
        for round in window.before..=window.after + 1 {
            let weight = match round {
                round if round == window.before => WEIGHTS[0],
                round if round <= window.after => WEIGHTS[1],
                _ => WEIGHTS[2],
            };
            total += weight;
            let Some((stack, offset)) = self.stack(memory, round) else {
                continue;
            };
            let is_same = |candidate: &&mut Candidate| (candidate.stack, candidate.offset) == (stack, offset);
            match found.iter_mut().find(is_same) {
                Some(known) => known.weight += weight,
                None => found.push(Candidate { stack, offset, weight }),
            }
        }
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let mut candidates = [Candidate::default(); MOST_CANDIDATES];
        for (place, candidate) in candidates.iter_mut().zip(found) {
            *place = Candidate {
                weight: candidate.weight / total,
                ..candidate
            };
        }
        candidates
    }

    /// The stack that stood in a round of the bursts, counted through, and its instruction; `None` where it changed under
    /// the reading.
    fn stack<M: ReadMemory>(&mut self, memory: &mut M, round: usize) -> Option<(u32, i32)> {
        let (burst, round) = place(&self.bursts, round)?;
        let burst = self.bursts.get(burst)?;
        self.stacks
            .in_round(memory, &self.layout, &mut self.codes, burst, round)
    }

    /// Whether two readings before something came and two after it stood on one line.
    fn agrees<M: ReadMemory>(&mut self, memory: &mut M, window: Window) -> bool {
        let Some(first) = window.before.checked_sub(1) else {
            return false;
        };
        let mut places = (first..=window.after + 1).map(|round| {
            let (stack, _) = self.stack(memory, round)?;
            self.stacks.place(stack)
        });
        let place = places.next().flatten();
        place.is_some() && places.all(|other| other == place)
    }

    /// The share of the time since the first look in which the program was watched without interruption.
    fn watched_share(&self) -> f64 {
        let since = self.since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        if since > 0.0 {
            self.watched.as_secs_f64() / since
        } else {
            0.0
        }
    }

    /// Whether all that was read from before something came until after it was read without interruption.
    fn is_steady(&self, window: Window) -> bool {
        let first = place(&self.bursts, window.before).map_or(SERIES, |(burst, _)| burst);
        let last = place(&self.bursts, window.after + 1).map_or(SERIES, |(burst, _)| burst + 1);
        let between = self.bursts.get(first..last).unwrap_or_default();
        !between.is_empty() && between.iter().all(Burst::is_steady)
    }

    /// Whether an object is still the one that came: what stands before it was there before it came.
    fn is_still_there<M: ReadMemory>(
        &self,
        memory: &mut M,
        head: u64,
        newborn: &[Newborn],
        place: usize,
        anchors: &[u64],
    ) -> bool {
        let (Some(each), Some(older)) = (newborn.get(place), newborn.get(place + 1..)) else {
            return false;
        };
        youngest::node(memory, &self.layout, each.node).is_ok_and(|node| {
            node.type_address == each.type_address
                && (node.older == head
                    || anchors.contains(&node.older)
                    || older.iter().any(|other| other.node == node.older))
        })
    }
}

/// The burst that a round belongs to, and its number in that.
fn place(bursts: &[Burst], round: usize) -> Option<(usize, usize)> {
    let mut left = round;
    for (number, burst) in bursts.iter().enumerate() {
        if left < burst.rounds() {
            return Some((number, left));
        }
        left -= burst.rounds();
    }
    None
}
