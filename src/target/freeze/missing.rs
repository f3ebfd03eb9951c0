//! What a copy of a process lacks: regions that are not inherited (`MADV_DONTFORK`), or empty (`MADV_WIPEONFORK`), and
//! shared ones, which go on changing.

use std::fs;

use proc_maps::MapRange;

use crate::target::maps::is_recording;

/// Less than this is not worth a word.
const WORTH_SAYING: u64 = 1 << 20;

/// One sentence for each kind of memory in which the copy differs from the program as it was frozen.
///
/// Looks at the flags of all regions, which costs much time for much memory, only when the copy lacks any.
pub fn what_the_copy_lacks(pid: u32, copy: u32) -> Vec<String> {
    let maps = |pid: u32| proc_maps::get_process_maps(pid as proc_maps::Pid);
    let (Ok(copied), Ok(own)) = (maps(copy), maps(pid)) else {
        return Vec::new();
    };
    let uncopied = || fs::read_to_string(format!("/proc/{pid}/smaps")).map_or(0, |smaps| bytes_not_inherited(&smaps));
    let not_inherited = if bytes_beyond(&own, &copied) >= WORTH_SAYING {
        uncopied()
    } else {
        0
    };
    let (shared, regions) = shared_bytes(&copied);
    let mut warnings = Vec::new();
    if not_inherited >= WORTH_SAYING {
        warnings.push(format!(
            "{} MiB are not in the frozen copy: the program keeps them from forks",
            not_inherited >> 20
        ));
    }
    if shared >= WORTH_SAYING {
        let shared = shared >> 20;
        warnings.push(format!(
            "{shared} MiB in {regions} shared mappings are not frozen: they were read as they changed"
        ));
    }
    warnings
}

/// The bytes of `own` that lie in no region of `copied`. Both are in the order of their addresses.
fn bytes_beyond(own: &[MapRange], copied: &[MapRange]) -> u64 {
    let mut copied = copied
        .iter()
        .map(|region| {
            (
                region.start() as u64,
                region.start().saturating_add(region.size()) as u64,
            )
        })
        .peekable();
    let mut beyond = 0;
    for region in own.iter().filter(|region| region.is_read() || region.is_write()) {
        let (mut at, end) = (
            region.start() as u64,
            region.start().saturating_add(region.size()) as u64,
        );
        while at < end {
            match copied.peek() {
                Some(&(_, to)) if to <= at => drop(copied.next()),
                Some(&(from, to)) => {
                    beyond += from.clamp(at, end) - at;
                    at = to.min(end);
                }
                None => {
                    beyond += end - at;
                    at = end;
                }
            }
        }
    }
    beyond
}

/// The bytes of regions that a fork leaves out (`dc`) or empties (`wf`), by the flags in `smaps`.
fn bytes_not_inherited(smaps: &str) -> u64 {
    let mut size = 0;
    let mut bytes = 0;
    for line in smaps.lines() {
        if let Some(value) = line.strip_prefix("Size:") {
            size = value.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) << 10;
        } else if let Some(flags) = line.strip_prefix("VmFlags:")
            && flags.split(' ').any(|flag| flag == "dc" || flag == "wf")
        {
            bytes += size;
        }
    }
    bytes
}

/// The bytes of writable shared regions, and how many these are.
fn shared_bytes(maps: &[MapRange]) -> (u64, usize) {
    let is_ours = |region: &&MapRange| region.filename().is_some_and(is_recording);
    let shared = maps
        .iter()
        .filter(|region| region.is_write() && region.flags.ends_with('s') && !is_ours(region));
    shared.fold((0, 0), |(bytes, regions), region| {
        (bytes + region.size() as u64, regions + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up_what_is_kept_from_forks() {
        let smaps = "7f00-7f10 rw-p 0 00:00 0\nSize:      2048 kB\nVmFlags: rd wr mr mw me dc ac\n\
                     8f00-8f10 rw-p 0 00:00 0\nSize:         4 kB\nVmFlags: rd wr mr mw me\n\
                     9f00-9f10 rw-p 0 00:00 0\nSize:         8 kB\nVmFlags: rd wr wf\n";
        assert_eq!(bytes_not_inherited(smaps), (2048 + 8) << 10);
    }

    #[test]
    fn a_process_has_nothing_that_it_has_not_itself() {
        let maps = proc_maps::get_process_maps(std::process::id() as proc_maps::Pid).expect("our own maps");
        assert_eq!(bytes_beyond(&maps, &maps), 0);
        let whole: u64 = maps
            .iter()
            .filter(|r| r.is_read() || r.is_write())
            .map(|region| region.size() as u64)
            .sum();
        assert_eq!(bytes_beyond(&maps, &[]), whole);
    }
}
