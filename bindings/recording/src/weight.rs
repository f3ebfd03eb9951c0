//! What a sampled block stands for.

/// What one sampled block says of all blocks of its kind, and how unsure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    pub blocks: f64,
    pub bytes: f64,
    /// Of `bytes`: adds up over blocks, and its root is the standard error.
    pub variance: f64,
}

/// A block of `size` bytes is sampled with the probability `1 - exp(-size / mean)` where one sample is taken every `mean`
/// bytes, so it stands for one over that (Horvitz and Thompson). With a mean of 0 every block is recorded and stands for
/// itself. Blocks of no bytes count as one byte, as they do in the sampling.
pub fn weight(size: u64, mean: u64) -> Weight {
    let bytes = size as f64;
    if mean == 0 {
        return Weight {
            blocks: 1.0,
            bytes,
            variance: 0.0,
        };
    }
    let probability = -(-(size.max(1) as f64) / mean as f64).exp_m1();
    Weight {
        blocks: 1.0 / probability,
        bytes: bytes / probability,
        variance: (1.0 - probability) / (probability * probability) * bytes * bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_far_larger_than_the_mean_stands_for_itself() {
        let weight = weight(1 << 30, 1 << 19);
        assert_eq!(
            (weight.blocks, weight.bytes, weight.variance),
            (1.0, (1u64 << 30) as f64, 0.0)
        );
    }

    #[test]
    fn a_small_block_stands_for_about_the_mean() {
        let weight = weight(64, 1 << 19);
        assert!((weight.bytes - (1u64 << 19) as f64).abs() < 64.0, "{weight:?}");
        assert!((weight.variance.sqrt() - weight.bytes).abs() < 64.0, "{weight:?}");
    }

    #[test]
    fn exact_recordings_weigh_nothing_twice() {
        assert_eq!(weight(0, 0).blocks, 1.0);
        assert_eq!(weight(100, 0).bytes, 100.0);
        assert!(weight(0, 1 << 19).blocks.is_finite());
    }
}
