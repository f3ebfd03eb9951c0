//! The picture that a command was asked for, or why there is none.

use crate::capture::Capture;
use crate::error::{Error, Result};
use crate::report::picture::{Asked, NoPicture, Picture};

pub fn draw(capture: &Capture, asked: Asked) -> Result<Picture> {
    Picture::of(capture, asked).map_err(|why| {
        let (what, hint) = match why {
            NoPicture::NoHeap => (
                "there is no picture of the heap, which was never read",
                "--graph allocation shows what was recorded; let the program run longer, to be read",
            ),
            NoPicture::NoSites => (
                "there is no picture of allocations: nobody saw where the objects were made",
                "watch the program for a while (-d 10), or start it with tracemalloc (-X tracemalloc); \
                 --graph ownership shows who holds them",
            ),
            NoPicture::NoRecording => (
                "there is no picture of the peak or of all that was allocated: that is known of what was recorded alone, by calls",
                "start the program with `pymemscope run`, and leave --graph out",
            ),
            NoPicture::NoDomain => (
                "there is no picture of all that was allocated by --domain: samples of what is gone do not tell who gave it out",
                "record every block (`pymemscope run --every`), or leave out --domain or --weight",
            ),
            NoPicture::OneLook => (
                "there is no picture of what has grown: a single look knows of no earlier one",
                "watch the program for a while (-d 10), or compare two saved heaps (diff OLD NEW -o x.svg)",
            ),
            NoPicture::NoGrowth => (
                "there is no picture of what has grown: nobody saw where the objects were made",
                "watch the program for a while (-d 10); --weight bytes and count need no watching",
            ),
        };
        Error::NothingToDraw {
            what: what.to_owned(),
            hint: hint.to_owned(),
        }
    })
}
