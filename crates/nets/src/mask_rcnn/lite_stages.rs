//! The sizes of EfficientNet-Lite0.
//!
//! # Source
//! Tan & Le 2019, arXiv:1905.11946, table 1.

/// Channels of the four stages.
pub(super) const CHANNELS: [usize; 4] = [24, 40, 112, 320];

/// Blocks of one size.
pub(super) struct Row {
    pub(super) blocks: usize,
    pub(super) kernel: usize,
    /// Of the first block.
    pub(super) stride: usize,
    /// Inner channels over those read.
    pub(super) expansion: usize,
    pub(super) channels: usize,
}

const fn row(
    blocks: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: usize,
) -> Row {
    Row {
        blocks,
        kernel,
        stride,
        expansion,
        channels,
    }
}

/// The rows of the four stages.
pub(super) const STAGES: [&[Row]; 4] = [
    &[row(1, 3, 1, 1, 16), row(2, 3, 2, 6, 24)],
    &[row(2, 5, 2, 6, 40)],
    &[row(3, 3, 2, 6, 80), row(3, 5, 1, 6, 112)],
    &[row(4, 5, 2, 6, 192), row(1, 3, 1, 6, 320)],
];

/// Blocks of the four stages.
pub(super) fn blocks() -> [usize; 4] {
    STAGES.map(|rows| rows.iter().map(|row| row.blocks).sum())
}

/// Distance of the positions of a block's output, in positions of its input.
pub(super) fn stride(stage: usize, block: usize) -> usize {
    let mut first = 0;
    for row in STAGES[stage] {
        if block == first {
            return row.stride;
        }
        first += row.blocks;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_add_up_to_those_of_the_pyramid() {
        let mut total = 2;
        for (stage, count) in blocks().into_iter().enumerate() {
            total *= (0..count)
                .map(|block| stride(stage, block))
                .product::<usize>();
            assert_eq!(total, 4 << stage);
            let last = STAGES[stage].last().expect("rows");
            assert_eq!(last.channels, CHANNELS[stage]);
        }
        assert_eq!(blocks(), [3, 2, 6, 5]);
    }
}
