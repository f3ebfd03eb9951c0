//! What a process has open: the entries of its `fd` folder.

use std::fs;
use std::io;

use super::process::Process;

/// No process has more descriptors than the kernel's own limit for one (`fs.nr_open`).
const MOST: usize = 1 << 20;

/// The numbers of its open descriptors, in order.
pub fn open_descriptors(process: &Process) -> io::Result<Vec<u32>> {
    let entries = fs::read_dir(process.entry("fd"))?.take(MOST);
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let mut numbers: Vec<u32> = entries.filter_map(|entry| number(entry.ok()?)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn what_is_open_is_listed_and_what_is_closed_is_not() {
        let ours = Process::new(std::process::id());
        let file = File::open("/dev/null").unwrap();
        // One that nothing else here is given meanwhile.
        let high = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(700)).unwrap();
        let open = open_descriptors(&ours).unwrap();
        assert!(
            open.contains(&(high as u32)) && open.contains(&(file.as_raw_fd() as u32)),
            "{open:?}"
        );
        assert!(open.is_sorted());
        nix::unistd::close(high).unwrap();
        assert!(!open_descriptors(&ours).unwrap().contains(&(high as u32)));
    }
}
