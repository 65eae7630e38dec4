//! What values of a few seeds say: intervals, tests, numbers of seeds, and when to stop.
//!
//! Every function is one of its arguments; what is drawn comes from a named stream. An interval
//! carries its level and its sides, so that what decides can be shown.
//!
#![doc = include_str!("../README.md")]

mod bootstrap;
mod bounded;
mod counts;
mod delong;
mod error;
mod holm;
mod interval;
mod normal;
mod pairs;
mod power;
mod quadrature;
mod ranks;
mod ratio;
mod root;
mod sequential;
mod student;
mod summary;

pub use bootstrap::{Bootstrapped, Group, Items, Levels, Units, bootstrap};
pub use bounded::{BoundedInterval, logit_t_interval};
pub use counts::{clopper_pearson, wilson};
pub use delong::{Area, PairedAreas, delong, paired_delong};
pub use error::StatisticsError;
pub use holm::holm;
pub use interval::{Confidence, Interval, Sides};
pub use pairs::{difference_interval, differences, pairs};
pub use power::{Aim, PlannedTest, power, seeds_needed};
pub use ranks::doubled_ranks;
pub use ratio::{Ratio, RatioSet, paired_ratio, ratio};
pub use sequential::Looks;
pub use student::{Alternative, Equivalence, TTest, equivalence, t_interval, t_test};
pub use summary::{
    Summary, half_width, mean, quantile, standard_deviation, summarise, upper_median,
};
