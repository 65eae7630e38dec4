//! Which source pixels a sum reads: the one geometry of forward passes and input gradients.
//!
//! Position `(y, x)` reads the source pixels `origin + step · (y, x) + tap`; those outside the
//! source are zero. Its sum goes to the pixel `first + spread · (y, x)` of the destination.

use std::ops::Range;

use crate::convolution::Convolution;

/// A convolution seen from the pixels that it writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gather {
    /// Rows, columns and channels of the source.
    pub(crate) source: (usize, usize, usize),
    /// Rows, columns and channels of the destination.
    pub(crate) destination: (usize, usize, usize),
    /// Rows and columns of positions.
    pub(crate) positions: (usize, usize),
    pub(crate) origin: (isize, isize),
    pub(crate) step: usize,
    pub(crate) first: (usize, usize),
    pub(crate) spread: usize,
    pub(crate) taps_y: usize,
    pub(crate) taps_x: usize,
    /// Row and column in the kernel of the first tap.
    pub(crate) tap_origin: (usize, usize),
}

impl Gather {
    /// The forward pass.
    pub(crate) fn forward(shape: &Convolution) -> Self {
        let positions = (shape.out_height(), shape.out_width());
        let origin = -(shape.padding as isize);
        Self {
            source: (shape.height, shape.width, shape.in_channels),
            destination: (positions.0, positions.1, shape.out_channels),
            positions,
            origin: (origin, origin),
            step: shape.stride,
            first: (0, 0),
            spread: 1,
            taps_y: shape.kernel,
            taps_x: shape.kernel,
            tap_origin: (0, 0),
        }
    }

    /// Terms of a sum.
    pub(crate) fn depth(&self) -> usize {
        self.taps_y * self.taps_x * self.source.2
    }

    /// Rows of positions, grouped by the taps inside the source.
    pub(crate) fn spans_y(&self) -> Vec<Span> {
        spans(
            self.positions.0,
            self.origin.0,
            self.step,
            self.taps_y,
            self.source.0,
        )
    }

    /// Columns of positions, grouped by the taps inside the source.
    pub(crate) fn spans_x(&self) -> Vec<Span> {
        spans(
            self.positions.1,
            self.origin.1,
            self.step,
            self.taps_x,
            self.source.1,
        )
    }
}

/// The gathers of an input gradient: the pixels of each remainder by the stride read the same taps.
///
/// Pixel `i` receives tap `t` of output pixel `o` where `o · stride + t = i + padding`, so the taps
/// are those congruent to `i + padding`, and `o` falls as `t` rises.
pub(crate) fn phases(shape: &Convolution) -> impl Iterator<Item = Gather> + use<> {
    let shape = *shape;
    let stride = shape.stride;
    // Taps, first pixel, pixels and first output pixel of one axis.
    let axis = move |remainder: usize, size: usize| {
        let taps = shape.kernel.saturating_sub(remainder).div_ceil(stride);
        let first = (remainder + stride - shape.padding % stride) % stride;
        let count = size.saturating_sub(first).div_ceil(stride);
        let last_output = (first + shape.padding - remainder.min(first + shape.padding)) / stride;
        let origin = last_output as isize - (taps as isize - 1);
        let tap = remainder + stride * taps.saturating_sub(1);
        (taps, first, count, origin, tap)
    };
    (0..stride * stride).map(move |phase| {
        let (taps_y, first_y, count_y, origin_y, tap_y) = axis(phase / stride, shape.height);
        let (taps_x, first_x, count_x, origin_x, tap_x) = axis(phase % stride, shape.width);
        Gather {
            source: (shape.out_height(), shape.out_width(), shape.out_channels),
            destination: (shape.height, shape.width, shape.in_channels),
            positions: (count_y, count_x),
            origin: (origin_y, origin_x),
            step: 1,
            first: (first_y, first_x),
            spread: stride,
            taps_y,
            taps_x,
            tap_origin: (tap_y, tap_x),
        }
    })
}

/// Positions of one axis in a row that have the same taps inside the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) positions: Range<usize>,
    pub(crate) taps: Range<usize>,
}

fn spans(count: usize, origin: isize, step: usize, taps: usize, size: usize) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::new();
    for position in 0..count {
        let inside = inside(origin + (position * step) as isize, taps, size);
        match all.last_mut() {
            Some(last) if last.taps == inside => last.positions.end = position + 1,
            _ => all.push(Span {
                positions: position..position + 1,
                taps: inside,
            }),
        }
    }
    all
}

