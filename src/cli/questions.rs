//! What the words of `paths` mean: about what it is asked, in which direction, how deep.

use super::meaning::{source, usage};
use super::outputs::outputs;
use super::plans::one_look;
use super::{PathsOptions, Target, TypedSource};
use crate::capture::inquiry::{Direction, Question, Topic};
use crate::commands::Command;
use crate::commands::paths::{Asked, Whose};
use crate::error::Error;
use crate::report::explanation::output::ExplanationFormat;

pub(super) fn meaning(target: Target, options: PathsOptions) -> Result<Command, Error> {
    let whose = whose(target, &options)?;
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

/// A folder is a saved heap.
fn whose(target: Target, options: &PathsOptions) -> Result<Whose, Error> {
    match &target.word.positional {
        Some(TypedSource::File(path)) if path.is_dir() => Ok(Whose::Saved(path.clone())),
        _ => source(target, &options.freezing, "pymemscope paths PID --type NAME").map(Whose::Taken),
    }
}
