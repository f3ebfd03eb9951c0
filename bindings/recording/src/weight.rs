//! What a sampled block stands for.

/// What one sampled block says of all blocks of its kind, and how unsure that is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weight {
    pub blocks: f64,
    pub bytes: f64,
    /// Of `bytes`: adds up over blocks, and its root is the standard error.
    pub variance: f64,
    /// Bytes of the sampled blocks themselves: so many there were in any case.
    pub seen: f64,
}

impl Weight {
    pub fn add(&mut self, other: Weight) {
        self.blocks += other.blocks;
        self.bytes += other.bytes;
        self.variance += other.variance;
        self.seen += other.seen;
    }

    /// Within which bytes the true ones lie in 19 of 20 cases, where one sample is taken every `mean` bytes.
    ///
    /// What was not seen is a sum of weights of independent samples, whose counts are Poisson's. Its limits are quantiles of
    /// gamma distributions, which at equal weights are the exact ones of a Poisson count (Garwood, *Biometrika* 28, 1936) and
    /// hold at small counts, where those of a normal distribution are far too narrow: above, of a distribution with one
    /// sample more, of the largest weight that there is (Fay and Feuer, *Statistics in Medicine* 16, 1997); below, with one
    /// less, because what has no sample at all is not shown.
    pub fn interval(&self, mean: u64) -> (f64, f64) {
        if mean == 0 {
            return (self.bytes, self.bytes);
        }
        let (unseen, heaviest) = (self.bytes - self.seen, mean as f64);
        let square = heaviest * heaviest;
        let least = gamma_quantile(unseen - heaviest, self.variance - square, -DEVIATIONS);
        let most = gamma_quantile(unseen + heaviest, self.variance + square, DEVIATIONS);
        (self.seen + least, self.seen + most)
    }
}

/// Of a normal distribution, 95 % lie within so many standard deviations.
const DEVIATIONS: f64 = 1.96;

/// The quantile of a gamma distribution that is, of a normal one, so many standard deviations from the middle (Wilson and
/// Hilferty, *Proceedings of the National Academy of Sciences* 17, 1931). Zero where there is no such distribution.
fn gamma_quantile(mean: f64, variance: f64, deviations: f64) -> f64 {
    if mean <= 0.0 || variance <= 0.0 {
        return 0.0;
    }
    let ninth = variance / (9.0 * mean * mean);
    mean * (1.0 - ninth + deviations * ninth.sqrt()).max(0.0).powi(3)
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
            seen: bytes,
        };
    }
    let probability = -(-(size.max(1) as f64) / mean as f64).exp_m1();
    Weight {
        blocks: 1.0 / probability,
        bytes: bytes / probability,
        variance: (1.0 - probability) / (probability * probability) * bytes * bytes,
        seen: bytes,
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

    /// In samples, by Garwood's table: of one 0.025 to 5.57, of ten 4.80 to 18.39. Below, of one less.
    #[test]
    fn limits_of_few_samples_are_those_of_poisson() {
        let mean = 1 << 19;
        let limits = |samples: usize| {
            let mut sum = Weight::default();
            (0..samples).for_each(|_| sum.add(weight(16, mean)));
            let (least, most) = sum.interval(mean);
            [least, most].map(|bytes| bytes / mean as f64)
        };
        let close = |found: f64, expected: f64| (found - expected).abs() < 0.03;
        for (samples, least, most) in [(1, 0.0, 5.57), (2, 0.025, 7.22), (11, 4.80, 19.68)] {
            let [found_least, found_most] = limits(samples);
            assert!(
                close(found_least, least) && close(found_most, most),
                "{samples}: {found_least} to {found_most}"
            );
        }
    }

    #[test]
    fn nothing_is_less_than_what_was_seen() {
        let large = weight(1 << 30, 1 << 19);
        let (least, most) = large.interval(1 << 19);
        assert_eq!(least, large.bytes);
        // Small blocks may stand beside it that were not sampled: below 3.69 samples of them, in 39 of 40 cases.
        assert!((most - large.bytes) / f64::from(1 << 19) < 3.70, "{most}");
        assert_eq!(weight(100, 0).interval(0), (100.0, 100.0));
    }

    #[test]
    fn exact_recordings_weigh_nothing_twice() {
        assert_eq!(weight(0, 0).blocks, 1.0);
        assert_eq!(weight(100, 0).bytes, 100.0);
        assert!(weight(0, 1 << 19).blocks.is_finite());
    }
}
