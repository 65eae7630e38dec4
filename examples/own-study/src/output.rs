//! The table that a trial leaves.

use std::f64::consts::PI;

use retrial_core::rows;

use crate::needle;
use crate::tables::Throwing;

rows! {
    /// What a trial leaves.
    pub(crate) const TABLES;

    /// One row a repeat.
    pub(crate) struct RepeatRow in "repeats" {
        /// Repeat, from 0.
        repeat: usize;
        /// Throws that hit a line.
        hits: usize;
        /// The estimate of π.
        estimate: f64;
        /// The estimate less π.
        error: f64;
    }
}

/// The rows of a trial from the hits of every repeat.
pub(crate) fn repeat_rows(params: &Throwing, hits: &[u64]) -> Vec<RepeatRow> {
    let rows = hits.iter().enumerate().map(|(repeat, &hits)| {
        let hits = hits as usize;
        let estimate = needle::estimate(params.throws, hits, params.length_ratio);
        RepeatRow {
            repeat,
            hits,
            estimate,
            error: estimate - PI,
        }
    });
    rows.collect()
}
