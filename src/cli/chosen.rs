//! What can be typed about recordings, and what it means; and how all objects are divided.

use clap::{Args, ValueEnum};

use super::meaning::usage;
use super::words::domain;
use crate::allocations::chosen::{Filter, Grouping, View};
use crate::allocations::glob::Glob;
use crate::allocations::lines::Subject;
use crate::capture::plan::Division;
use crate::error::Error;

/// Which of the sites that were recorded are shown, in every output.
#[derive(Debug, Default, Args)]
pub(super) struct Choosing {
    /// Of what was recorded show only what code in these files allocated: a path, or its end behind a slash, with `*`, `?` and
    /// `[a-z]`. May be given several times
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave out what code in these files allocated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Show only what these gave out: CPython's raw, mem and object allocators, and malloc and mmap where anything else called
    /// them. May be given several times
    #[arg(long, value_name = "raw|mem|object|malloc|mmap", value_parser = domain)]
    domain: Vec<&'static str>,
    /// A block counts for every call that led to it, and not for the innermost alone
    #[arg(long)]
    cumulative: bool,
}

/// What is asked about what was recorded.
#[derive(Debug, Default, Args)]
pub(super) struct Asking {
    /// Show memory by line, the source beside it: of a file (shop/report.py) or a function (Report.load, shop.report.load).
    /// May be given several times
    #[arg(long, value_name = "FILE|FUNCTION")]
    lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum TypedDivision {
    Module,
    Size,
    Owner,
    Referrers,
    Line,
    Function,
    File,
    Stack,
}

pub(super) fn filter(typed: &Choosing) -> Filter {
    let globs = |typed: &[String]| typed.iter().map(|pattern| Glob::new(pattern)).collect();
    Filter {
        include: globs(&typed.include),
        exclude: globs(&typed.exclude),
        domains: typed.domain.clone(),
        cumulative: typed.cumulative,
    }
}

pub(super) fn view(choosing: &Choosing, asking: &Asking, by: &[TypedDivision]) -> Result<View, Error> {
    let mut groupings = by.iter().copied().filter_map(grouping);
    let first = groupings.next();
    if groupings.any(|other| Some(other) != first) {
        return Err(usage(
            "what was recorded is shown in one way: by line, function, file or stack",
            "leave all but one of these --by out",
        ));
    }
    Ok(View {
        filter: filter(choosing),
        grouping: first.unwrap_or_default(),
        lines: asking.lines.iter().map(|name| Subject::named(name)).collect(),
    })
}

fn grouping(typed: TypedDivision) -> Option<Grouping> {
    match typed {
        TypedDivision::Line => Some(Grouping::Line),
        TypedDivision::Function => Some(Grouping::Function),
        TypedDivision::File => Some(Grouping::File),
        TypedDivision::Stack => Some(Grouping::Stack),
        TypedDivision::Module | TypedDivision::Size | TypedDivision::Owner | TypedDivision::Referrers => None,
    }
}

pub(super) fn division(typed: TypedDivision) -> Option<Division> {
    match typed {
        TypedDivision::Module => Some(Division::Module),
        TypedDivision::Size => Some(Division::Size),
        TypedDivision::Owner => Some(Division::Owner),
        TypedDivision::Referrers => Some(Division::Referrers),
        TypedDivision::Line | TypedDivision::Function | TypedDivision::File | TypedDivision::Stack => None,
    }
}
