//! `pymemscope diff OLD NEW`: what grew, what appeared and what went between two saved heaps.

use std::path::PathBuf;

use super::deliver;
use super::drawing::draw;
use crate::allocations::chosen::Filter;
use crate::capture::{Capture, folder};
use crate::error::{Result, exit_code};
use crate::heap::Heap;
use crate::heap::difference::{Side, difference, have_most_in_common};
use crate::report::difference::model::Compared;
use crate::report::difference::{DifferenceFormat, terminal, write_json};
use crate::report::output::Output;
use crate::report::picture::{Asked, Graph, Picture, collapsed, svg, usual_graph};
use crate::report::screen::Screen;
use crate::report::standard_output;

/// What is compared, and where the answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub old: PathBuf,
    pub new: PathBuf,
    pub outputs: Vec<Output<DifferenceFormat>>,
    /// Whether existing files are replaced.
    pub force: bool,
    /// Rows of types on the terminal.
    pub top: usize,
    /// What flame graphs show.
    pub picture: Asked,
    /// What of two recordings is compared.
    pub filter: Filter,
}

pub fn diff(asked: &Comparison) -> Result<u8> {
    standard_output::check()?;
    asked.outputs.iter().try_for_each(|output| output.check(asked.force))?;
    let (mut old, mut new) = (folder::load(&asked.old)?, folder::load(&asked.new)?);
    for side in [&mut old, &mut new] {
        side.allocations = side.allocations.take().map(|recorded| asked.filter.of(&recorded));
    }
    let have_heaps = old.has_heap() && new.has_heap();
    let is_one_process = have_heaps && are_of_one_process(&old, &new);
    let (old_objects, new_objects) = match is_one_process {
        // Who holds an object tells whether it is the one that stood there before.
        true => (
            folder::load_detail(&asked.old, &old)?,
            folder::load_detail(&asked.new, &new)?,
        ),
        false => Default::default(),
    };
    let same_process =
        is_one_process && (is_one_program(&old, &new) || have_most_in_common(&old_objects, &new_objects));
    let nothing = Heap::default();
    let side = |heap, detail| Side {
        heap: if have_heaps { heap } else { &nothing },
        detail,
    };
    let difference = difference(
        side(&old.heap, &old_objects),
        side(&new.heap, &new_objects),
        same_process,
    );
    let compared = Compared::new(&old, &new, &difference);
    let draws = asked
        .outputs
        .iter()
        .any(|output| output.format != DifferenceFormat::Json);
    let pictures = draws.then(|| pictures(&old, &new, asked.picture)).transpose()?;
    deliver(
        &asked.outputs,
        asked.force,
        |out| terminal::write(&compared, asked.top, Screen::of_stdout(), out),
        |format, out| match (format, &pictures) {
            (DifferenceFormat::Svg, Some((old, new))) => svg::write_difference(old, new, out),
            (DifferenceFormat::Collapsed, Some((old, new))) => collapsed::write([old, new], out),
            _ => write_json(&compared, out),
        },
    )?;
    Ok(exit_code::DONE)
}

/// Two pictures of one kind: of allocations, unless told, only where both heaps know of these.
fn pictures(old: &Capture, new: &Capture, asked: Asked) -> Result<(Picture, Picture)> {
    let asked = match asked.graph {
        None if [old, new].map(usual_graph) != [Graph::Allocation; 2] => Asked {
            graph: Some(Graph::Ownership),
            ..asked
        },
        _ => asked,
    };
    Ok((draw(old, asked)?, draw(new, asked)?))
}

/// A pid that was given again belongs to another process, which started at another time.
fn are_of_one_process(old: &Capture, new: &Capture) -> bool {
    let identity = |capture: &Capture| Some((capture.process.pid, capture.process.start_time?.to_bits()));
    identity(old).is_some() && identity(old) == identity(new)
}

/// Whether nothing tells that another program was executed in between. Programs that write their state into their own
/// command line look as if.
fn is_one_program(old: &Capture, new: &Capture) -> bool {
    old.process.executable == new.process.executable && old.process.command == new.process.command
}
