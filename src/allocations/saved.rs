//! A recording as tables of a saved folder: `recorded_calls.parquet`, `recorded_sites.parquet`, `recorded_totals.parquet`,
//! `recorded_timeline.parquet` and `recorded_files.parquet`. What is no table stands in the folder's header, as [`RecordingFacts`].

mod sources;
mod timeline;

use std::path::Path;

use recording::read::Totals;
use serde::{Deserialize, Serialize};

use super::processes::{OtherProcess, OtherProcesses, RecordedProcess};
use super::recorded::{AliveAt, Allocations, DomainTotals, Dropped, Moment, RecordedSite, ThreadTotals, domain_named};
use crate::heap::saved::{self, Make, Record, Recorded, Seals, TableError};
use crate::sampling::births::{Call, Confidence, Site, Source};
use crate::sampling::call_rows::{CallRow, CallRows, call, fields, stack};

const CALLS: &str = "recorded_calls.parquet";
const SITES: &str = "recorded_sites.parquet";
const TOTALS: &str = "recorded_totals.parquet";
const TIMELINE: &str = "recorded_timeline.parquet";
const FILES: &str = "recorded_files.parquet";
pub const TABLES: [&str; 5] = [CALLS, SITES, TOTALS, TIMELINE, FILES];

/// What a recording says besides its tables. Sizes are bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingFacts {
    sample_bytes: u64,
    peak_bytes: u64,
    peak_lag: u64,
    alive_at: AliveAt,
    dropped: Dropped,
    has_stacks: bool,
    other_processes: u64,
    /// Those of them that are known one by one.
    others: Vec<OtherFacts>,
    /// Whether it is known what came since the first snapshot.
    has_grown: bool,
}

/// Another process that recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OtherFacts {
    pid: u32,
    python: String,
    executable: String,
    command: Vec<String>,
    started: f64,
    requested_bytes: u64,
    allocated_bytes: u64,
    allocated_blocks: u64,
    freed_bytes: u64,
    freed_blocks: u64,
    peak_bytes: u64,
}

impl RecordingFacts {
    pub fn of(allocations: &Allocations) -> RecordingFacts {
        RecordingFacts {
            sample_bytes: allocations.sample_bytes,
            peak_bytes: allocations.peak_bytes,
            peak_lag: allocations.peak_lag,
            alive_at: allocations.alive_at,
            dropped: allocations.dropped,
            has_stacks: allocations.has_stacks,
            other_processes: allocations.others.count,
            others: allocations.others.listed.iter().map(OtherFacts::of).collect(),
            has_grown: allocations.grown.is_some(),
        }
    }
}

impl OtherFacts {
    fn of(other: &OtherProcess) -> OtherFacts {
        let OtherProcess {
            process,
            totals,
            peak_bytes,
        } = other;
        OtherFacts {
            pid: process.pid,
            python: process.python.clone(),
            executable: process.executable.clone(),
            command: process.command.clone(),
            started: process.started,
            requested_bytes: totals.requested,
            allocated_bytes: totals.allocated,
            allocated_blocks: totals.blocks,
            freed_bytes: totals.freed,
            freed_blocks: totals.freed_blocks,
            peak_bytes: *peak_bytes,
        }
    }

    fn process(&self) -> OtherProcess {
        OtherProcess {
            process: RecordedProcess {
                pid: self.pid,
                python: self.python.clone(),
                executable: self.executable.clone(),
                command: self.command.clone(),
                started: self.started,
            },
            totals: Totals {
                requested: self.requested_bytes,
                allocated: self.allocated_bytes,
                blocks: self.allocated_blocks,
                freed: self.freed_bytes,
                freed_blocks: self.freed_blocks,
            },
            peak_bytes: self.peak_bytes,
        }
    }
}

/// Writes the tables, and notes what they are.
pub fn save(make: &Make, allocations: &Allocations, seals: &mut Seals) -> Result<(), TableError> {
    let mut calls = CallRows::default();
    let mut sites = Vec::new();
    for moment in Moment::ALL {
        for recorded in allocations.sites(moment).into_iter().flatten() {
            sites.extend(SiteRow::of(moment, recorded, &mut calls));
        }
    }
    saved::save_records(make, CALLS, &calls.into_rows(), seals)?;
    saved::save_records(make, SITES, &sites, seals)?;
    saved::save_records(make, TOTALS, &total_rows(allocations), seals)?;
    saved::save_records(make, TIMELINE, &timeline::rows(&allocations.history), seals)?;
    saved::save_records(make, FILES, &sources::rows(&allocations.sources), seals)
}

