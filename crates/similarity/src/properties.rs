//! Haralick's properties of a co-occurrence matrix.
//!
//! Everything but the entropy and the last division is done in whole numbers: the sums over the
//! marginals, over the differences `|i − j|` and over the squares of the counts give all of it.
//!
//! # Source
//! Haralick, Shanmugam & Dinstein 1973, doi:10.1109/TSMC.1973.4309314, in the form of
//! scikit-image's `graycoprops` (energy is the root of the angular second moment; a correlation
//! without spread is 1; the entropy is in nats).

use std::sync::LazyLock;

use crate::{Cooccurrence, Order};

/// All properties of one matrix, over its normalised values `p(i, j)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Properties {
    /// `Σ p (i − j)²`.
    pub contrast: f64,
    /// `Σ p |i − j|`.
    pub dissimilarity: f64,
    /// `Σ p / (1 + (i − j)²)`, in `0..=1`.
    pub homogeneity: f64,
    /// Angular second moment `Σ p²`, in `0..=1`.
    pub asm: f64,
    /// `√asm`, in `0..=1`.
    pub energy: f64,
    /// `Σ p (i − μᵢ)(j − μⱼ) / (σᵢ σⱼ)`, in `−1..=1`.
    pub correlation: f64,
    /// `−Σ p ln p`.
    pub entropy: f64,
}

/// One of the properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// [`Properties::contrast`].
    Contrast,
    /// [`Properties::dissimilarity`].
    Dissimilarity,
    /// [`Properties::homogeneity`].
    Homogeneity,
    /// [`Properties::asm`].
    Asm,
    /// [`Properties::energy`].
    Energy,
    /// [`Properties::correlation`].
    Correlation,
    /// [`Properties::entropy`].
    Entropy,
}

impl Property {
    /// The six that scikit-image had for long, which most work with this matrix uses.
    pub const SIX: [Self; 6] = [
        Self::Contrast,
        Self::Dissimilarity,
        Self::Homogeneity,
        Self::Asm,
        Self::Energy,
        Self::Correlation,
    ];
}

impl Properties {
    /// The value of one of them.
    #[must_use]
    pub fn get(&self, property: Property) -> f64 {
        match property {
            Property::Contrast => self.contrast,
            Property::Dissimilarity => self.dissimilarity,
            Property::Homogeneity => self.homogeneity,
            Property::Asm => self.asm,
            Property::Energy => self.energy,
            Property::Correlation => self.correlation,
            Property::Entropy => self.entropy,
        }
    }
}

/// The properties of the matrix of one offset.
///
/// # Panics
/// When `offset` is not below [`Cooccurrence::offsets`], as a slice index would.
#[must_use]
pub fn properties(counted: &Cooccurrence, offset: usize) -> Properties {
    let stored = counted.stored(offset);
    let sums = match counted.order() {
        Order::Symmetric => Sums::of_folded(stored, counted.levels()),
        Order::Directed => Sums::of_directed(stored, counted.levels()),
    };
    sums.properties()
}

/// Whole-number sums over a matrix of counts `S`.
struct Sums {
    /// Counts at `|i − j| = k`.
    differences: Vec<u64>,
    /// Counts of `i`, of `j`.
    rows: Vec<u64>,
    columns: Vec<u64>,
    /// `Σ S²`.
    squares: u64,
    /// `Σ S ln S`.
    logs: f64,
}

impl Sums {
    fn empty(levels: usize) -> Self {
        Self {
            differences: vec![0; levels],
            rows: vec![0; levels],
            columns: vec![0; levels],
            squares: 0,
            logs: 0.0,
        }
    }

