//! Packed blocks of positions times packed weights.

#![expect(
    unsafe_code,
    reason = "tiles take pointers; the bounds are checked here"
)]

use std::cell::RefCell;
use std::ops::Range;

use crate::aligned::Aligned;
use crate::convolution::Convolution;
use crate::dispatch::RowsOf;
use crate::epilogue::{Activation, Epilogue};
use crate::gather::{Gather, Position, Span};
use crate::panels::Panels;
use crate::rows::{for_rows, pieces};
use crate::tile::{DEPTH, Finish, ROW, Start, Tile};

/// Positions of a packed block at most; with [`ROW`] it fills an eighth of a second-level cache of 1 MiB.
const BLOCK: usize = 126;

/// Values side by side in the source from which they are read there and not packed.
const LONG: usize = 128;

/// Columns of weights up to which packing positions costs more than reading them where they are,
/// often at distances that the caches dislike.
const NARROW: usize = 128;

/// Multiply-adds above which every thread takes several pieces.
const LARGE: usize = 1 << 28;

/// Positions below which a tile is bound by reading weights: so many a class costs at least.
const FEW: usize = 5;

/// What sums begin with and what happens to them at last.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) start: Start,
    pub(crate) epilogue: Epilogue<'a>,
}

/// What a thread needs besides its arguments, kept from call to call.
#[derive(Default)]
struct Scratch {
    block: Aligned,
    positions: Vec<Position>,
    offsets: Vec<usize>,
    rows: Vec<*const f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Sums all positions of these gathers, divided over the threads by rows of the destination.
pub(crate) fn run(
    shape: &Convolution,
    gathers: &[Gather],
    source: &[f32],
    panels: &[Panels],
    end: End<'_>,
    destination: &mut [f32],
) {
    let Some(&Gather {
        destination: (_, width, channels),
        ..
    }) = gathers.first()
    else {
        return;
    };
    let pieces = match pieces(shape.multiply_adds()) {
        // Two pieces a thread even out what else runs on the machine.
        threads @ 2.. if shape.multiply_adds() > LARGE => 2 * threads,
        pieces => pieces,
    };
    for_rows(destination, width * channels, pieces, |rows, chunk| {
        SCRATCH.with_borrow_mut(|scratch| {
            for (gather, panels) in gathers.iter().zip(panels) {
                multiply_rows(gather, source, panels, end, &rows, chunk, scratch);
            }
        });
    });
}

/// Sums all positions of `gather` whose destination row lies in `rows`; `chunk` holds these rows.
pub(crate) fn multiply(
    gather: &Gather,
    source: &[f32],
    panels: &Panels,
    end: End<'_>,
    rows: &Range<usize>,
    chunk: &mut [f32],
) {
    SCRATCH.with_borrow_mut(|scratch| {
        multiply_rows(gather, source, panels, end, rows, chunk, scratch);
    });
}

fn multiply_rows(
    gather: &Gather,
    source: &[f32],
    panels: &Panels,
    end: End<'_>,
    rows: &Range<usize>,
    chunk: &mut [f32],
    scratch: &mut Scratch,
) {
    let items = rows.len().div_ceil(gather.destination.0);
    for (ys, xs) in classes(gather, items) {
        scratch.positions.clear();
        let positions = &mut scratch.positions;
        gather.positions(rows, &ys.positions, &xs.positions, positions);
        let terms = terms(gather, &ys.taps, &xs.taps);
        let blocks = scratch.positions.len().div_ceil(BLOCK).max(1);
        let each = scratch.positions.len().div_ceil(blocks).max(1);
        for positions in scratch.positions.chunks(each) {
            let block = Block {
                gather,
                source,
                panels,
                end,
                terms: &terms,
                positions,
            };
            let rows = &mut scratch.rows;
            block.multiply(chunk, &mut scratch.block, &mut scratch.offsets, rows);
        }
    }
}

/// The rectangles of positions to sum together, and the taps of each.
///
/// Taps outside the source add exact zeros, so that leaving them out changes no sum; whether it
/// pays depends on how many positions are left in a class.
fn classes(gather: &Gather, items: usize) -> Vec<(Span, Span)> {
    let whole = |positions: usize, taps: usize| {
        vec![Span {
            positions: 0..positions,
            taps: 0..taps,
        }]
    };
    let whole_y = whole(gather.positions.0, gather.taps_y);
    let whole_x = whole(gather.positions.1, gather.taps_x);
    let cost = |ys: &[Span], xs: &[Span]| -> usize {
        let one = |y: &Span, x: &Span| {
            let positions = items * y.positions.len() * x.positions.len();
            positions.max(FEW) * (y.taps.len() * x.taps.len() * gather.source.2 + 16)
        };
        ys.iter()
            .flat_map(|y| xs.iter().map(move |x| one(y, x)))
            .sum()
    };
    let (spans_y, spans_x) = (gather.spans_y(), gather.spans_x());
    [
        (&whole_y, &whole_x),
        (&spans_y, &whole_x),
        (&spans_y, &spans_x),
    ]
    .into_iter()
    .min_by_key(|(ys, xs)| cost(ys, xs))
    .map(|(ys, xs)| {
        let pairs = ys
            .iter()
            .flat_map(|y| xs.iter().map(|x| (y.clone(), x.clone())));
        pairs.collect()
    })
    .unwrap_or_default()
}

/// The terms of these taps, cut into parts of at most [`DEPTH`]; one empty part if there are none.
fn terms(gather: &Gather, ys: &Range<usize>, xs: &Range<usize>) -> Vec<Range<usize>> {
    let (run, channels) = (gather.taps_x * gather.source.2, gather.source.2);
    let mut parts = Vec::new();
    let mut cut = |all: Range<usize>| {
        let count = all.len().div_ceil(DEPTH);
        parts.extend((0..count).map(|i| {
            let at = |i: usize| all.start + all.len() * i / count;
            at(i)..at(i + 1)
        }));
    };
    let is_long = run >= LONG || gather.taps_y == 1;
    if xs.len() == gather.taps_x && !is_long {
        cut(ys.start * run..ys.end * run);
    } else {
        for y in ys.clone() {
            cut(y * run + xs.start * channels..y * run + xs.end * channels);
        }
    }
    if parts.is_empty() {
        parts.push(0..0);
    }
    parts
}

/// Some positions of one class times all weights.
struct Block<'a> {
    gather: &'a Gather,
    source: &'a [f32],
    panels: &'a Panels,
    end: End<'a>,
    terms: &'a [Range<usize>],
    positions: &'a [Position],
}

