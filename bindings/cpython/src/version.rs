//! A CPython release as `sys.hexversion` states it.

use std::fmt;

/// `PY_VERSION_HEX`: major, minor, micro, release level and serial, a byte each but for the last two, which share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl Version {
    /// A final release.
    pub const fn new(major: u8, minor: u8, micro: u8) -> Self {
        Version((major as u32) << 24 | (minor as u32) << 16 | (micro as u32) << 8 | 0xf0)
    }

    pub const fn major(self) -> u8 {
        (self.0 >> 24) as u8
    }

    pub const fn minor(self) -> u8 {
        (self.0 >> 16) as u8
    }

    pub const fn micro(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Whether both are releases of one minor version.
    pub const fn is_same_minor(self, other: Version) -> bool {
        self.0 >> 16 == other.0 >> 16
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major(), self.minor(), self.micro())?;
        let serial = self.0 & 0xf;
        match self.0 >> 4 & 0xf {
            0xa => write!(out, "a{serial}"),
            0xb => write!(out, "b{serial}"),
            0xc => write!(out, "rc{serial}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
