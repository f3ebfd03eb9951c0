//! `calls.parquet`, `sites.parquet` and `site_types.parquet` of a saved capture: where the objects of its heap were made. A
//! folder has them when anybody saw it.

use std::path::Path;
use std::rc::Rc;

use crate::heap::saved::{self, Make, Record, Recorded, Seals, TableError};
use crate::sampling::births::{Births, Call, Confidence, Share, Site, Source, Unseen, Why};
use crate::sampling::call_rows::{CallRow, CallRows, call, fields, stack};

const CALLS: &str = "calls.parquet";
const SITES: &str = "sites.parquet";
const SITE_TYPES: &str = "site_types.parquet";
pub const TABLES: [&str; 3] = [CALLS, SITES, SITE_TYPES];

/// Writes the tables, and notes what they are.
pub fn save(make: &Make, births: &Births, seals: &mut Seals) -> Result<(), TableError> {
    let rows = Rows::of(births);
    saved::save_records(make, CALLS, &rows.calls, seals)?;
    saved::save_records(make, SITES, &rows.sites, seals)?;
    saved::save_records(make, SITE_TYPES, &rows.types, seals)
}

/// Reads what `save` wrote.
pub fn load(folder: &Path) -> Result<Births, TableError> {
    let rows = Rows {
        calls: saved::load_records(folder, CALLS)?,
        sites: saved::load_records(folder, SITES)?,
        types: saved::load_records(folder, SITE_TYPES)?,
    };
    rows.into_births().ok_or_else(|| TableError::senseless(SITES))
}

#[derive(Default)]
struct Rows {
    calls: Vec<CallRow>,
    sites: Vec<SiteRow>,
    types: Vec<TypeRow>,
}

struct SiteRow {
    /// The row of the innermost call.
    call: u64,
    /// What stands in that row, or in that of the call of Python around it: for those who read the table.
    place: Call,
    source: Source,
    confidence: Confidence,
    count: u64,
    bytes: u64,
}

/// The objects of one type, of a site by its row or of what nobody saw.
struct TypeRow {
    site: Option<u64>,
    why: Option<Why>,
    share: Share,
}

impl Rows {
    fn of(births: &Births) -> Rows {
        let mut rows = Rows::default();
        let mut calls = CallRows::default();
        for site in &births.sites {
            let (Some(call), Some(place)) = (calls.innermost(&site.stack), site.place()) else {
                continue;
            };
            let number = rows.sites.len() as u64;
            rows.types
                .extend(site.types.iter().map(|share| TypeRow::of(Some(number), None, share)));
            rows.sites.push(SiteRow {
                call,
                place: place.clone(),
                source: site.source,
                confidence: site.confidence,
                count: site.count,
                bytes: site.bytes,
            });
        }
        for unseen in &births.unseen {
            let of_part = |share| TypeRow::of(None, Some(unseen.why), share);
            rows.types.extend(unseen.types.iter().map(of_part));
        }
        rows.calls = calls.into_rows();
        rows
    }

    /// `None` when the rows do not fit together.
    fn into_births(self) -> Option<Births> {
        let sites = self.sites.iter().map(|site| {
            Some(Site {
                stack: stack(&self.calls, site.call)?,
                source: site.source,
                confidence: site.confidence,
                count: site.count,
                bytes: site.bytes,
                types: Vec::new(),
            })
        });
        let mut births = Births {
            sites: sites.collect::<Option<_>>()?,
            unseen: Vec::new(),
        };
        for TypeRow { site, why, share } in self.types {
            let types = match (site, why) {
                (Some(site), None) => &mut births.sites.get_mut(usize::try_from(site).ok()?)?.types,
                (None, Some(why)) => part(&mut births.unseen, why),
                _ => return None,
            };
            types.push(share);
        }
        Some(births)
    }
}

/// The types of what has no site for this reason.
fn part(unseen: &mut Vec<Unseen>, why: Why) -> &mut Vec<Share> {
    let place = unseen.iter().position(|part| part.why == why).unwrap_or_else(|| {
        unseen.push(Unseen { why, types: Vec::new() });
        unseen.len() - 1
    });
    &mut unseen[place].types
}

impl TypeRow {
    fn of(site: Option<u64>, why: Option<Why>, share: &Share) -> TypeRow {
        let share = share.clone();
        TypeRow { site, why, share }
    }
}