/// Reads what `save` wrote.
pub fn load(folder: &Path, facts: &RecordingFacts) -> Result<Allocations, TableError> {
    let calls: Vec<CallRow> = saved::load_records(folder, CALLS)?;
    let mut allocations = Allocations {
        sample_bytes: facts.sample_bytes,
        peak_bytes: facts.peak_bytes,
        peak_lag: facts.peak_lag,
        alive_at: facts.alive_at,
        dropped: facts.dropped,
        has_stacks: facts.has_stacks,
        others: OtherProcesses {
            listed: facts.others.iter().map(OtherFacts::process).collect(),
            count: facts.other_processes,
            totals: Totals::default(),
        },
        grown: facts.has_grown.then(Vec::new),
        sources: sources::sources(saved::load_records(folder, FILES)?),
        ..Allocations::default()
    };
    for row in saved::load_records::<SiteRow>(folder, SITES)? {
        let recorded = row.recorded(&calls).ok_or_else(|| TableError::senseless(SITES))?;
        match row.moment {
            Moment::Alive => allocations.alive.push(recorded),
            Moment::Peak => allocations.at_peak.push(recorded),
            Moment::Allocated => allocations.allocated.push(recorded),
            Moment::Grown => allocations.grown.get_or_insert_default().push(recorded),
        }
    }
    for row in saved::load_records::<TotalsRow>(folder, TOTALS)? {
        row.put_into(&mut allocations)
            .ok_or_else(|| TableError::senseless(TOTALS))?;
    }
    let timeline = saved::load_records(folder, TIMELINE)?;
    allocations.history = timeline::readings(timeline).ok_or_else(|| TableError::senseless(TIMELINE))?;
    Ok(allocations)
}

/// What the samples of one stack, domain and moment stand for.
struct SiteRow {
    moment: Moment,
    domain: Option<&'static str>,
    /// The row of the innermost call.
    call: u64,
    /// What stands in that row, or in that of the call of Python around it: for those who read the table.
    place: Call,
    count: u64,
    bytes: u64,
    error_bytes: u64,
}

impl SiteRow {
    fn of(moment: Moment, recorded: &RecordedSite, calls: &mut CallRows) -> Option<SiteRow> {
        Some(SiteRow {
            moment,
            domain: recorded.domain,
            call: calls.innermost(&recorded.site.stack)?,
            place: recorded.place()?.clone(),
            count: recorded.site.count,
            bytes: recorded.site.bytes,
            error_bytes: recorded.error_bytes,
        })
    }

    fn recorded(&self, calls: &[CallRow]) -> Option<RecordedSite> {
        Some(RecordedSite {
            site: Site {
                stack: stack(calls, self.call)?,
                source: Source::Recorded,
                confidence: Confidence::Certain,
                count: self.count,
                bytes: self.bytes,
                types: Vec::new(),
            },
            domain: self.domain,
            error_bytes: self.error_bytes,
        })
    }
}

impl Recorded for SiteRow {
    const TEXTS: &'static [&'static str] = &["function", "file", "moment", "domain"];
    const NUMBERS: &'static [&'static str] = &["line", "call", "count", "bytes", "error_bytes"];

    fn to_record(&self) -> Record {
        let (mut texts, line) = fields(&self.place);
        texts.extend([Some(self.moment.word().into()), self.domain.map(Into::into)]);
        let figures = [self.call, self.count, self.bytes, self.error_bytes];
        Record {
            texts,
            numbers: [line].into_iter().chain(figures.map(Some)).collect(),
        }
    }

    fn from_record(record: &Record) -> Option<SiteRow> {
        let ([function, file, moment, domain], [line, call_row, count, bytes, error_bytes]) =
            (record.texts.as_slice(), record.numbers.as_slice())
        else {
            return None;
        };
        Some(SiteRow {
            moment: Moment::ALL
                .into_iter()
                .find(|each| Some(each.word()) == moment.as_deref())?,
            domain: domain_of(domain.as_deref())?,
            call: (*call_row)?,
            place: call(function, file, *line)?,
            count: (*count)?,
            bytes: (*bytes)?,
            error_bytes: (*error_bytes)?,
        })
    }
}

