//! Whether there is memory enough for a copy: what the program's control groups and the machine have left.
//!
//! A copy costs page tables at once, and a page for each that the program writes to while the copy is there. Where that
//! could reach a limit, the kernel would end some process of the group, so the copy is not tried.

use std::fs;
use std::path::{Path, PathBuf};

/// One control group's memory, or the machine's, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MemoryGroup {
    limit: u64,
    /// What is left of the limit, counting what the kernel can take back at once.
    left: u64,
}

/// What a copy may need beside its page tables, whatever the program does meanwhile.
const LEAST_MARGIN: u64 = 16 << 20;
/// The part of its memory that a program is expected to write to at most while it is read: one in this many bytes.
const WRITTEN_PART: u64 = 16;
/// Limits from here on mean that there is none (the kernel's is just below 2^63).
const NO_LIMIT: u64 = 1 << 60;

/// Why there should be no copy of the process, if that is so.
pub fn shortage(pid: u32) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let page_tables = kilobytes(&status, "VmPTE:").unwrap_or(0);
    let private = kilobytes(&status, "RssAnon:").unwrap_or(0);
    let needed = page_tables + LEAST_MARGIN + private / WRITTEN_PART;
    let tightest = memory_groups(pid).into_iter().min_by_key(|group| group.left)?;
    (tightest.left < needed).then(|| {
        let mebibytes = |bytes: u64| bytes >> 20;
        format!(
            "a copy may need {} MiB, its memory limit leaves {}",
            mebibytes(needed),
            mebibytes(tightest.left)
        )
    })
}

/// The limits that apply to the process: those of its control groups, inner and outer, and the machine's.
fn memory_groups(pid: u32) -> Vec<MemoryGroup> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| machine(&text));
    let own = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let folders = group_folders(&own, &mounts);
    machine
        .into_iter()
        .chain(folders.iter().filter_map(|folder| memory_group(folder)))
        .collect()
}

fn machine(meminfo: &str) -> Option<MemoryGroup> {
    let left = kilobytes(meminfo, "MemAvailable:")? + kilobytes(meminfo, "SwapFree:").unwrap_or(0);
    Some(MemoryGroup {
        limit: kilobytes(meminfo, "MemTotal:")?,
        left,
    })
}

/// The value of a line such as `VmPTE:     120 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}

/// The folders of the control groups, from the process's own outwards.
fn group_folders(own: &str, mounts: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in own.lines() {
        // `4:memory:/path` in version 1, `0::/path` in version 2.
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let is_version_1 = controllers.split(',').any(|controller| controller == "memory");
        if !is_version_1 && !controllers.is_empty() {
            continue;
        }
        let Some((root, mount)) = mounts.lines().find_map(|line| group_mount(line, is_version_1)) else {
            continue;
        };
        let Ok(below) = Path::new(path).strip_prefix(&root) else {
            continue;
        };
        let innermost = mount.join(below);
        folders.extend(
            innermost
                .ancestors()
                .take_while(|folder| folder.starts_with(&mount))
                .map(Path::to_owned),
        );
    }
    folders
}

/// The root and the mount point of a line of `mountinfo`, if memory groups of that version are mounted there.
fn group_mount(line: &str, is_version_1: bool) -> Option<(PathBuf, PathBuf)> {
    let (place, kind) = line.split_once(" - ")?;
    let mut kind = kind.split(' ');
    let (file_system, options) = (kind.next()?, kind.nth(1)?);
    let fits = match is_version_1 {
        true => file_system == "cgroup" && options.split(',').any(|option| option == "memory"),
        false => file_system == "cgroup2",
    };
    let mut place = place.split(' ').skip(3);
    fits.then_some((place.next()?.into(), place.next()?.into()))
}

fn memory_group(folder: &Path) -> Option<MemoryGroup> {
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let limit = number("memory.max")
        .or_else(|| number("memory.limit_in_bytes"))
        .filter(|&limit| limit < NO_LIMIT)?;
    let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"))?;
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let reclaimable = ["total_inactive_file ", "inactive_file "].iter().find_map(|name| {
        statistics
            .lines()
            .find_map(|line| line.strip_prefix(name)?.parse::<u64>().ok())
    });
    let left = limit.saturating_sub(used.saturating_sub(reclaimable.unwrap_or(0)));
    Some(MemoryGroup { limit, left })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

    #[test]
    fn finds_the_folders_of_both_versions_from_the_inside_out() {
        let folders = group_folders("4:cpu,memory:/a/b\n3:cpuset:/a\n0::/c\n", MOUNTS);
        let expected = ["memory/a/b", "memory/a", "memory", "unified/c", "unified"];
        assert_eq!(folders, expected.map(|folder| Path::new("/sys/fs/cgroup").join(folder)));
    }

    #[test]
    fn a_group_outside_of_what_is_mounted_is_passed_over() {
        let mounts = "35 31 0:32 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(
            group_folders("0::/docker/1/x\n", mounts).first(),
            Some(&PathBuf::from("/sys/fs/cgroup/x"))
        );
        assert!(group_folders("0::/../other\n", mounts).is_empty());
    }

    #[test]
    fn reads_what_a_group_has_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("memory.max", "max\n");
        write("memory.current", "700\n");
        write("memory.stat", "anon 5\ninactive_file 100\n");
        assert_eq!(memory_group(folder.path()), None, "no limit");
        write("memory.max", "1000\n");
        assert_eq!(
            memory_group(folder.path()),
            Some(MemoryGroup { limit: 1000, left: 400 })
        );
    }

    #[test]
    fn the_machine_has_a_limit_too() {
        let text = "MemTotal:   1000 kB\nMemFree:  1 kB\nMemAvailable:   600 kB\nSwapFree:  10 kB\n";
        assert_eq!(
            machine(text),
            Some(MemoryGroup {
                limit: 1000 << 10,
                left: 610 << 10
            })
        );
        assert!(!memory_groups(std::process::id()).is_empty());
    }
}
