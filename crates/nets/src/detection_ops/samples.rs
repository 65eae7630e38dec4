//! Where a pooled region reads its features, as flat indices and weights.

use super::Regions;

/// The reads of all cells: read `k` of cell `c` is at `k · cells + c`.
#[derive(Debug, PartialEq)]
pub(super) struct Reads {
    /// Cells: regions × side × side.
    pub(super) cells: usize,
    /// Rows of the features `[n · height · width, channel]`.
    pub(super) rows: Vec<i64>,
    /// Weight of each read.
    pub(super) weights: Vec<f32>,
}

/// The reads on maps of `height × width`.
///
/// # Source
/// He et al. 2017, arXiv:1703.06870, section 3; borders as torchvision's: a sample within one
/// position outside is moved to the border, one further out counts as zero.
pub(super) fn reads(regions: &Regions, height: usize, width: usize) -> Reads {
    let side = regions.side;
    let cells = regions.boxes.len() * side * side;
    let mut by_cell: Vec<Vec<(i64, f32)>> = Vec::with_capacity(cells);
    for &(image, region) in regions.boxes.iter() {
        let rows = axis(region[1], region[3], regions, height);
        let columns = axis(region[0], region[2], regions, width);
        let base = image * height * width;
        for row in &rows {
            for column in &columns {
                let reads = row.iter().flat_map(|&(y, wy)| {
                    column
                        .iter()
                        .map(move |&(x, wx)| ((base + y * width + x) as i64, wy * wx))
                });
                by_cell.push(reads.collect());
            }
        }
    }
    let deepest = by_cell.iter().map(Vec::len).max().unwrap_or(0);
    let mut all = Reads {
        cells,
        rows: vec![0; deepest * cells],
        weights: vec![0.0; deepest * cells],
    };
    for (cell, reads) in by_cell.iter().enumerate() {
        for (k, &(row, weight)) in reads.iter().enumerate() {
            all.rows[k * cells + cell] = row;
            all.weights[k * cells + cell] = weight;
        }
    }
    all
}

/// For every cell along one axis, the positions read and their weights.
fn axis(from: f32, to: f32, regions: &Regions, length: usize) -> Vec<Vec<(usize, f32)>> {
    let shift = if regions.aligned { 0.5 } else { 0.0 };
    let start = from * regions.scale - shift;
    let mut extent = to * regions.scale - shift - start;
    if !regions.aligned {
        extent = extent.max(1.0);
    }
    let cell = extent / regions.side as f32;
    let samples = regions
        .samples
        .unwrap_or_else(|| (cell.ceil().max(0.0) as usize).max(1));
    let one = |index: usize| {
        let mut reads = Vec::with_capacity(2 * samples);
        for sample in 0..samples {
            let offset = (sample as f32 + 0.5) * cell / samples as f32;
            let at = start + index as f32 * cell + offset;
            if at < -1.0 || at > length as f32 {
                continue;
            }
            let at = at.max(0.0);
            let low = (at as usize).min(length - 1);
            let share = 1.0 / samples as f32;
            if low + 1 >= length {
                reads.push((low, share));
            } else {
                let part = at - low as f32;
                reads.push((low, (1.0 - part) * share));
                reads.push((low + 1, part * share));
            }
        }
        reads
    };
    (0..regions.side).map(one).collect()
}
