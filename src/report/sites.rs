//! Where objects were made, as rows: the places in the program with what is alive of each, and what nobody saw.

use serde::{Serialize, Serializer};

use crate::sampling::births::{Births, Call, Share, Site, Unseen};

/// A place in the program, with what is alive of the objects that it made. Sizes are bytes.
#[derive(Debug, Serialize)]
pub struct SiteRow<'a> {
    /// Of the innermost call of Python code, as are line and function. What is not known is absent.
    #[serde(flatten)]
    pub place: CallRow<'a>,
    /// The outermost call first.
    pub stack: Stack<'a>,
    /// The largest first.
    pub types: Vec<ShareRow<'a>>,
    pub count: u64,
    pub bytes: u64,
    pub source: &'static str,
    pub confidence: &'static str,
}

/// A call; one of a C function has a name alone.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CallRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Calls that become rows when they are written: there may be millions of them.
#[derive(Debug)]
pub struct Stack<'a>(&'a [Call]);

impl<'a> Stack<'a> {
    pub(super) fn of(calls: &'a [Call]) -> Stack<'a> {
        Stack(calls)
    }
}

impl Serialize for Stack<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(call_row))
    }
}

/// The objects of one type.
#[derive(Debug, Serialize)]
pub struct ShareRow<'a> {
    #[serde(rename = "type")]
    pub name: &'a str,
    pub count: u64,
    pub bytes: u64,
}

/// Objects that nobody saw being made.
#[derive(Debug, Serialize)]
pub struct UnseenRow<'a> {
    pub why: &'static str,
    pub count: u64,
    pub bytes: u64,
    /// The largest first.
    pub types: Vec<ShareRow<'a>>,
}

/// The largest first.
pub fn site_rows(births: &Births) -> Vec<SiteRow<'_>> {
    let mut rows: Vec<SiteRow<'_>> = births.sites.iter().map(site_row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    rows
}

pub fn unseen_rows(births: &Births) -> Vec<UnseenRow<'_>> {
    births.unseen.iter().map(unseen_row).collect()
}

pub(super) fn site_row(site: &Site) -> SiteRow<'_> {
    SiteRow {
        place: site.place().map(call_row).unwrap_or_default(),
        stack: Stack(&site.stack),
        types: share_rows(&site.types),
        count: site.count,
        bytes: site.bytes,
        source: site.source.word(),
        confidence: site.confidence.word(),
    }
}

fn unseen_row(unseen: &Unseen) -> UnseenRow<'_> {
    let sum = |of: fn(&Share) -> u64| unseen.types.iter().map(of).fold(0, u64::saturating_add);
    UnseenRow {
        why: unseen.why.label(),
        count: sum(|share| share.count),
        bytes: sum(|share| share.bytes),
        types: share_rows(&unseen.types),
    }
}

pub(super) fn call_row(call: &Call) -> CallRow<'_> {
    let known = |text| Some(text).filter(|text: &&str| !text.is_empty());
    CallRow {
        function: known(&call.function),
        file: known(&call.file),
        line: call.line,
    }
}

fn share_rows(shares: &[Share]) -> Vec<ShareRow<'_>> {
    let mut rows: Vec<ShareRow<'_>> = shares.iter().map(share_row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    rows
}

fn share_row(share: &Share) -> ShareRow<'_> {
    ShareRow {
        name: &share.type_name,
        count: share.count,
        bytes: share.bytes,
    }
}