/// The taps `0..taps` at `first..` that lie in `0..size`.
pub(crate) fn inside(first: isize, taps: usize, size: usize) -> Range<usize> {
    let start = (-first).clamp(0, taps as isize) as usize;
    let end = (size as isize - first).clamp(start as isize, taps as isize) as usize;
    start..end
}

/// A position to be summed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) item: usize,
    /// Source row and column of the first tap.
    pub(crate) y: isize,
    pub(crate) x: isize,
    /// Where its sums go, from the beginning of the chunk.
    pub(crate) to: usize,
}

impl Gather {
    /// Appends the positions of `ys` × `xs` whose destination row, counted through the batch, lies
    /// in `rows`.
    pub(crate) fn positions(
        &self,
        rows: &Range<usize>,
        ys: &Range<usize>,
        xs: &Range<usize>,
        out: &mut Vec<Position>,
    ) {
        let (height, width, channels) = self.destination;
        if rows.is_empty() {
            return;
        }
        for item in rows.start / height..=(rows.end - 1) / height {
            for y in ys.clone() {
                let row = item * height + self.first.0 + y * self.spread;
                if !rows.contains(&row) {
                    continue;
                }
                let to = (row - rows.start) * width + self.first.1;
                out.extend(xs.clone().map(|x| Position {
                    item,
                    y: self.origin.0 + (y * self.step) as isize,
                    x: self.origin.1 + (x * self.step) as isize,
                    to: (to + x * self.spread) * channels,
                }));
            }
        }
    }

    /// The terms `terms` of the sum at `position`, if they lie side by side in the source.
    #[inline]
    pub(crate) fn borrow<'a>(
        &self,
        source: &'a [f32],
        position: &Position,
        terms: &Range<usize>,
    ) -> Option<&'a [f32]> {
        if terms.is_empty() {
            return Some(&[]);
        }
        let (height, width, channels) = self.source;
        let run = self.taps_x * channels;
        let tap_y = terms.start / run;
        let first = terms.start - tap_y * run;
        let valid = inside(position.x, self.taps_x, width);
        let y = position.y + tap_y as isize;
        let is_inside = first >= valid.start * channels
            && first + terms.len() <= valid.end * channels
            && (0..height as isize).contains(&y);
        if !is_inside {
            return None;
        }
        let row = (position.item * height + y as usize) * width * channels + first;
        let from = row.wrapping_add_signed(position.x * channels as isize);
        Some(&source[from..][..terms.len()])
    }

    /// Writes terms `terms` of the sum at `position` to `out`.
    #[inline]
    pub(crate) fn read(
        &self,
        source: &[f32],
        position: &Position,
        terms: &Range<usize>,
        out: &mut [f32],
    ) {
        let (height, width, channels) = self.source;
        let run = self.taps_x * channels;
        let valid = inside(position.x, self.taps_x, width);
        let valid = valid.start * channels..valid.end * channels;
        if out.is_empty() {
            return;
        }
        let (mut tap_y, mut first) = (terms.start / run, terms.start % run);
        let mut rest = out;
        while !rest.is_empty() {
            let last = run.min(first + rest.len());
            let (piece, after) = rest.split_at_mut(last - first);
            rest = after;
            let y = position.y + tap_y as isize;
            if y < 0 || y >= height as isize {
                piece.fill(0.0);
            } else {
                let row = (position.item * height + y as usize) * width * channels;
                let row = row.wrapping_add_signed(position.x * channels as isize);
                let start = valid.start.clamp(first, last);
                let end = valid.end.clamp(start, last);
                if end - start == piece.len() {
                    copy(&source[row.wrapping_add(start)..][..end - start], piece);
                } else {
                    piece.fill(0.0);
                    let inside = &mut piece[start - first..end - first];
                    if start < end {
                        copy(&source[row.wrapping_add(start)..][..end - start], inside);
                    }
                }
            }
            (tap_y, first) = (tap_y + 1, 0);
        }
    }
}

/// Copies short runs without a call.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    if let (Ok(from), Ok(to)) = (
        <&[f32; 4]>::try_from(from),
        <&mut [f32; 4]>::try_from(&mut *to),
    ) {
        *to = *from;
    } else {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_a_padded_axis() {
        let span = |positions, taps| Span { positions, taps };
        assert_eq!(
            spans(4, -1, 2, 4, 8),
            [span(0..1, 1..4), span(1..3, 0..4), span(3..4, 0..3)]
        );
        assert_eq!(spans(2, -9, 1, 3, 2), [span(0..2, 3..3)]);
    }
}
