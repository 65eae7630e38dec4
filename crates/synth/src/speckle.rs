//! A speckle pattern as an analytic function of the position.
//!
//! The plane is divided into square cells of [`SpecklePattern::spacing_px`]; every cell holds one
//! speckle whose position and radius come from the cell's own random stream. The pattern is thus
//! without end: a larger picture or a larger displacement shows more of the same pattern and
//! changes nothing that was there before.

use retrial_seed::{Seed, Stream};

use crate::render::SynthError;

retrial_core::words! {
    /// How a speckle darkens its surroundings.
    pub enum Profile {
        /// A Gaussian of which the radius is the standard deviation. Where speckles overlap their
        /// optical densities add, so the intensity `exp(-Σ g)` stays smooth and within `0..=1`.
        Gaussian = "gaussian",
        /// A black disc; overlapping discs stay black (a Boolean model).
        Disc = "disc",
    }
}

/// What a speckle pattern looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecklePattern {
    /// Shape of one speckle.
    pub profile: Profile,
    /// Side of the square cell that holds one speckle, px.
    pub spacing_px: f64,
    /// How far a speckle may lie from its cell's centre, as a fraction of the cell: `0` is a
    /// regular lattice, `1` fills the cell.
    pub jitter: f64,
    /// Mean radius, px.
    pub radius_px: f64,
    /// Half width of the uniform distribution of radii, as a fraction of the mean.
    pub radius_spread: f64,
}

impl Default for SpecklePattern {
    fn default() -> Self {
        Self {
            profile: Profile::Gaussian,
            spacing_px: 5.0,
            jitter: 1.0,
            radius_px: 1.4,
            radius_spread: 0.35,
        }
    }
}

/// Speckles that a pixel may have near it: beyond, a picture of a camera takes minutes.
const MOST_NEAR: f64 = 1000.0;

/// Farthest place from the first pixel that is drawn, px.
const FARTHEST: f64 = 1e9;

#[derive(Clone, Copy, Debug)]
struct Speckle {
    x: f64,
    y: f64,
    /// `1 / (2 r²)` for a Gaussian, `r²` for a disc.
    shape: f64,
}

/// A part of a pattern large enough for a set of pictures.
#[derive(Clone, Debug)]
pub struct SpeckleScene {
    profile: Profile,
    /// `1 / spacing`.
    per_cell: f64,
    /// Farthest that a speckle darkens, px.
    support: f64,
    first_column: i64,
    first_row: i64,
    columns: i64,
    rows: i64,
    speckles: Vec<Speckle>,
}

impl SpeckleScene {
    /// The pattern of `seed` over `x0..=x1`, `y0..=y1` px.
    ///
    /// # Errors
    /// [`SynthError::Pattern`] for a pattern without sense, [`SynthError::TooLarge`] for one of
    /// more than four million speckles.
    pub fn draw(
        pattern: &SpecklePattern,
        seed: Seed,
        (x0, y0): (f64, f64),
        (x1, y1): (f64, f64),
    ) -> Result<Self, SynthError> {
        check(pattern)?;
        let spacing = pattern.spacing_px;
        let largest = pattern.radius_px * (1.0 + pattern.radius_spread);
        let support = match pattern.profile {
            // exp(-4.5² / 2) is 4e-5: less than a hundredth of an 8-bit grey level.
            Profile::Gaussian => 4.5 * largest,
            Profile::Disc => largest,
        };
        let near = (2.0 * support / spacing + 1.0).powi(2);
        if near > MOST_NEAR {
            return Err(SynthError::TooDense {
                radius_px: pattern.radius_px,
                spacing_px: spacing,
                speckles: near,
                most: MOST_NEAR,
            });
        }
        let far = |place: &f64| place.is_nan() || place.abs() > FARTHEST;
        if let Some(place) = [x0, y0, x1, y1].into_iter().find(far) {
            return Err(SynthError::TooFar {
                reach_px: place,
                most_px: FARTHEST,
            });
        }
        let reach = (support / spacing).ceil() as i64;
        let cell = |t: f64| (t / spacing).floor() as i64;
        let (first_column, first_row) = (cell(x0) - reach, cell(y0) - reach);
        let columns = cell(x1) + reach - first_column + 1;
        let rows = cell(y1) + reach - first_row + 1;
        let count = columns.saturating_mul(rows);
        if count > 4_000_000 {
            return Err(SynthError::TooLarge { speckles: count });
        }
        let mut speckles = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for row in first_row..first_row + rows {
            for column in first_column..first_column + columns {
                let mut stream = seed.stream(&format!("speckle {column} {row}"));
                speckles.push(draw_speckle(pattern, column, row, &mut stream));
            }
        }
        Ok(Self {
            profile: pattern.profile,
            per_cell: 1.0 / spacing,
            support,
            first_column,
            first_row,
            columns,
            rows,
            speckles,
        })
    }

