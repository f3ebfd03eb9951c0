//! What was typed of recording: which blocks are noted with their calls.

use clap::Args;

use super::words::sample_bytes;
use crate::allocations::Sampling;

/// Which allocations are recorded with their calls; totals are exact in any case.
#[derive(Debug, Args)]
pub(super) struct Recording {
    /// Take one sample in so many bytes, 1K to 1G; 512K unless told. Fewer bytes make the figures of single lines surer, and
    /// cost the program time
    #[arg(long, value_name = "BYTES", value_parser = sample_bytes, allow_negative_numbers = true)]
    sample_bytes: Option<u64>,
    /// Record every block: all figures are exact. The program takes about twice its time, and more where calls are deep
    #[arg(long, conflicts_with = "sample_bytes")]
    every: bool,
    /// Begin chance with this number, 1 or more, so that runs that do the same take the same samples
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "every")]
    seed: Option<u64>,
}

impl Recording {
    pub(super) fn sampling(&self) -> Sampling {
        if self.every {
            return Sampling::Every;
        }
        Sampling::OneIn {
            bytes: self.sample_bytes.unwrap_or(Sampling::USUAL_BYTES),
            seed: self.seed,
        }
    }
}
