//! What a process has open, and does not wait for: the entries of its `fd` and `fdinfo` folders.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use super::process::Process;

/// No process has more descriptors than the kernel's own limit for one (`fs.nr_open`).
const MOST: usize = 1 << 20;

/// The target of the link in `fd` for an epoll instance (fs/eventpoll.c).
const EPOLL: &str = "anon_inode:[eventpoll]";

/// The numbers of its open descriptors that no epoll instance of its own waits for, in order. What a program waits for is in
/// use.
pub fn idle_descriptors(process: &Process) -> io::Result<Vec<u32>> {
    let folder = process.entry("fd");
    let entries = fs::read_dir(&folder)?.take(MOST);
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let mut numbers: Vec<u32> = entries.filter_map(|entry| number(entry.ok()?)).collect();
    numbers.sort_unstable();
    let is_epoll =
        |number: &&u32| fs::read_link(folder.join(number.to_string())).is_ok_and(|to| to == Path::new(EPOLL));
    let mut waited_for = HashSet::new();
    for epoll in numbers.iter().filter(is_epoll) {
        let told = fs::read_to_string(process.entry("fdinfo").join(epoll.to_string()));
        waited_for.extend(told.unwrap_or_default().lines().filter_map(watched));
    }
    numbers.retain(|number| !waited_for.contains(number));
    Ok(numbers)
}

/// The descriptor that a line of an epoll instance's `fdinfo` is about: `tfd:       12 events: …` (proc(5)).
fn watched(line: &str) -> Option<u32> {
    line.strip_prefix("tfd:")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

    use super::*;

    #[test]
    fn what_is_open_is_listed_and_what_is_closed_is_not() {
        let ours = Process::new(std::process::id());
        let file = File::open("/dev/null").unwrap();
        // One that nothing else here is given meanwhile.
        let high = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(700)).unwrap();
        let open = idle_descriptors(&ours).unwrap();
        assert!(
            open.contains(&(high as u32)) && open.contains(&(file.as_raw_fd() as u32)),
            "{open:?}"
        );
        assert!(open.is_sorted());
        let epoll = Epoll::new(EpollCreateFlags::empty()).unwrap();
        let (end, _other) = UnixStream::pair().unwrap();
        let is_listed = || idle_descriptors(&ours).unwrap().contains(&(end.as_raw_fd() as u32));
        assert!(is_listed());
        epoll.add(&end, EpollEvent::new(EpollFlags::EPOLLIN, 0)).unwrap();
        assert!(!is_listed());
        nix::unistd::close(high).unwrap();
        assert!(!idle_descriptors(&ours).unwrap().contains(&(high as u32)));
    }
}
