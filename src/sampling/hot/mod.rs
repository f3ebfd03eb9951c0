//! Observes which lines a program spends its time in, by looks that stop nothing, and what those lines work on.
//!
//! A look reads the calls of the thread that runs, from the innermost outwards. Where one stands at an operation that
//! another data structure would do better (`syntax::Idiom`), the names in it are looked up in that call. A look that the
//! program went on under counts for the time, but not for what the names mean.

mod code;
mod operand;
mod place;
mod tally;

use cpython::layout::Layout;
use cpython::memory::ReadMemory;
use cpython::objects::names::Under;
use cpython::stack::RunningCall;
use cpython::{gil, stack};

use self::code::Codes;
use self::place::Role;
use self::tally::Tallies;
use super::interpreters::Interpreters;
use crate::heap::patterns::BusyLines;

pub use self::place::{Sources, Unavailable};

/// So many calls are looked at, from the innermost on.
const MOST_CALLS: usize = 48;

/// Watches the lines of one process.
pub struct LineObserver {
    layout: Layout,
    interpreters: Interpreters,
    codes: Codes,
    tallies: Tallies,
    looks: u64,
    samples: u64,
}

impl LineObserver {
    /// Watches the process whose `_PyRuntime` stands at `runtime`.
    pub fn new(layout: Layout, runtime: u64) -> LineObserver {
        LineObserver {
            layout,
            interpreters: Interpreters::of(runtime),
            codes: Codes::default(),
            tallies: Tallies::default(),
            looks: 0,
            samples: 0,
        }
    }

    /// Takes a sample of every interpreter.
    pub fn look<M: ReadMemory>(&mut self, memory: &mut M, sources: &mut dyn Sources) {
        memory.forget();
        self.looks += 1;
        for interpreter in self.interpreters.at_look(memory, &self.layout) {
            if let Ok(Some(thread)) = gil::holder(memory, &self.layout, self.interpreters.runtime, interpreter) {
                self.samples += 1;
                self.look_at(memory, thread, sources);
            }
        }
    }

    fn look_at<M: ReadMemory>(&mut self, memory: &mut M, thread: u64, sources: &mut dyn Sources) {
        let calls = self.calls(memory, thread);
        self.codes.look_again();
        let mut counted: Vec<usize> = Vec::new();
        let mut is_innermost = true;
        for (frame, call) in calls {
            if call.code == 0 {
                continue;
            }
            let roles = self
                .codes
                .roles(memory, &self.layout, &call, &mut self.tallies, sources);
            for role in roles.iter().filter(|role| is_innermost || role.is_of_outer_calls()) {
                match *role {
                    Role::Unknown(reason) => self.tallies.count_unknown(reason),
                    Role::Works { tally, .. } if counted.contains(&tally) => {}
                    Role::Works { tally, .. } => {
                        counted.push(tally);
                        self.tallies.count(tally);
                        self.look_up(memory, tally, frame, &call);
                    }
                    Role::Near(tally) => self.look_up(memory, tally, frame, &call),
                }
            }
            is_innermost = false;
        }
    }

    /// The calls of a thread, the innermost first, with their frames.
    fn calls<M: ReadMemory>(&self, memory: &mut M, thread: u64) -> Vec<(u64, RunningCall)> {
        let mut calls = Vec::new();
        let word = stack::innermost(&self.layout, thread).word(memory);
        let mut frame = word.and_then(|word| Ok(memory.word(word)?)).unwrap_or(0);
        while frame != 0 && calls.len() < MOST_CALLS {
            let Ok(bytes) = memory.read(frame, stack::needed(&self.layout)) else {
                break;
            };
            let call = stack::call(&self.layout, bytes);
            calls.push((frame, call));
            frame = call.previous;
        }
        calls
    }

    /// Looks up what a call works on; it counts when the call stands where it stood.
    fn look_up<M: ReadMemory>(&mut self, memory: &mut M, tally: usize, frame: u64, call: &RunningCall) {
        memory.forget();
        let under = Under { frame, code: call.code };
        let Some(operand) = self.tallies.operand(memory, &self.layout, tally, under) else {
            return;
        };
        memory.forget();
        let again = memory.read(frame, stack::needed(&self.layout));
        if again.is_ok_and(|bytes| stack::call(&self.layout, bytes) == *call) {
            self.tallies.note(tally, operand);
        }
    }

    /// What the looks came to.
    pub fn conclude(self) -> BusyLines {
        self.tallies.conclude(self.looks, self.samples)
    }
}
