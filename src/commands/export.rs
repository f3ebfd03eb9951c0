//! `pymemscope export FOLDER`: a saved heap in the form of another tool.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::PathBuf;

use super::deliver;
use super::drawing::draw;
use crate::allocations::chosen::Filter;
use crate::capture::folder;
use crate::capture::interrupt::Interrupt;
use crate::error::{Error, Result, exit_code};
use crate::report::export::{ExportFormat, Exported};
use crate::report::output::{Destination, Output};
use crate::report::picture::Asked;
use crate::report::standard_output;

/// What is written where.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    pub folder: PathBuf,
    pub outputs: Vec<Output<ExportFormat>>,
    /// Whether existing files are replaced.
    pub force: bool,
    /// What profiles show.
    pub picture: Asked,
    /// What of a recording they show.
    pub filter: Filter,
}

pub fn export(asked: &Export) -> Result<u8> {
    // From here on an end that is asked for is an error like any other, so that no unfinished file stays.
    let stop = Interrupt::on_any_end()?;
    standard_output::check()?;
    asked.outputs.iter().try_for_each(|output| output.check(asked.force))?;
    let mut capture = folder::load(&asked.folder)?;
    capture.allocations = capture.allocations.map(|recorded| asked.filter.of(&recorded));
    let any = |is_detailed| {
        asked
            .outputs
            .iter()
            .any(|output| output.format.is_detailed() == is_detailed)
    };
    let load_detail = || folder::load_detail(&asked.folder, &capture);
    let exported = Exported {
        types: &capture.heap.types,
        detail: any(true).then(load_detail).transpose()?,
        picture: any(false).then(|| draw(&capture, asked.picture)).transpose()?,
    };
    let written = Cell::new(0);
    let delivered = deliver(
        &asked.outputs,
        asked.force,
        |_| Ok(()),
        |format, out| {
            let mut out = Stoppable {
                out,
                stop: &stop,
                unchecked: 0,
            };
            out.check()?;
            format.write(&exported, &mut out)?;
            written.set(written.get() + 1);
            Ok(())
        },
    );
    match delivered {
        Err(_) if stop.is_set() => Err(Error::Stopped {
            unwritten: asked.outputs.iter().skip(written.get()).map(name).collect(),
        }),
        delivered => delivered.map(|()| exit_code::DONE),
    }
}

/// Where an output goes, as it is typed.
fn name(output: &Output<ExportFormat>) -> PathBuf {
    match &output.destination {
        Destination::File(path) => path.clone(),
        Destination::Stdout => PathBuf::from("-"),
    }
}

/// So many bytes are written between two looks at whether to stop.
const BYTES_A_LOOK: usize = 1 << 16;

/// A writer that fails once an end was asked for.
struct Stoppable<'a> {
    out: &'a mut dyn Write,
    stop: &'a Interrupt,
    unchecked: usize,
}

impl Stoppable<'_> {
    fn check(&mut self) -> io::Result<()> {
        self.unchecked = 0;
        match self.stop.is_set() {
            true => Err(io::Error::other("stopped")),
            false => Ok(()),
        }
    }
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unchecked += bytes.len();
        if self.unchecked >= BYTES_A_LOOK {
            self.check()?;
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
