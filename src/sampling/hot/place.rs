//! What the time in an instruction counts for, by the source of its code.

use std::fmt;
use std::rc::Rc;

use super::code::{Code, Instruction};
use super::tally::{Line, Tallies};
use crate::syntax::{Idiom, Kind, Operation, Place, Source};

/// Where source is had from.
pub trait Sources {
    /// What the file says that code calls by this name.
    fn source(&mut self, file: &str) -> Result<Rc<Source>, Unavailable>;
}

/// Why nothing is known of a code object's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unavailable {
    /// It never was in a file.
    NoFile,
    /// There is no such file in the file system of the process.
    Missing,
    /// It may not be read.
    Unreadable,
    /// The file was changed since the process started.
    Changed,
    TooLong,
    /// It is in an encoding that is not known here.
    Encoded,
    /// It cannot be parsed.
    NotPython,
    /// It does not tell which of several operations in a line is meant.
    Ambiguous,
    /// What stands there is not what the code was compiled from.
    Other,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Unavailable::NoFile => "was never in a file",
            Unavailable::Missing => "is missing in the file system of the process",
            Unavailable::Unreadable => "cannot be read",
            Unavailable::Changed => "was changed since the process started",
            Unavailable::TooLong => "is too long to be read",
            Unavailable::Encoded => "is in another encoding than UTF-8 or Latin-1, which is not read",
            Unavailable::NotPython => "cannot be parsed as Python",
            Unavailable::Ambiguous => "does not tell which of several operations in a line runs",
            Unavailable::Other => "is not what the code was compiled from",
        })
    }
}

/// What the time in an instruction counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It does what this tally counts.
    Works {
        tally: usize,
        /// Whether the time of calls that it makes counts too, as of methods that compare items.
        with_calls: bool,
    },
    /// It stands beside that: what the operation works on is known here as well.
    Near(usize),
    /// It may do something of the kind; there is no source that would tell. The number of the reason.
    Unknown(usize),
}

impl Role {
    pub fn is_of_outer_calls(self) -> bool {
        matches!(self, Role::Works { with_calls: true, .. })
    }
}

/// What the time in this instruction counts for.
pub fn roles(code: &Code, instruction: &Instruction, tallies: &mut Tallies, sources: &mut dyn Sources) -> Vec<Role> {
    let Some(line) = instruction.line else {
        return Vec::new();
    };
    let source = match sources.source(&code.file) {
        Ok(source) if source.has(&code.name, code.first_line) => source,
        Ok(_) => return unknown(code, instruction, Unavailable::Other, tallies),
        Err(reason) => return unknown(code, instruction, reason, tallies),
    };
    let mut roles = Vec::new();
    if let Some(kind) = instruction.kind {
        let place = Place {
            function: &code.name,
            first_line: code.first_line,
            line,
            kind,
            span: instruction.span,
            number: instruction.number,
            count: instruction.count,
        };
        let Some(operation) = source.operation(&place) else {
            let reason = match source.has_kind(&place) {
                true => Unavailable::Ambiguous,
                false => Unavailable::Other,
            };
            return unknown(code, instruction, reason, tallies);
        };
        if operation
            .idiom
            .as_ref()
            .is_some_and(|idiom| !code.knows(idiom.operand()))
        {
            return unknown(code, instruction, Unavailable::Other, tallies);
        }
        if let Some(idiom) = &operation.idiom {
            roles.push(Role::Works {
                tally: tallies.of(tally_line(code, &source, operation), idiom),
                with_calls: !matches!(idiom, Idiom::Building(_)),
            });
        }
    }
    let is_known = !roles.is_empty();
    for operation in source.idioms_at(&code.name, code.first_line, line) {
        if operation
            .idiom
            .as_ref()
            .is_some_and(|idiom| !code.knows(idiom.operand()))
        {
            continue;
        }
        match &operation.idiom {
            // The time of all that stands in these lines.
            Some(idiom) if operation.kind == Kind::Spans => roles.push(Role::Works {
                tally: tallies.of(tally_line(code, &source, operation), idiom),
                with_calls: matches!(idiom, Idiom::Reading { .. }),
            }),
            Some(idiom @ Idiom::Building(_)) if !is_known => {
                roles.push(Role::Near(tallies.of(tally_line(code, &source, operation), idiom)));
            }
            _ => {}
        }
    }
    roles
}

fn tally_line(code: &Code, source: &Source, operation: &Operation) -> Line {
    Line {
        function: code.function.clone(),
        file: code.file.clone(),
        line: operation.span.line,
        text: source.line(operation.span.line).to_owned(),
    }
}

/// A test of membership and a sum may take long by what they work on; calls take as long as they like.
fn unknown(code: &Code, instruction: &Instruction, reason: Unavailable, tallies: &mut Tallies) -> Vec<Role> {
    match instruction.kind {
        Some(Kind::Contains | Kind::Adds) => vec![Role::Unknown(tallies.unknown(&code.file, reason))],
        _ => Vec::new(),
    }
}