impl Block<'_> {
    fn multiply(
        &self,
        chunk: &mut [f32],
        block: &mut Aligned,
        offsets: &mut Vec<usize>,
        rows: &mut Vec<*const f32>,
    ) {
        block.resize(BLOCK * ROW);
        let block = block.values_mut();
        offsets.clear();
        offsets.extend(self.positions.iter().map(|position| position.to));
        let columns = self.gather.destination.2;
        assert!(columns == self.panels.columns && self.gather.depth() <= self.panels.depth);
        assert!(offsets.iter().all(|&to| to + columns <= chunk.len()));
        for (i, terms) in self.terms.iter().enumerate() {
            rows.clear();
            let is_narrow = columns <= NARROW;
            let packed = block.chunks_exact_mut(ROW);
            rows.extend(self.positions.iter().zip(packed).map(|(position, packed)| {
                let borrowed = is_narrow
                    .then(|| self.gather.borrow(self.source, position, terms))
                    .flatten();
                let row = borrowed.unwrap_or_else(|| {
                    let out = &mut packed[..terms.len()];
                    self.gather.read(self.source, position, terms, out);
                    out
                });
                row.as_ptr()
            }));
            let start = if i == 0 {
                self.end.start
            } else {
                Start::Continue
            };
            let is_last = i + 1 == self.terms.len();
            self.multiply_part(terms, start, is_last, rows, offsets, chunk);
        }
        if self.end.epilogue.activation == Activation::Tanh {
            for &to in &*offsets {
                crate::activation::tanh_in_place(&mut chunk[to..to + columns]);
            }
        }
    }

    fn multiply_part(
        &self,
        terms: &Range<usize>,
        start: Start,
        is_last: bool,
        rows: &[*const f32],
        offsets: &[usize],
        chunk: &mut [f32],
    ) {
        let dispatch = self.panels.dispatch;
        let count = offsets.len();
        let tiles = count.div_ceil(dispatch.rows());
        let weights = self.panels.values();
        assert!(rows.len() == count);
        for panel in self.panels.panels() {
            let width = panel.vectors * dispatch.lanes();
            let b = &weights[panel.offset + terms.start * width..][..terms.len() * width];
            let next = panel.offset + self.panels.depth * width + terms.start * width;
            let next = weights.as_ptr().wrapping_add(next);
            let finish = is_last.then(|| Finish {
                bias: match self.end.epilogue.bias {
                    Some(bias) => bias[panel.column..][..panel.columns].as_ptr(),
                    None => std::ptr::null(),
                },
                slope: match self.end.epilogue.activation {
                    Activation::LeakyRelu(slope) => slope,
                    Activation::Relu6 => 0.0,
                    Activation::Identity | Activation::Tanh => 1.0,
                },
                upper: match self.end.epilogue.activation {
                    Activation::Relu6 => 6.0,
                    _ => f32::INFINITY,
                },
            });
            for i in 0..tiles {
                let part = count * i / tiles..count * (i + 1) / tiles;
                let tile = Tile {
                    depth: terms.len(),
                    a: std::ptr::null(),
                    a_rows: rows[part.clone()].as_ptr(),
                    b: b.as_ptr(),
                    next: if i + 1 == tiles { next } else { b.as_ptr() },
                    c: chunk.as_mut_ptr().wrapping_add(panel.column),
                    rows: offsets[part.clone()].as_ptr(),
                    columns: panel.columns,
                    start,
                    finish,
                };
                let multiply = dispatch.tile(RowsOf::Positions, part.len(), panel.vectors);
                // SAFETY: `dispatch` was detected; each of the rows was a slice of `terms.len()`
                // values, the panel `terms.len()` rows, the bias `columns` values, and all offsets lie
                // `columns` of the chunk before its end.
                unsafe { multiply(&tile) };
            }
        }
    }
}
