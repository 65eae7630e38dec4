//! Two-dimensional digital image correlation: IC-GN on B-spline interpolated images.
//!
//! [`prepare`] turns a reference image and [`Settings`] into a [`Reference`]; [`correlate`] matches
//! one deformed image against it and returns a [`Field`]; [`correlate_series`] walks through a
//! whole case, one deformed image in memory at a time. [`ErrorStatistics`] compares fields with an
//! imposed displacement. [`uncertainty`] says how far the noise of the images may have moved each
//! point, [`strain_field`] fits strains and carries that on to them.
//! [`calibration`] turns fields into millimetres.
//!
//! Nothing here touches files, logs or the environment: arguments in, values out. Coordinates are
//! those of [`retrial_image`]: zero-based pixel centres, `x` right, `y` down.
//!
//! # Versions
//! Settings and errors may get more fields and variants within a minor version, which is why they are
//! `#[non_exhaustive]`. Enums of choices and of results, such as [`Gradient`] and [`Status`], are not: what a program
//! does for each of them should be asked again where there is one more.
//!
//! # Source
//! Atkinson & Becker 2020, "A 117 Line 2D Digital Image Correlation Code Written in MATLAB",
//! doi:10.3390/rs12182906; equation numbers in this crate are that article's unless another
//! source is named.
//!
#![doc = include_str!("../README.md")]

mod accuracy;
mod affine;
mod border_subsets;
mod boundary;
pub mod calibration;
mod cholesky;
mod column_sums;
mod correlate;
mod criterion;
mod dispatch;
mod efficiency;
mod error;
mod field;
mod filter;
pub mod float;
mod forecast;
mod forward;
mod gaussian;
mod global_starts;
mod gradient;
mod grid;
mod guess;
mod icgn;
mod iclm;
mod job;
mod kernel;
mod keypoint_starts;
mod keypoints;
mod lanes;
mod match_subset;
mod moments;
mod neighbours;
mod pair;
mod part;
mod partial_subsets;
mod phase;
mod pixel_weights;
mod plane;
mod products;
mod quality;
mod reference;
mod reference_update;
mod reliability_guided;
mod remainder;
mod scalespace;
mod series;
mod settings;
mod shape;
mod site;
mod solve_points;
mod spline;
mod spline_row;
mod split;
mod starts;
mod status;
mod strain;
mod subset;
mod subsets_outside;
mod task;
mod textureless;
mod truncate;
mod trust;
mod uncertainty;
mod warp;

pub use accuracy::{Accept, ComponentErrors, ErrorStatistics, ErrorSummary};
pub use correlate::correlate;
pub use efficiency::{
    CUT_OFF_LEVEL, efficiency_indicator, measured_cut_off, recovered_amplitude, smoothed_shares,
    theoretical_cut_off,
};
pub use error::DicError;
pub use field::{Curvature, Field, PointResult};
pub use filter::gaussian_filter;
pub use forecast::{
    AdviceScope, ErrorForecast, OrderAdvice, OrderSource, PairSpectra, SeriesAdvice, advise_series,
};
pub use gaussian::GaussianFilter;
pub use part::Cut;
pub use quality::{
    ImageQuality, PointQuality, SpeckleSize, advised_subset_size, image_quality, speckle_size,
};
pub use reference::{Reference, prepare, prepare_points};
pub use series::{Bookmark, Series, correlate_series};
pub use settings::{
    Borders, Criterion, Gradient, Grid, InitialGuess, InstructionSet, LastEvaluation, Optimiser,
    ReferenceStrategy, Settings, ShapeOrder, SplineDegree, Split, SubsetShape,
};
pub use shape::{PARAMETERS, Parameters, displacement_at, translation};
pub use spline::Spline;
pub use starts::Guess;
pub use status::Status;
pub use strain::{
    DisplacementGradient, FitOrder, Principal, Strain, StrainFault, StrainField, StrainMeasure,
    StrainPoint, StrainTensor, StrainUncertainty, StrainWindow, WindowWeights, strain_field,
};
pub use uncertainty::{
    Misfit, NoiseLevel, PointUncertainty, Sensitivity, misfit, misfit_is_seen, noise_of_pair,
    residual_noise, sensitivity, uncertainty,
};
