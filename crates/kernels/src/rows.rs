//! Divides work over the current rayon pool.

use std::ops::Range;

use rayon::prelude::*;

/// Multiply-adds below which a second thread costs more than it saves.
pub(crate) const SMALL: usize = 500_000;

/// Values below which a pass over memory stays on one thread.
pub(crate) const SHORT: usize = 1 << 16;

/// Runs `work` on pieces of at least `at_least` of `rows` rows of `data`, each of `row` values.
///
/// How it is cut depends on the number of threads, so `work` must treat rows independently.
pub(crate) fn for_rows(
    data: &mut [f32],
    row: usize,
    pieces: usize,
    work: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    let rows = data.len() / row;
    if pieces <= 1 || rows <= 1 {
        work(0..rows, data);
        return;
    }
    let each = rows.div_ceil(pieces);
    data.par_chunks_mut(each * row)
        .enumerate()
        .for_each(|(i, chunk)| {
            let first = i * each;
            work(first..first + chunk.len() / row, chunk);
        });
}

/// Pieces for work of `cost` multiply-adds: one a thread, or one below the threshold.
pub(crate) fn pieces(cost: usize) -> usize {
    if cost < SMALL {
        1
    } else {
        rayon::current_num_threads()
    }
}

/// Pieces for a pass over so many values: one a thread, or one below the threshold.
pub(crate) fn share(values: usize) -> usize {
    if values < SHORT {
        1
    } else {
        rayon::current_num_threads()
    }
}

/// Runs `work` on the chunks `0..count` and gives the results in order.
pub(crate) fn in_order<T: Send>(
    count: usize,
    values: usize,
    work: impl Fn(usize) -> T + Sync + Send,
) -> Vec<T> {
    if values < SHORT {
        (0..count).map(work).collect()
    } else {
        (0..count).into_par_iter().map(work).collect()
    }
}