impl Recorded for SiteRow {
    const TEXTS: &'static [&'static str] = &["function", "file", "source", "confidence"];
    const NUMBERS: &'static [&'static str] = &["line", "call", "count", "bytes"];

    fn to_record(&self) -> Record {
        let (mut texts, line) = fields(&self.place);
        texts.extend([self.source.word(), self.confidence.word()].map(|word| Some(word.into())));
        Record {
            texts,
            numbers: vec![line, Some(self.call), Some(self.count), Some(self.bytes)],
        }
    }

    fn from_record(record: &Record) -> Option<SiteRow> {
        let ([function, file, source, confidence], [line, call_row, count, bytes]) =
            (record.texts.as_slice(), record.numbers.as_slice())
        else {
            return None;
        };
        Some(SiteRow {
            call: (*call_row)?,
            place: call(function, file, *line)?,
            source: Source::ALL
                .into_iter()
                .find(|each| Some(each.word()) == source.as_deref())?,
            confidence: Confidence::ALL
                .into_iter()
                .find(|each| Some(each.word()) == confidence.as_deref())?,
            count: (*count)?,
            bytes: (*bytes)?,
        })
    }
}

impl Recorded for TypeRow {
    const TEXTS: &'static [&'static str] = &["type", "unseen"];
    const NUMBERS: &'static [&'static str] = &["site", "count", "bytes", "grown_count", "grown_bytes"];

    fn to_record(&self) -> Record {
        let share = &self.share;
        let figures = [share.count, share.bytes, share.grown_count, share.grown_bytes];
        Record {
            texts: vec![
                Some(Rc::clone(&share.type_name)),
                self.why.map(|why| why.label().into()),
            ],
            numbers: [self.site].into_iter().chain(figures.map(Some)).collect(),
        }
    }

    fn from_record(record: &Record) -> Option<TypeRow> {
        let ([type_name, why], [site, count, bytes, grown_count, grown_bytes]) =
            (record.texts.as_slice(), record.numbers.as_slice())
        else {
            return None;
        };
        let why = match why.as_deref() {
            None => None,
            word => Some(Why::ALL.into_iter().find(|each| Some(each.label()) == word)?),
        };
        Some(TypeRow {
            site: *site,
            why,
            share: Share {
                type_name: type_name.clone()?,
                count: (*count)?,
                bytes: (*bytes)?,
                grown_count: (*grown_count)?,
                grown_bytes: (*grown_bytes)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let call = |name: &str, parent| CallRow {
            parent,
            call: Call {
                function: name.into(),
                file: "app.py".into(),
                line: None,
            },
        };
        let site = |row| SiteRow {
            call: row,
            place: call("", None).call,
            source: Source::Observed,
            confidence: Confidence::Likely,
            count: 1,
            bytes: 64,
        };
        let of_type = |site, why| TypeRow {
            site,
            why,
            share: Share {
                type_name: "builtins.dict".into(),
                count: 1,
                bytes: 64,
                grown_count: 0,
                grown_bytes: 0,
            },
        };
        Rows {
            calls: vec![call("main", None), call("f", Some(0)), call("g", Some(1))],
            sites: vec![site(2), site(1)],
            types: vec![
                of_type(Some(1), None),
                of_type(None, Some(Why::NotObserved)),
                of_type(None, Some(Why::NotObserved)),
            ],
        }
    }

    #[test]
    fn rows_become_stacks_and_types() {
        let births = rows().into_births().unwrap();
        let names = |site: &Site| {
            site.stack
                .iter()
                .map(|call| call.function.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&births.sites[0]), ["main", "f", "g"]);
        assert_eq!(names(&births.sites[1]), ["main", "f"]);
        assert_eq!(
            births.sites.iter().map(|site| site.types.len()).collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!((births.unseen.len(), births.unseen[0].types.len()), (1, 2));
    }

    #[test]
    fn rows_that_lead_nowhere_or_in_circles_are_refused() {
        let damages: [fn(&mut Rows); 6] = [
            |rows| rows.calls[1].parent = Some(1),
            |rows| rows.calls[0].parent = Some(2),
            |rows| rows.sites[0].call = 3,
            |rows| rows.types[0].site = Some(2),
            |rows| rows.types[0].why = Some(Why::BeforeAttach),
            |rows| rows.types[1].why = None,
        ];
        for (number, damage) in damages.into_iter().enumerate() {
            let mut rows = rows();
            damage(&mut rows);
            assert!(rows.into_births().is_none(), "{number}");
        }
    }
}
