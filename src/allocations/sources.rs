//! The source of what was recorded: what each file was when the recording was read, so that no other text is shown later.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use super::recorded::{Allocations, Moment};
use crate::heap::saved::Seal;

/// Longer files are no source.
const LONGEST: u64 = 16 << 20;
/// More files are not told apart from changed ones.
const MOST_FILES: usize = 1 << 16;

/// What the files of a recording were, by name. One that is not among them was no file, or could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    pub(super) stamps: BTreeMap<Rc<str>, Stamp>,
}

/// A file as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    Whole(Seal),
    /// It was written to while the program ran, which may have loaded it before.
    Changed,
}

impl Sources {
    /// Those of all calls that are known, of a program that began at `started`, in seconds since 1970.
    pub fn of(allocations: &Allocations, started: f64) -> Sources {
        let sites = Moment::ALL.into_iter().filter_map(|moment| allocations.sites(moment));
        let calls = sites.flatten().flat_map(|site| site.site.stack.iter());
        let mut stamps = BTreeMap::new();
        for call in calls {
            if stamps.len() == MOST_FILES {
                break;
            }
            if !stamps.contains_key(&call.file) {
                stamps.insert(Rc::clone(&call.file), Stamp::of(&call.file, started));
            }
        }
        let known = stamps.into_iter().filter_map(|(file, stamp)| Some((file, stamp?)));
        Sources {
            stamps: known.collect(),
        }
    }

    /// The lines of a file, if it is the one that ran; or why there are none.
    pub fn lines(&self, file: &str) -> Result<Vec<String>, String> {
        let missing = |cause: &str| format!("there is no source at {file}: {cause}");
        let bytes = read(file).map_err(|cause| missing(&cause))?;
        match self.stamps.get(file) {
            Some(Stamp::Whole(seal)) if *seal == Seal::of_bytes(&bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                Ok(text.lines().map(str::to_owned).collect())
            }
            Some(Stamp::Whole(_)) => Err(missing("it is another text than when the program was recorded")),
            Some(Stamp::Changed) => Err(missing(
                "it was changed after the program had started, and may be another text than what ran",
            )),
            None => Err(missing("what the program ran under that name was not read then")),
        }
    }
}

impl Stamp {
    fn of(file: &str, started: f64) -> Option<Stamp> {
        let is_later = modified(&fs::metadata(file).ok()?).is_some_and(|modified| modified > started);
        match is_later {
            true => Some(Stamp::Changed),
            false => read(file).ok().map(|bytes| Stamp::Whole(Seal::of_bytes(&bytes))),
        }
    }
}

/// When a file was written to last, in seconds since 1970.
fn modified(metadata: &Metadata) -> Option<f64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs_f64())
}

/// The bytes of a file that can be source, or why there are none.
fn read(file: &str) -> Result<Vec<u8>, String> {
    let metadata = fs::metadata(file).map_err(|cause| cause.to_string())?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err("it is no file of source".to_owned());
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|cause| cause.to_string())?;
    let read = opened.take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|cause| cause.to_string())?;
    Ok(bytes)
}