    /// `stored` has each pair once, at `i ≤ j`; `S` has it at both places, twice on the diagonal.
    fn of_folded(stored: &[u32], levels: usize) -> Self {
        let mut sums = Self::empty(levels);
        for (i, row) in stored.chunks_exact(levels).enumerate() {
            let row = &row[i..];
            let own = sums.add_row(i, row);
            sums.rows[i] += own;
            let diagonal = u64::from(row[0]);
            // A pair off the diagonal is at two places, one on it is at one with twice the count.
            let mut squares = 4 * diagonal * diagonal;
            let mut logs = times_log(2 * diagonal);
            for &count in row[1..].iter().filter(|count| **count > 0) {
                let count = u64::from(count);
                squares += 2 * count * count;
                logs += 2.0 * times_log(count);
            }
            sums.squares += squares;
            sums.logs += logs;
        }
        for (row, column) in sums.rows.iter_mut().zip(&mut sums.columns) {
            *row += *column;
            *column = *row;
        }
        for difference in &mut sums.differences {
            *difference *= 2;
        }
        sums
    }

    fn of_directed(stored: &[u32], levels: usize) -> Self {
        let mut sums = Self::empty(levels);
        for (i, row) in stored.chunks_exact(levels).enumerate() {
            sums.rows[i] = sums.add_row(i, &row[i..]);
            for (j, &count) in row[..i].iter().enumerate() {
                sums.differences[i - j] += u64::from(count);
                sums.columns[j] += u64::from(count);
                sums.rows[i] += u64::from(count);
            }
            for &count in row.iter().filter(|count| **count > 0) {
                let count = u64::from(count);
                sums.squares += count * count;
                sums.logs += times_log(count);
            }
        }
        sums
    }

    /// Differences and columns of row `i` from its diagonal on; gives its sum.
    fn add_row(&mut self, i: usize, from_diagonal: &[u32]) -> u64 {
        let mut sum = 0;
        let differences = self.differences.iter_mut();
        let columns = self.columns[i..].iter_mut();
        for ((&count, difference), column) in from_diagonal.iter().zip(differences).zip(columns) {
            let count = u64::from(count);
            *difference += count;
            *column += count;
            sum += count;
        }
        sum
    }

    fn properties(&self) -> Properties {
        let total: u64 = self.rows.iter().sum();
        let n = total as f64;
        let (mut linear, mut square, mut inverse) = (0_u64, 0_u64, 0.0);
        for (k, &count) in (0_u64..).zip(&self.differences) {
            linear += k * count;
            square += k * k * count;
            inverse += count as f64 / (1 + k * k) as f64;
        }
        let asm = self.squares as f64 / (n * n);
        Properties {
            contrast: square as f64 / n,
            dissimilarity: linear as f64 / n,
            homogeneity: inverse / n,
            asm,
            energy: asm.sqrt(),
            correlation: self.correlation(i128::from(total), i128::from(square)),
            entropy: n.ln() - self.logs / n,
        }
    }

    /// Covariance over both deviations, each times the square of the total.
    fn correlation(&self, total: i128, contrast: i128) -> f64 {
        let moments = |marginal: &[u64]| {
            let (mut first, mut second) = (0_u64, 0_u64);
            for (level, &count) in (0_u64..).zip(marginal) {
                first += level * count;
                second += level * level * count;
            }
            (i128::from(first), i128::from(second))
        };
        let (first_i, second_i) = moments(&self.rows);
        let (first_j, second_j) = moments(&self.columns);
        let spread_i = total * second_i - first_i * first_i;
        let spread_j = total * second_j - first_j * first_j;
        if spread_i == 0 || spread_j == 0 {
            return 1.0;
        }
        // (i − j)² = i² + j² − 2ij, summed over all pairs.
        let product = (second_i + second_j - contrast) / 2;
        let covariance = total * product - first_i * first_j;
        covariance as f64 / ((spread_i as f64).sqrt() * (spread_j as f64).sqrt())
    }
}

/// `count · ln count`, 0 for none.
fn times_log(count: u64) -> f64 {
    static SMALL: LazyLock<Vec<f64>> = LazyLock::new(|| (0..4096).map(computed).collect());
    fn computed(count: u64) -> f64 {
        if count == 0 {
            return 0.0;
        }
        count as f64 * (count as f64).ln()
    }
    let small = usize::try_from(count).ok().and_then(|at| SMALL.get(at));
    small.copied().unwrap_or_else(|| computed(count))
}
