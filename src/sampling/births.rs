//! Where the objects of a heap were made: lines of Python with what of it is alive, and what nobody saw being made.

use std::rc::Rc;

/// What is known of where objects were made. Each object counts once: in the types of one site, or of one of `unseen`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Births {
    /// The largest `bytes` first.
    pub sites: Vec<Site>,
    /// The objects without a site, by why they have none.
    pub unseen: Vec<Unseen>,
}

/// A place in the program that made objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The calls that led there, the outermost first; never empty.
    pub stack: Rc<[Call]>,
    pub source: Source,
    pub confidence: Confidence,
    /// What the source counts: blocks for traced sites, objects for all others.
    pub count: u64,
    /// For traced sites the bytes that were asked for; for all others the bytes of the objects.
    pub bytes: u64,
    /// The live objects that were made here, the largest `bytes` first.
    pub types: Vec<Share>,
}

/// A call of Python code, and the line that it stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The qualified name where there is one; `<module>` for a module's own code; empty where it is not known.
    pub function: Rc<str>,
    /// Empty for C functions.
    pub file: Rc<str>,
    /// `None` for instructions that belong to no line.
    pub line: Option<u32>,
}

/// How a site became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The tables of `tracemalloc`.
    Tracemalloc,
    /// The collector's youngest objects, while the line that made them was running.
    Observed,
    /// Of the only holder, whose site is known.
    Inherited,
    /// The recorder within the program (`run`).
    Recorded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Samples disagree, or there was one only.
    Possible,
    /// Two samples in a row stood on one line.
    Likely,
    /// It was written down when the object was made.
    Certain,
}

/// The objects of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// `module.qualname`.
    pub type_name: Rc<str>,
    pub count: u64,
    /// What the objects and their tables occupy.
    pub bytes: u64,
    /// What of it came since the first snapshot.
    pub grown_count: u64,
    pub grown_bytes: u64,
}

/// Objects that nobody saw being made.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseen {
    pub why: Why,
    pub types: Vec<Share>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// They were there at the first snapshot.
    BeforeAttach,
    /// They came later, and no sample caught them.
    NotObserved,
    /// `tracemalloc` has no record of them: they are older than its start, or of a kind that it does not see.
    NotTraced,
}

impl Site {
    /// The innermost call of Python code, or where there is none the innermost call.
    pub fn place(&self) -> Option<&Call> {
        let python = self.stack.iter().rev().find(|call| !call.file.is_empty());
        python.or(self.stack.last())
    }
}

impl Why {
    pub const ALL: [Why; 3] = [Why::BeforeAttach, Why::NotObserved, Why::NotTraced];

    /// What reports and drawings call it.
    pub fn label(self) -> &'static str {
        match self {
            Why::BeforeAttach => "before attach",
            Why::NotObserved => "not observed",
            Why::NotTraced => "not traced",
        }
    }
}

impl Source {
    pub const ALL: [Source; 4] = [
        Source::Tracemalloc,
        Source::Observed,
        Source::Inherited,
        Source::Recorded,
    ];

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Source::Tracemalloc => "tracemalloc",
            Source::Observed => "observed",
            Source::Inherited => "inherited",
            Source::Recorded => "recorded",
        }
    }
}

impl Confidence {
    pub const ALL: [Confidence; 3] = [Confidence::Possible, Confidence::Likely, Confidence::Certain];

    /// The word for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }
}
