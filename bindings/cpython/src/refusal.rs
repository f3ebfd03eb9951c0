//! Why a runtime is not read: what was found instead of a CPython whose every structure is known.

use std::fmt;

use crate::memory::Unreadable;
use crate::version::Version;
use crate::versions::MINORS;

/// Why the objects of a runtime cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The interpreter is still starting, or its last one is gone.
    NotInitialised,
    /// The interpreter shuts down and takes its heap apart.
    Finalizing,
    /// A collection is under way: for its moment the collector's lists are not whole.
    Collecting,
    /// A build without the global interpreter lock.
    FreeThreaded { version: Version },
    /// A release that no table describes.
    UnknownVersion { version: Version },
    /// `_PyRuntime` is unlike that of any supported release; its size, if the file says it.
    Unrecognised { size: Option<u64> },
    /// The release is known, but this build of it has other structures.
    OtherBuild { version: Version, what: String },
    /// Memory that must be there is not.
    Unreadable(Unreadable),
}

impl Refused {
    /// Whether the same process may be readable a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Refused::NotInitialised | Refused::Collecting)
    }
}

impl From<Unreadable> for Refused {
    fn from(cause: Unreadable) -> Self {
        Refused::Unreadable(cause)
    }
}

impl From<crate::memory::Fault> for Refused {
    fn from(fault: crate::memory::Fault) -> Self {
        Refused::Unreadable(fault.into())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::NotInitialised => write!(out, "the Python interpreter is not running yet, or not any more"),
            Refused::Finalizing => write!(
                out,
                "the Python interpreter is shutting down, its heap is being taken apart"
            ),
            Refused::Collecting => write!(out, "a garbage collection is under way, try again"),
            Refused::FreeThreaded { version } => write!(
                out,
                "CPython {version} is a free-threaded build, which is not supported yet; builds with the global interpreter lock are"
            ),
            Refused::UnknownVersion { version } => {
                write!(out, "CPython {version} is not known; supported are ")?;
                supported(out)
            }
            Refused::Unrecognised { size } => {
                match size {
                    Some(size) => write!(out, "its _PyRuntime of {size} bytes is that of no supported CPython")?,
                    None => write!(out, "its _PyRuntime is that of no supported CPython")?,
                }
                write!(out, "; supported are ")?;
                supported(out)
            }
            Refused::OtherBuild { version, what } => {
                write!(
                    out,
                    "this build of CPython {version} has structures of its own and would be misread: {what}"
                )
            }
            Refused::Unreadable(cause) => write!(out, "the Python runtime could not be read: {cause}"),
        }
    }
}

impl std::error::Error for Refused {}

fn supported(out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (MINORS.first(), MINORS.last()) {
        (Some(first), Some(last)) => {
            let (first, last) = (first.newest, last.newest);
            write!(
                out,
                "{}.{} to {}.{}",
                first.major(),
                first.minor(),
                last.major(),
                last.minor()
            )
        }
        _ => write!(out, "none"),
    }
}
