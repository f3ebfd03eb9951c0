//! The time limits of sockets (`SO_RCVTIMEO`, `SO_SNDTIMEO`), seen and changed through a descriptor of our own.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::sockopt::{ReceiveTimeout, SendTimeout};
use nix::sys::socket::{getsockopt, setsockopt};
use nix::sys::time::{TimeVal, TimeValLike};

/// A socket that a thread waits for, and the limit of that wait.
#[derive(Debug)]
pub struct SocketLimit {
    socket: OwnedFd,
    direction: Direction,
    limit: TimeVal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Receive,
    Send,
}

impl SocketLimit {
    /// The limit of the call that works on `descriptor`; `None` if that is no socket, or has no limit, or this kernel
    /// does not let us at it (before 5.6).
    pub fn of(pid: u32, call: u64, descriptor: u64) -> Option<SocketLimit> {
        let direction = direction(call)?;
        let socket = same_file(pid, descriptor).ok()?;
        let limit = match direction {
            Direction::Receive => getsockopt(&socket, ReceiveTimeout),
            Direction::Send => getsockopt(&socket, SendTimeout),
        };
        let limit = limit.ok().filter(|limit| limit.num_microseconds() > 0)?;
        Some(SocketLimit {
            socket,
            direction,
            limit,
        })
    }

    pub fn duration(&self) -> Option<Duration> {
        u64::try_from(self.limit.num_microseconds())
            .ok()
            .map(Duration::from_micros)
    }

    /// Makes the limit shorter by `spent`; at least a microsecond is left, as none would mean without end.
    pub fn shorten(&self, spent: Duration) -> bool {
        let spent = i64::try_from(spent.as_micros()).unwrap_or(i64::MAX);
        let rest = self.limit.num_microseconds().saturating_sub(spent).max(1);
        self.set(&TimeVal::microseconds(rest)).is_ok()
    }

    pub fn put_back(&self) {
        let _ = self.set(&self.limit);
    }

    fn set(&self, limit: &TimeVal) -> Result<(), Errno> {
        match self.direction {
            Direction::Receive => setsockopt(&self.socket, ReceiveTimeout, limit),
            Direction::Send => setsockopt(&self.socket, SendTimeout, limit),
        }
    }
}

/// Which of a socket's limits holds for a call; `None` for calls that are never made on sockets.
fn direction(call: u64) -> Option<Direction> {
    match i64::try_from(call).ok()? {
        libc::SYS_read
        | libc::SYS_readv
        | libc::SYS_recvfrom
        | libc::SYS_recvmsg
        | libc::SYS_recvmmsg
        | libc::SYS_accept
        | libc::SYS_accept4 => Some(Direction::Receive),
        libc::SYS_write
        | libc::SYS_writev
        | libc::SYS_sendto
        | libc::SYS_sendmsg
        | libc::SYS_sendmmsg
        | libc::SYS_connect => Some(Direction::Send),
        _ => None,
    }
}

/// A descriptor of ours for the same open file as another process's.
fn same_file(pid: u32, descriptor: u64) -> Result<OwnedFd, Errno> {
    // SAFETY: the numbers are checked by the kernel, and no memory is passed.
    let process = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel has just given us this descriptor.
    let process = unsafe { OwnedFd::from_raw_fd(process as i32) };
    // SAFETY: as above.
    let file =
        Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), descriptor as i32, 0) })?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(file as i32) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn a_limit_is_seen_shortened_and_put_back() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (call, descriptor) = (libc::SYS_recvfrom as u64, socket.as_raw_fd() as u64);
        assert!(
            SocketLimit::of(std::process::id(), call, descriptor).is_none(),
            "without a limit"
        );
        socket.set_read_timeout(Some(Duration::from_secs(2))).expect("a limit");
        let limit = SocketLimit::of(std::process::id(), call, descriptor).expect("with a limit");
        assert!(limit.shorten(Duration::from_millis(500)));
        assert_eq!(
            socket.read_timeout().expect("the limit"),
            Some(Duration::from_millis(1500))
        );
        assert!(limit.shorten(Duration::from_secs(9)), "more than there is");
        assert!(socket.read_timeout().expect("the limit").is_some(), "a limit is left");
        limit.put_back();
        assert_eq!(socket.read_timeout().expect("the limit"), Some(Duration::from_secs(2)));
        assert!(
            SocketLimit::of(std::process::id(), libc::SYS_sendto as u64, descriptor).is_none(),
            "of the other way"
        );
    }
}
