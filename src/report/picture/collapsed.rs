//! Folded stacks, a line each: `module;name: dict;[…]: Order 4096`. Two pictures make the lines of a difference, with the
//! earlier figure before the later one, as `difffolded.pl` writes and `flamegraph.pl` reads them.

use std::io::{self, Write};

use super::Picture;
use super::fold::lines;

pub fn write<const N: usize>(pictures: [&Picture; N], out: &mut dyn Write) -> io::Result<()> {
    lines(pictures)
        .iter()
        .try_for_each(|line| writeln!(out, "{}", line.text()))
}
