//! At which overlaps, sizes and numbers of detections is evaluated.

use super::error::EvaluationError;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// Boxes.
    Box,
    /// Pixels.
    Mask,
}

/// Areas in pixels, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaRange {
    /// Least area.
    pub least: f64,
    /// Largest area.
    pub most: f64,
}

impl AreaRange {
    /// Every area.
    pub const ALL: Self = Self {
        least: 0.0,
        most: 1e10,
    };
    /// Up to 32 by 32 pixels.
    pub const SMALL: Self = Self {
        least: 0.0,
        most: 1024.0,
    };
    /// From there to 96 by 96 pixels.
    pub const MEDIUM: Self = Self {
        least: 1024.0,
        most: 9216.0,
    };
    /// From there on.
    pub const LARGE: Self = Self {
        least: 9216.0,
        most: 1e10,
    };

    pub(super) fn excludes(&self, area: f64) -> bool {
        area < self.least || area > self.most
    }
}

/// At which overlaps, sizes and numbers of detections is evaluated.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// What is compared.
    pub region: Region,
    /// Overlaps from which on a detection has found its object.
    pub thresholds: Vec<f64>,
    /// Ranges of area; objects outside count neither way.
    pub areas: Vec<AreaRange>,
    /// Numbers of detections a class and picture that are looked at, ascending.
    pub limits: Vec<usize>,
}

impl Settings {
    /// COCO's: overlaps 0.5 to 0.95 by 0.05, four ranges of area, limits 1, 10 and 100.
    #[must_use]
    pub fn coco(region: Region) -> Self {
        Self {
            region,
            thresholds: evenly(0.5, 0.95, 10),
            areas: vec![
                AreaRange::ALL,
                AreaRange::SMALL,
                AreaRange::MEDIUM,
                AreaRange::LARGE,
            ],
            limits: vec![1, 10, 100],
        }
    }

    /// Objects of all sizes and at most 100 detections, at overlaps of one's own.
    #[must_use]
    pub fn at(region: Region, thresholds: Vec<f64>) -> Self {
        Self {
            region,
            thresholds,
            areas: vec![AreaRange::ALL],
            limits: vec![100],
        }
    }

    /// The same settings with these ranges of area.
    #[must_use]
    pub fn with_areas(mut self, areas: Vec<AreaRange>) -> Self {
        self.areas = areas;
        self
    }

    /// The same settings with these numbers of detections, ascending.
    #[must_use]
    pub fn with_limits(mut self, limits: Vec<usize>) -> Self {
        self.limits = limits;
        self
    }

    pub(super) fn check(&self) -> Result<(), EvaluationError> {
        let ascending = self.limits.is_sorted_by(|a, b| a < b);
        if ascending
            && !self.thresholds.is_empty()
            && !self.areas.is_empty()
            && !self.limits.is_empty()
        {
            return Ok(());
        }
        Err(EvaluationError::Settings {
            thresholds: self.thresholds.len(),
            areas: self.areas.len(),
            limits: self.limits.clone(),
        })
    }

    pub(super) fn largest_limit(&self) -> usize {
        self.limits.last().copied().unwrap_or(0)
    }
}

/// `count` numbers from `first` to `last`, rounded as numpy's `linspace` does.
pub(super) fn evenly(first: f64, last: f64, count: usize) -> Vec<f64> {
    let step = (last - first) / (count - 1) as f64;
    let mut numbers: Vec<f64> = (0..count).map(|i| i as f64 * step + first).collect();
    numbers[count - 1] = last;
    numbers
}
