//! What the words of `paths` mean: about what it is asked, in which direction, how deep.

use super::meaning::{one_look, usage};
use super::outputs::outputs;
use super::{HeapToAsk, PathsOptions};
use crate::capture::inquiry::{Direction, Question, Topic};
use crate::commands::Command;
use crate::commands::paths::{Asked, Whose};
use crate::error::Error;
use crate::report::explanation::output::ExplanationFormat;

pub(super) fn meaning(heap: HeapToAsk, options: PathsOptions) -> Result<Command, Error> {
    let whose = whose(heap)?;
    let example = "pymemscope paths PID --type shop.models.Order, or --address 0x7f31c0de";
    let about = match (options.type_name, options.address) {
        (Some(_), Some(_)) => return Err(usage("both a type and an address were given", "leave one of them out")),
        (Some(name), None) => Topic::Type(name),
        (None, Some(address)) => Topic::Address(address),
        (None, None) => return Err(usage("neither a type nor an address was given", example)),
    };
    if options.depth == Some(0) {
        return Err(usage(
            "a depth of 0 steps shows nothing",
            "give --depth at least 1, or leave it out",
        ));
    }
    Ok(Command::Paths {
        whose,
        asked: Asked {
            question: Question {
                about,
                direction: if options.refs {
                    Direction::Referents
                } else {
                    Direction::Holders
                },
                depth: options.depth,
            },
            plan: one_look(&options.freezing),
            outputs: outputs(
                &options.output,
                options.format,
                options.json.then_some(ExplanationFormat::Json),
            )?,
            force: options.force,
        },
    })
}

/// A number is a process, whatever folders there are.
fn whose(heap: HeapToAsk) -> Result<Whose, Error> {
    if let Some(pid) = heap.pid {
        return Ok(Whose::Process(pid));
    }
    let Some(typed) = heap.positional else {
        return Err(usage(
            "neither a PID nor a folder was given",
            "pymemscope paths PID --type NAME, or pymemscope paths FOLDER --type NAME",
        ));
    };
    match typed.to_str().filter(|word| is_number(word)) {
        Some(word) => super::pid(word)
            .map(Whose::Process)
            .map_err(|cause| usage(&cause, "PIDs are above 0")),
        None => Ok(Whose::Saved(typed)),
    }
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches(['-', '+']);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