/// Whose totals a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Program,
    Thread,
    OtherProcesses,
}

impl Whose {
    const ALL: [Whose; 3] = [Whose::Program, Whose::Thread, Whose::OtherProcesses];

    fn word(self) -> &'static str {
        match self {
            Whose::Program => "program",
            Whose::Thread => "thread",
            Whose::OtherProcesses => "other processes",
        }
    }
}

/// What was given out and taken back of one kind.
struct TotalsRow {
    whose: Whose,
    /// Not known of other processes.
    domain: Option<&'static str>,
    /// Which of the threads, from 0 on.
    number: Option<u64>,
    /// The system's number of that thread, while it ran.
    thread: Option<u64>,
    totals: Totals,
}

fn total_rows(allocations: &Allocations) -> Vec<TotalsRow> {
    let row = |whose, number, thread, domain: &DomainTotals| TotalsRow {
        whose,
        domain: Some(domain.domain),
        number,
        thread,
        totals: domain.totals,
    };
    let of_program = allocations.totals.iter();
    let mut rows: Vec<TotalsRow> = of_program
        .map(|domain| row(Whose::Program, None, None, domain))
        .collect();
    for (number, thread) in (0..).zip(&allocations.threads) {
        let of_thread = thread.totals.iter();
        rows.extend(of_thread.map(|domain| row(Whose::Thread, Some(number), thread.thread, domain)));
    }
    rows.push(TotalsRow {
        whose: Whose::OtherProcesses,
        domain: None,
        number: None,
        thread: None,
        totals: allocations.others.totals,
    });
    rows
}

impl TotalsRow {
    /// `None` when the row makes no sense.
    fn put_into(self, allocations: &mut Allocations) -> Option<()> {
        let of_domain = self.domain.map(|domain| DomainTotals {
            domain,
            totals: self.totals,
        });
        match (self.whose, of_domain) {
            (Whose::OtherProcesses, None) => allocations.others.totals = self.totals,
            (Whose::Program, Some(totals)) => allocations.totals.push(totals),
            (Whose::Thread, Some(totals)) => {
                let number = usize::try_from(self.number?).ok()?;
                if number == allocations.threads.len() {
                    allocations.threads.push(ThreadTotals {
                        thread: self.thread,
                        totals: Vec::new(),
                    });
                }
                allocations.threads.get_mut(number)?.totals.push(totals);
            }
            _ => return None,
        }
        Some(())
    }
}

impl Recorded for TotalsRow {
    const TEXTS: &'static [&'static str] = &["whose", "domain"];
    const NUMBERS: &'static [&'static str] = &[
        "number",
        "thread",
        "requested_bytes",
        "allocated_bytes",
        "allocated_blocks",
        "freed_bytes",
        "freed_blocks",
    ];

    fn to_record(&self) -> Record {
        let totals = &self.totals;
        let figures = [
            totals.requested,
            totals.allocated,
            totals.blocks,
            totals.freed,
            totals.freed_blocks,
        ];
        let of_thread = [self.number, self.thread];
        Record {
            texts: vec![Some(self.whose.word().into()), self.domain.map(Into::into)],
            numbers: of_thread.into_iter().chain(figures.map(Some)).collect(),
        }
    }

    fn from_record(record: &Record) -> Option<TotalsRow> {
        let ([whose, domain], [number, thread, requested, allocated, blocks, freed, freed_blocks]) =
            (record.texts.as_slice(), record.numbers.as_slice())
        else {
            return None;
        };
        Some(TotalsRow {
            whose: Whose::ALL
                .into_iter()
                .find(|each| Some(each.word()) == whose.as_deref())?,
            domain: domain_of(domain.as_deref())?,
            number: *number,
            thread: *thread,
            totals: Totals {
                requested: (*requested)?,
                allocated: (*allocated)?,
                blocks: (*blocks)?,
                freed: (*freed)?,
                freed_blocks: (*freed_blocks)?,
            },
        })
    }
}

/// The domain of a row, which may have none; `None` for a word that is none.
fn domain_of(word: Option<&str>) -> Option<Option<&'static str>> {
    match word {
        None => Some(None),
        Some(word) => domain_named(word).map(Some),
    }
}
