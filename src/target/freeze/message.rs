//! What the profiler and its guardian process say to each other: one JSON value in each packet of a socket pair.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockType};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{FreezeError, FreezeMode, FreezeUsed};

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Freeze { pid: u32, mode: FreezeMode },
    Release,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Frozen {
        used: FreezeUsed,
        readable_pid: u32,
        pause: Duration,
        reason: Option<String>,
    },
    Released {
        pause: Duration,
    },
    Failed(FreezeError),
}

/// The longest packet. Answers hold no list that a target could make long.
const LONGEST: usize = 16 << 10;

/// One end of the socket pair.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl Socket {
    pub fn pair() -> Result<(Socket, Socket), Errno> {
        let (ours, theirs) =
            socket::socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        Ok((Socket(ours), Socket(theirs)))
    }

    pub fn from_descriptor(descriptor: OwnedFd) -> Socket {
        Socket(descriptor)
    }

    pub fn into_descriptor(self) -> OwnedFd {
        self.0
    }

    pub fn send(&self, message: &impl Serialize) -> io::Result<()> {
        let packet = serde_json::to_vec(message)?;
        loop {
            match socket::send(self.0.as_raw_fd(), &packet, MsgFlags::MSG_NOSIGNAL) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until the other side has said something or is gone, for `at_most` that time; says whether that is so.
    pub fn is_readable_within(&self, at_most: Duration) -> bool {
        let limit = PollTimeout::try_from(at_most).unwrap_or(PollTimeout::MAX);
        let mut ready = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut ready, limit), Ok(1))
    }

    /// Waits for the other side; `None` when it is gone.
    pub fn receive<M: DeserializeOwned>(&self) -> io::Result<Option<M>> {
        let mut packet = vec![0; LONGEST];
        loop {
            match socket::recv(self.0.as_raw_fd(), &mut packet, MsgFlags::empty()) {
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(None),
                Ok(length) => return Ok(Some(serde_json::from_slice(&packet[..length])?)),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_arrive_whole_and_in_order_and_the_end_is_seen() {
        let (ours, theirs) = Socket::pair().expect("a socket pair");
        ours.send(&Request::Freeze {
            pid: 7,
            mode: FreezeMode::Auto,
        })
        .expect("sent");
        ours.send(&Request::Release).expect("sent");
        drop(ours);
        let first: Option<Request> = theirs.receive().expect("received");
        assert!(matches!(
            first,
            Some(Request::Freeze {
                pid: 7,
                mode: FreezeMode::Auto
            })
        ));
        assert!(matches!(
            theirs.receive::<Request>().expect("received"),
            Some(Request::Release)
        ));
        assert!(theirs.receive::<Request>().expect("the end").is_none());
    }
}
