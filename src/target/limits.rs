//! How much memory a process may use: the least of its control groups' limits and the machine's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::target::process::{ProcRoot, Process};

/// The two generations of control groups; a system may have both.
struct Hierarchy {
    /// Where it is mounted, for us.
    mount: PathBuf,
    /// The group that stands at the mount point.
    root: PathBuf,
    /// The process's group.
    group: PathBuf,
    /// The file of a group that says its limit.
    limit_file: &'static str,
}

/// In bytes; `None` when nothing is known.
pub fn memory_limit(process: &Process) -> Option<u64> {
    let groups = hierarchies(process)
        .into_iter()
        .flat_map(|hierarchy| hierarchy.limits());
    groups.chain(machine(process.root())).min()
}

/// All memory of the machine.
fn machine(proc: &ProcRoot) -> Option<u64> {
    let text = fs::read_to_string(proc.path("meminfo")).ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1 << 10)
}

/// The hierarchies in which the process's memory is limited: lines `number:controllers:group` of its `cgroup` file.
fn hierarchies(process: &Process) -> Vec<Hierarchy> {
    let groups = fs::read_to_string(process.entry("cgroup")).unwrap_or_default();
    let mounts = fs::read_to_string(process.root().path("self/mountinfo")).unwrap_or_default();
    let hierarchy = |line: &str| {
        let (_, line) = line.split_once(':')?;
        let (controllers, group) = line.split_once(':')?;
        let (kind, option, limit_file) = match controllers {
            "" => ("cgroup2", None, "memory.max"),
            list if list.split(',').any(|name| name == "memory") => ("cgroup", Some("memory"), "memory.limit_in_bytes"),
            _ => return None,
        };
        let (mount, root) = mounts.lines().find_map(|line| mounted(line, kind, option))?;
        Some(Hierarchy {
            mount,
            root,
            group: PathBuf::from(group),
            limit_file,
        })
    };
    groups.lines().filter_map(hierarchy).collect()
}

/// The mount point and the root of a line of `mountinfo`, when it mounts that kind of file system with that option.
fn mounted(line: &str, kind: &str, option: Option<&str>) -> Option<(PathBuf, PathBuf)> {
    let (mount, system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, point) = (mount.next()?, mount.next()?);
    let mut system = system.split(' ');
    let same_kind = system.next() == Some(kind);
    let has_option = option.is_none_or(|option| system.nth(1).is_some_and(|list| list.split(',').any(|o| o == option)));
    (same_kind && has_option).then(|| (unescape(point), unescape(root)))
}

/// `mountinfo` writes spaces and the like as a backslash and three octal digits.
fn unescape(text: &str) -> PathBuf {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    PathBuf::from(
        escapes
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to)),
    )
}

impl Hierarchy {
    /// The limits of the group and of all above it; those above the mount point are not to be seen from here.
    fn limits(&self) -> Vec<u64> {
        let below = self.group.strip_prefix(&self.root).unwrap_or(Path::new(""));
        // A group outside of our view begins with `..` and leads nowhere.
        let visible = below
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        let below = if visible { below } else { Path::new("") };
        below
            .ancestors()
            .filter_map(|group| limit(&self.mount.join(group).join(self.limit_file)))
            .collect()
    }
}

/// Where nothing is set the file says `max`, or a number larger than any memory.
fn limit(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct System(tempfile::TempDir);

    impl System {
        fn new(cgroup: &str, mountinfo: &str) -> System {
            let system = System(tempfile::tempdir().unwrap());
            let base = system.0.path().display().to_string();
            system.write("proc/meminfo", "MemFree: 1 kB\nMemTotal:       1024 kB\n");
            system.write("proc/7/cgroup", cgroup);
            system.write("proc/self/mountinfo", &mountinfo.replace("BASE", &base));
            system
        }

        fn write(&self, entry: &str, text: &str) {
            let path = self.0.path().join(entry);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn limit(&self) -> Option<u64> {
            memory_limit(&Process::below(ProcRoot(self.0.path().join("proc")), 7))
        }
    }

    const VERSION_2: &str = "30 23 0:26 / BASE/cg rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    const VERSION_1: &str = "33 25 0:29 / BASE/cg/cpu rw - cgroup cgroup rw,cpu\n\
                             34 25 0:30 /docker BASE/cg/mem\\040ory rw - cgroup cgroup rw,memory\n";

    #[test]
    fn without_groups_the_machine_is_the_limit() {
        assert_eq!(System::new("0::/\n", VERSION_2).limit(), Some(1 << 20));
        assert_eq!(System::new("", "").limit(), Some(1 << 20));
    }

    #[test]
    fn the_tightest_group_above_the_process_counts() {
        let system = System::new("0::/shop/web\n", VERSION_2);
        system.write("cg/shop/web/memory.max", "max\n");
        system.write("cg/shop/memory.max", "65536\n");
        system.write("cg/other/memory.max", "1\n");
        assert_eq!(system.limit(), Some(65536));
        system.write("cg/shop/web/memory.max", "4096\n");
        assert_eq!(system.limit(), Some(4096));
    }

    #[test]
    fn the_first_generation_is_read_below_its_mounted_root() {
        let system = System::new("4:memory:/docker/abc\n3:cpu:/docker\n0::/docker/abc\n", VERSION_1);
        system.write("cg/mem ory/memory.limit_in_bytes", "9223372036854771712\n");
        system.write("cg/mem ory/abc/memory.limit_in_bytes", "131072\n");
        system.write("cg/cpu/docker/memory.limit_in_bytes", "1\n");
        assert_eq!(system.limit(), Some(131072));
    }

    #[test]
    fn a_group_outside_of_our_view_leaves_the_mount_point() {
        let system = System::new("0::/../../other\n", VERSION_2);
        system.write("cg/memory.max", "8192\n");
        assert_eq!(system.limit(), Some(8192));
    }
}
