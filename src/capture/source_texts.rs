//! The source files of a program, each read and parsed once, as the program itself sees them.

use std::collections::HashMap;
use std::rc::Rc;

use crate::sampling::hot::{Sources, Unavailable};
use crate::syntax::{self, Source};
use crate::target::process::Process;
use crate::target::source_file::{Trouble, read_unchanged};

/// Further files are not read.
const MOST_FILES: usize = 1 << 10;

/// Reads source for one process.
pub struct SourceTexts {
    process: Process,
    known: HashMap<String, Result<Rc<Source>, Unavailable>>,
}

impl SourceTexts {
    pub fn new(pid: u32) -> SourceTexts {
        SourceTexts {
            process: Process::new(pid),
            known: HashMap::new(),
        }
    }

    fn read(&self, file: &str) -> Result<Rc<Source>, Unavailable> {
        // `<string>`, `<stdin>`, `<frozen runpy>`.
        if file.starts_with('<') || file.is_empty() {
            return Err(Unavailable::NoFile);
        }
        let bytes = read_unchanged(&self.process, file).map_err(|trouble| match trouble {
            Trouble::Missing => Unavailable::Missing,
            Trouble::Unreadable => Unavailable::Unreadable,
            Trouble::Changed => Unavailable::Changed,
            Trouble::TooLong => Unavailable::TooLong,
        })?;
        let text = syntax::decode(&bytes).ok_or(Unavailable::Encoded)?;
        syntax::parse(&text).map(Rc::new).ok_or(Unavailable::NotPython)
    }
}

impl Sources for SourceTexts {
    fn source(&mut self, file: &str) -> Result<Rc<Source>, Unavailable> {
        if let Some(known) = self.known.get(file) {
            return known.clone();
        }
        if self.known.len() >= MOST_FILES {
            return Err(Unavailable::Unreadable);
        }
        let source = self.read(file);
        self.known.insert(file.to_owned(), source.clone());
        source
    }
}
