//! A program under `run` that the kernel kills, since its group may have no more memory, has lost nothing of its recording.

mod interpreters;
mod profiler;
#[path = "run/running.rs"]
mod running;

use std::fs;
use std::path::{Path, PathBuf};

use interpreters::for_each_interpreter;
use running::Running;

/// Much more than a Python needs, and much less than the program asks for.
const LIMIT: u64 = 96 << 20;
const BLOCK: usize = 1_000_000;

/// A group of processes with a limit of memory, within that of this process.
struct Limited(PathBuf);

impl Limited {
    /// `Err` says why there can be none.
    fn make() -> Result<Limited, String> {
        let own = own_group()?;
        let group = Limited(own.join(format!("pymemscope-test-{}", std::process::id())));
        let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir(&group.0).map_err(|error| failed(&group.0, error))?;
        let limit = ["memory.max", "memory.limit_in_bytes"].map(|name| group.0.join(name));
        let limit = limit.iter().find(|path| path.exists());
        let limit = limit.ok_or(format!("{} has no limit of memory", group.0.display()))?;
        fs::write(limit, LIMIT.to_string()).map_err(|error| failed(limit, error))?;
        // Where these are missing there is nothing to swap to, or nobody counts it.
        for (name, most) in [("memory.swap.max", 0), ("memory.memsw.limit_in_bytes", LIMIT)] {
            let path = group.0.join(name);
            if path.exists() {
                fs::write(&path, most.to_string()).map_err(|error| failed(&path, error))?;
            }
        }
        Ok(group)
    }
}

impl Drop for Limited {
    /// Its only process has ended.
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Where the group of this process stands that has to do with memory.
fn own_group() -> Result<PathBuf, String> {
    let groups = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
    let mounts = [("memory", "/sys/fs/cgroup/memory"), ("", "/sys/fs/cgroup")];
    let found = mounts.iter().find_map(|(controller, mount)| {
        let path = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let is_it = parts.next()?.split(',').any(|each| each == *controller);
            parts.next().filter(|_| is_it)
        })?;
        let path = Path::new(mount).join(path.trim_start_matches('/'));
        path.join("cgroup.procs").exists().then_some(path)
    });
    found.ok_or("there are no groups of processes at /sys/fs/cgroup".to_owned())
}

/// Enters the group, and says of each block that it is there. What is said was recorded before.
const GROWING: &str = "
import os
with open('GROUP/cgroup.procs', 'w') as group:
    group.write(str(os.getpid()))
KEPT = []
def keep():
    return b'x' * BLOCK
for number in range(1, 1001):
    KEPT.append(keep())
    os.write(1, b'%d\\n' % number)
";

#[test]
fn what_the_kernel_kills_for_lack_of_memory_has_lost_nothing() {
    let group = match Limited::make() {
        Ok(group) => group,
        Err(why) => {
            eprintln!("not tested: no group with a limit of memory can be made here ({why})");
            return;
        }
    };
    let program = GROWING
        .replace("GROUP", group.0.to_str().unwrap())
        .replace("BLOCK", &BLOCK.to_string());
    for_each_interpreter(|python| {
        let outcome = Running::python(python, &["-d", "0", "--every"], &program).end();
        assert_eq!(outcome.code, Some(128 + 9), "{}", outcome.err);
        let said = outcome.out.lines().filter_map(|line| line.parse::<u64>().ok()).max();
        let said = said.expect("no block was had");
        let sites = outcome.report()["recording"]["alive"].as_array().unwrap();
        let of_keep = sites.iter().filter(|site| {
            let calls = site["stack"].as_array().unwrap();
            calls.last().is_some_and(|call| call["function"] == "keep")
        });
        let blocks: u64 = of_keep.map(|site| site["count"].as_u64().unwrap()).sum();
        // The last one may have been given out, and its bytes not have been written.
        assert!((said..=said + 1).contains(&blocks), "{blocks} of {said}");
        // What the program had before it entered does not count.
        assert!((20..1000).contains(&said), "{said}");
    });
}
