//! What rules about lines that take time have in common: which share of it they take, and on what.

use super::Evidence;
use super::finding::{Fact, Location, Object};
use crate::heap::Container;
use crate::heap::patterns::{BusyLine, Habit, WorkedOn};
use crate::units;

/// Fewer looks prove nothing.
const FEWEST: f64 = 10.0;

/// Lines that take time with one object.
pub struct Cause<'a> {
    /// The busiest first.
    pub lines: Vec<&'a BusyLine>,
    pub object: Object,
    /// Looks that found the program in these lines while they worked on it.
    pub samples: f64,
    /// Of the time in which Python code ran.
    pub share: f64,
}

/// What lines with such habits work on that `fits`, where that takes `percent` of the time or more; what takes most first.
pub fn causes<'a>(
    evidence: &Evidence<'a>,
    habits: &[Habit],
    percent: u64,
    fits: impl Fn(&BusyLine, &WorkedOn) -> bool,
) -> Vec<Cause<'a>> {
    let busy = &evidence.heap.patterns.busy;
    let mut causes: Vec<Cause<'a>> = Vec::new();
    for line in busy.lines.iter().filter(|line| habits.contains(&line.habit)) {
        let all: u64 = line.worked_on.iter().map(|each| each.times).sum();
        let fitting: Vec<&WorkedOn> = line.worked_on.iter().filter(|each| fits(line, each)).collect();
        let times: u64 = fitting.iter().map(|each| each.times).sum();
        let Some(longest) = fitting.iter().max_by_key(|each| (each.longest, each.address)) else {
            continue;
        };
        let samples = line.samples as f64 * times as f64 / all as f64;
        let object = object(evidence, line, longest);
        match causes.iter_mut().find(|cause| cause.object.path == object.path) {
            Some(known) => {
                known.lines.push(line);
                known.samples += samples;
                known.object.length = known.object.length.max(object.length);
            }
            None => causes.push(Cause {
                lines: vec![line],
                object,
                samples,
                share: 0.0,
            }),
        }
    }
    for cause in &mut causes {
        cause.share = cause.samples / busy.samples.max(1) as f64;
    }
    causes.retain(|cause| cause.samples >= FEWEST && cause.share * 100.0 >= percent as f64);
    causes.sort_by(|a, b| {
        let rest = |cause: &Cause| cause.object.path.clone();
        b.share.total_cmp(&a.share).then_with(|| rest(a).cmp(&rest(b)))
    });
    causes
}

/// The object as the heap knows it, where it still stands there.
fn object(evidence: &Evidence<'_>, line: &BusyLine, worked_on: &WorkedOn) -> Object {
    let is_it =
        |container: &&Container| container.address == worked_on.address && container.type_name == worked_on.type_name;
    if let Some(container) = evidence.heap.containers.iter().find(is_it) {
        let known = Object::of(container);
        let is_of_call = known.path.starts_with("thread ") || known.path.starts_with('(');
        return Object {
            length: known.length.max(worked_on.longest),
            // In a call its own names say more than the place that the call was held in.
            path: if is_of_call {
                line.path.clone()
            } else {
                known.path.clone()
            },
            ..known
        };
    }
    Object {
        address: worked_on.address,
        type_name: worked_on.type_name.clone(),
        length: worked_on.longest,
        bytes: 0,
        retained_bytes: 0,
        path: line.path.clone(),
    }
}

impl Cause<'_> {
    /// The busiest line; there is always one.
    pub fn line(&self) -> &BusyLine {
        self.lines[0]
    }

    pub fn location(&self) -> Option<Location> {
        let line = self.line();
        Some(Location {
            file: line.file.clone(),
            line: line.line,
            function: line.function.clone(),
        })
    }

    /// As in `34 % of the time`.
    pub fn share_of_time(&self) -> String {
        format!("{:.0} % of the time", 100.0 * self.share)
    }

    /// As in `in 2 lines, the first in find(): if name in BLOCKED:`.
    pub fn place(&self) -> String {
        let line = self.line();
        let others = match self.lines.len() {
            1 => String::new(),
            count => format!(" and {} more", units::count(count as u64 - 1)),
        };
        let text = if line.text.is_empty() {
            String::new()
        } else {
            format!(": {}", line.text)
        };
        format!("{}(), line {}{others}{text}", line.function, line.line)
    }

    /// The numbers, and the line as it stands in the source.
    pub fn facts(&self, evidence: &Evidence<'_>) -> Vec<(&'static str, Fact)> {
        let line = self.line();
        let mut facts = vec![
            ("share", Fact::Real((1000.0 * self.share).round() / 1000.0)),
            ("samples", Fact::Number(self.samples.round() as u64)),
            ("of_samples", Fact::Number(evidence.heap.patterns.busy.samples)),
            ("items", Fact::Number(self.object.length)),
            ("operand", Fact::Text(line.operand.clone())),
        ];
        if !line.text.is_empty() {
            facts.push(("source", Fact::Text(line.text.clone())));
        }
        if self.lines.len() > 1 {
            facts.push(("lines", Fact::Number(self.lines.len() as u64)));
        }
        facts
    }
}