    /// The shape of the speckles.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The intensity at a position of the reference, from `0` (black) to `1` (background).
    #[must_use]
    pub fn intensity(&self, x: f64, y: f64) -> f64 {
        // A speckle lies within its own cell, so only cells that the support touches count.
        let cell = |t: f64| (t * self.per_cell).floor() as i64;
        let from = (cell(x - self.support) - self.first_column).max(0);
        let to = (cell(x + self.support) - self.first_column).min(self.columns - 1);
        let top = (cell(y - self.support) - self.first_row).max(0);
        let bottom = (cell(y + self.support) - self.first_row).min(self.rows - 1);
        let mut density = 0.0;
        for near_row in top..=bottom {
            if from > to {
                continue;
            }
            let start = (near_row * self.columns + from) as usize;
            let end = (near_row * self.columns + to) as usize;
            for speckle in &self.speckles[start..=end] {
                let (dx, dy) = (x - speckle.x, y - speckle.y);
                let square = dx * dx + dy * dy;
                match self.profile {
                    Profile::Gaussian => {
                        let exponent = square * speckle.shape;
                        if exponent < 10.125 {
                            density += 2.0 * (-exponent).exp();
                        }
                    }
                    Profile::Disc => {
                        if square <= speckle.shape {
                            return 0.0;
                        }
                    }
                }
            }
        }
        (-density).exp()
    }
}

fn draw_speckle(pattern: &SpecklePattern, column: i64, row: i64, stream: &mut Stream) -> Speckle {
    let mut place = |cell: i64| {
        pattern.spacing_px * (cell as f64 + 0.5 + pattern.jitter * (stream.uniform() - 0.5))
    };
    let (x, y) = (place(column), place(row));
    let spread = pattern.radius_spread * (2.0 * stream.uniform() - 1.0);
    let radius = pattern.radius_px * (1.0 + spread);
    let shape = match pattern.profile {
        Profile::Gaussian => 0.5 / (radius * radius),
        Profile::Disc => radius * radius,
    };
    Speckle { x, y, shape }
}

fn check(pattern: &SpecklePattern) -> Result<(), SynthError> {
    let ranges = [
        ("spacing_px", pattern.spacing_px, 1.0, 1000.0),
        ("jitter", pattern.jitter, 0.0, 1.0),
        ("radius_px", pattern.radius_px, 0.3, 500.0),
        ("radius_spread", pattern.radius_spread, 0.0, 0.95),
    ];
    for (name, value, least, most) in ranges {
        if !(least..=most).contains(&value) {
            return Err(SynthError::Pattern {
                name,
                value,
                least,
                most,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_area_shows_the_same_pattern() {
        let pattern = SpecklePattern::default();
        let small = SpeckleScene::draw(&pattern, Seed(5), (0.0, 0.0), (40.0, 40.0)).expect("small");
        let large =
            SpeckleScene::draw(&pattern, Seed(5), (-90.0, -60.0), (300.0, 200.0)).expect("large");
        for (x, y) in [(0.0, 0.0), (13.7, 21.2), (39.9, 3.3)] {
            assert_eq!(small.intensity(x, y), large.intensity(x, y));
        }
    }

    #[test]
    fn a_disc_is_black_inside_and_bright_outside() {
        let pattern = SpecklePattern {
            profile: Profile::Disc,
            spacing_px: 20.0,
            jitter: 0.0,
            radius_px: 4.0,
            radius_spread: 0.0,
        };
        let scene = SpeckleScene::draw(&pattern, Seed(0), (0.0, 0.0), (20.0, 20.0)).expect("scene");
        assert_eq!(scene.intensity(10.0, 13.9), 0.0);
        assert_eq!(scene.intensity(10.0, 14.1), 1.0);
    }

    #[test]
    fn what_would_never_end_is_refused() {
        let wide = SpecklePattern {
            radius_px: 35.4,
            ..SpecklePattern::default()
        };
        let error = SpeckleScene::draw(&wide, Seed(0), (0.0, 0.0), (64.0, 48.0));
        let error = error.expect_err("too dense").to_string();
        assert!(
            error.contains("`radius_px` is 35.4") && error.contains("1000"),
            "{error}"
        );
        for far in [1e19, f64::INFINITY, f64::NAN] {
            let pattern = SpecklePattern::default();
            let error = SpeckleScene::draw(&pattern, Seed(0), (0.0, 0.0), (far, 48.0));
            assert!(matches!(error, Err(SynthError::TooFar { .. })), "{far}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let pattern = SpecklePattern {
            spacing_px: f64::NAN,
            ..SpecklePattern::default()
        };
        let error = SpeckleScene::draw(&pattern, Seed(0), (0.0, 0.0), (9.0, 9.0));
        assert!(matches!(
            error,
            Err(SynthError::Pattern {
                name: "spacing_px",
                ..
            })
        ));
    }
}
