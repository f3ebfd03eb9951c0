//! The forms in which a picture is written.

use std::io::{self, Write};

use super::{Picture, collapsed, pprof, speedscope, svg};
use crate::report::output::FileFormat;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// A flame graph.
    Svg,
    /// Folded stacks, for `flamegraph.pl` and everything that reads its input.
    Collapsed,
    Speedscope,
    /// For Go's `pprof`, and whatever takes its profiles.
    Pprof,
}

impl FileFormat for PictureFormat {
    const ALL: &'static [PictureFormat] = &[
        PictureFormat::Svg,
        PictureFormat::Collapsed,
        PictureFormat::Speedscope,
        PictureFormat::Pprof,
    ];

    fn name(self) -> &'static str {
        match self {
            PictureFormat::Svg => "svg",
            PictureFormat::Collapsed => "collapsed",
            PictureFormat::Speedscope => "speedscope",
            PictureFormat::Pprof => "pprof",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            PictureFormat::Svg | PictureFormat::Collapsed => self.name(),
            PictureFormat::Speedscope => "speedscope.json",
            PictureFormat::Pprof => "pb.gz",
        }
    }
}

impl PictureFormat {
    pub fn write(self, picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
        match self {
            PictureFormat::Svg => svg::write(picture, out),
            PictureFormat::Collapsed => collapsed::write([picture], out),
            PictureFormat::Speedscope => speedscope::write(picture, out),
            PictureFormat::Pprof => pprof::write(picture, out),
        }
    }
}
