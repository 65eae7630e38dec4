//! Moments of whole squares from sums over the columns of the picture.
//!
//! Squares of one row of points overlap, and so do their columns: each is summed from top to bottom
//! once, and every square adds up its own.

use std::ops::Range;

use crate::lanes::{Vector, WIDEST};
use crate::moments::{Totals, strip_sums};
use crate::pair::{BLOCK_ROWS, LARGEST_OFFSET, Moments, Pair};
use crate::settings::ShapeOrder;
use crate::subset::SubsetRow;

/// Columns that are added up side by side.
const TOGETHER: usize = 8;

/// Columns that are kept beside those of one square: few enough for the cache of a processor.
const LONGEST: usize = 256;

/// Sums over the columns of squares whose centres lie in one row of a picture.
pub(crate) struct ColumnSums {
    size_px: usize,
    /// Row of the centres.
    row: usize,
    /// Rows of a strip, from its left column on.
    rows: Vec<SubsetRow>,
    /// The columns of the picture that are summed.
    summed: Range<usize>,
    /// A line of columns for each of the sums of a strip, from the first that is summed on.
    sums: Vec<f64>,
    /// The length of a line.
    line: usize,
    /// Powers of `dx` from 0 to 4, each for all columns of a square and zeros up to the next eight.
    powers: [Vec<f64>; 5],
}

impl ColumnSums {
    /// Nothing summed yet, for squares of `size_px` in pictures of so many columns.
    pub(crate) fn new(size_px: usize, width: usize, order: ShapeOrder) -> Self {
        let padded = size_px.next_multiple_of(TOGETHER);
        let half = (size_px / 2) as i32;
        let power = |k: i32| {
            let values = (-half..=half).map(|dx| f64::from(dx).powi(k));
            let zeros = std::iter::repeat(0.0);
            values.chain(zeros).take(padded).collect()
        };
        let lines = match order {
            ShapeOrder::Zero => lines(1, 1),
            ShapeOrder::One => lines(2, 3),
            ShapeOrder::Two => lines(3, 5),
        };
        let line = width.min(LONGEST) + padded + WIDEST;
        Self {
            size_px,
            row: 0,
            rows: (-half..=half)
                .map(|dy| SubsetRow {
                    dy,
                    first: 0,
                    last: WIDEST as i32 - 1,
                })
                .collect(),
            summed: 0..0,
            sums: vec![0.0; lines * line],
            line,
            powers: [0, 1, 2, 3, 4].map(power),
        }
    }

    /// The moments of a square; `None` for another subset, and where the mean of the picture is too
    /// far from that of the square.
    #[inline(always)]
    pub(crate) fn moments<
        V: Vector,
        const ORDER: usize,
        const POWERS: usize,
        const SQUARES: usize,
    >(
        &mut self,
        pair: &Pair<'_>,
    ) -> Option<Moments> {
        if !self.is_square(pair.rows) {
            return None;
        }
        let left = pair.centre.0 - self.size_px / 2;
        let has_room = |first: usize| first + self.powers[0].len() + V::LANES <= self.line;
        let is_known = self.row == pair.centre.1
            && self.summed.start <= left
            && left <= self.summed.end
            && has_room(left - self.summed.start);
        if !is_known {
            self.row = pair.centre.1;
            self.summed = left..left;
        }
        // Those under the zeros, too: what stands there must not depend on the squares before.
        while self.summed.end < left + self.powers[0].len() {
            self.add_strip::<V, ORDER, POWERS, SQUARES>(pair);
        }
        let first = left - self.summed.start;
        let mut totals = Totals::<POWERS>::zero();
        totals.f = self.sum(0, first, 0);
        totals.ff = self.sum(1, first, 0);
        for i in 0..3 {
            for m in 0..SQUARES {
                for k in 0..SQUARES - m {
                    totals.squares[i][k][m] = self.sum(2 + i * SQUARES + m, first, k);
                }
            }
        }
        for i in 0..4 {
            for m in 0..POWERS {
                let line = 2 + 3 * SQUARES + i * POWERS + m;
                for k in 0..POWERS - m {
                    totals.gradients[i][k][m] = self.sum(line, first, k);
                }
            }
        }
        let all = totals.ff;
        let moments = totals.moments::<ORDER>(pair.offset, self.size_px * self.size_px);
        (all <= LARGEST_OFFSET * moments.energy).then_some(moments)
    }

    fn is_square(&self, rows: &[SubsetRow]) -> bool {
        let half = (self.size_px / 2) as i32;
        let mut is_square = rows.len() == self.size_px;
        for row in rows {
            is_square &= row.first == -half && row.last == half;
        }
        is_square
    }

    /// A line of sums times a power of `dx`, over the columns of the square that begins `first`
    /// columns from the first one that is summed.
    #[inline(always)]
    fn sum(&self, line: usize, first: usize, power: usize) -> f64 {
        let powers = &self.powers[power][..];
        let values = &self.sums[line * self.line + first..][..powers.len()];
        let mut lanes = [0.0; TOGETHER];
        let (values, powers) = (
            values.as_chunks::<TOGETHER>(),
            powers.as_chunks::<TOGETHER>(),
        );
        for (values, powers) in values.0.iter().zip(powers.0) {
            for (lane, (value, power)) in lanes.iter_mut().zip(values.iter().zip(powers)) {
                *lane += value * power;
            }
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }

    /// Sums the next strip of columns.
    #[inline(always)]
    fn add_strip<V: Vector, const ORDER: usize, const POWERS: usize, const SQUARES: usize>(
        &mut self,
        pair: &Pair<'_>,
    ) {
        let column = self.summed.end;
        let at = column - self.summed.start;
        let there = Pair {
            centre: (column, pair.centre.1),
            ..*pair
        };
        for line in self.sums.chunks_exact_mut(self.line) {
            line[at..at + V::LANES].fill(0.0);
        }
        for block in self.rows.chunks(BLOCK_ROWS) {
            let strip = strip_sums::<V, ORDER, POWERS, SQUARES>(&there, block, 0, pair.offset);
            let mut lines = self.sums.chunks_exact_mut(self.line);
            let singles = [strip.f, strip.ff];
            let squares = strip.squares.as_flattened().iter();
            let gradients = strip.gradients.as_flattened().iter();
            for (value, line) in singles
                .iter()
                .chain(squares)
                .chain(gradients)
                .zip(&mut lines)
            {
                value.add_to(&mut line[at..]);
            }
        }
        self.summed.end += V::LANES;
    }
}

/// How many lines of sums there are.
const fn lines(powers: usize, squares: usize) -> usize {
    2 + 3 * squares + 4 * powers
}
