//! The arguments of `retrial similarity`. Names and defaults are those of the params of the study
//! `mask-rcnn` where it has them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use retrial_runner::one_of;
use retrial_similarity::{Angles, Order, Reduction};

#[derive(Debug, Args)]
pub(crate) struct SimilarityArgs {
    /// Folder with pictures of the target domain
    pub(crate) target: PathBuf,
    /// Folder with pictures of the source domain, folders within it included
    pub(crate) source: PathBuf,
    /// Folder for weights.csv, weights.png, similar.png and run.yaml
    #[arg(long, short, alias = "output", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// What of the co-occurrence matrix is compared
    #[arg(long, value_enum, default_value_t)]
    pub(crate) texture: Texture,
    /// Grey levels of the matrix: 2 to 256
    #[arg(long, alias = "levels", value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(2..=256))]
    pub(crate) texture_levels: u16,
    /// Whether features are divided by their standard deviation
    #[arg(long, alias = "standardised", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub(crate) texture_standardised: bool,
    /// Distances of the pixels of a pair, px
    #[arg(long, value_name = "PX", value_delimiter = ',', default_values_t = [1.0], value_parser = distance)]
    pub(crate) distances: Vec<f64>,
    /// Angles of a pair, degrees: 0 is to the right, 90 downwards
    #[arg(long, value_name = "DEG", value_delimiter = ',', default_values_t = [0.0, 45.0, 90.0, 135.0], value_parser = angle, allow_hyphen_values = true)]
    pub(crate) angles: Vec<f64>,
    /// What becomes of the features of several distances and angles
    #[arg(long, default_value_t = Angles::Averaged, value_parser = one_of::<Angles>())]
    pub(crate) offsets: Angles,
    /// Whether the order of the two pixels of a pair counts
    #[arg(long, default_value_t = Order::Symmetric, value_parser = one_of::<Order>())]
    pub(crate) pairs: Order,
    /// Grey values that the levels cover: `depth` (black to white of the file), `own` (darkest to
    /// brightest of each picture) or LOW,HIGH
    #[arg(
        long,
        value_name = "RANGE",
        default_value = "depth",
        allow_hyphen_values = true
    )]
    pub(crate) grey_range: GreyRange,
    /// Scale every picture to so many pixels along both sides first
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u16).range(2..=8192))]
    pub(crate) side: Option<u16>,
    /// h of exp(−d² / h²)
    #[arg(long, value_name = "H", default_value_t = 1.0, value_parser = bandwidth)]
    pub(crate) bandwidth: f64,
    /// From the similarities to all target pictures to one weight
    #[arg(long, default_value_t = Reduction::Mean, value_parser = one_of::<Reduction>())]
    pub(crate) reduction: Reduction,
    /// Pictures drawn, with replacement
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) draws: u32,
    /// Seed of the draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Folder that keeps features for further runs; `features` in the output folder without it
    #[arg(long, value_name = "DIR")]
    pub(crate) features: Option<PathBuf>,
    /// Threads; all cores without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Replace the files of the run that is there already; its features stay
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Texture {
    /// Contrast, dissimilarity, homogeneity, angular second moment, energy, correlation
    #[default]
    Properties,
    /// The matrix over its sum
    Matrix,
}

/// Which grey values the levels cover.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum GreyRange {
    /// Black to white of the kind of file.
    Depth,
    /// Darkest to brightest of each picture.
    Own,
    /// Stated ones.
    Stated(f32, f32),
}

impl std::str::FromStr for GreyRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "depth" => return Ok(Self::Depth),
            "own" => return Ok(Self::Own),
            _ => {}
        }
        let number = |part: &str| part.trim().parse::<f32>().ok().filter(|v| v.is_finite());
        let ends = text.split_once(',');
        ends.and_then(|(low, high)| number(low).zip(number(high)))
            .filter(|(low, high)| low < high)
            .map(|(low, high)| Self::Stated(low, high))
            .ok_or_else(|| "must be depth, own or two numbers, the lower first: 0,4095".to_owned())
    }
}

impl std::fmt::Display for GreyRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Depth => f.write_str("depth"),
            Self::Own => f.write_str("own"),
            Self::Stated(low, high) => write!(f, "{low},{high}"),
        }
    }
}

fn distance(text: &str) -> Result<f64, String> {
    within(text, 1.0, 10_000.0)
}

fn angle(text: &str) -> Result<f64, String> {
    within(text, -360.0, 360.0)
}

fn bandwidth(text: &str) -> Result<f64, String> {
    within(text, 1e-6, 1e6)
}

fn within(text: &str, low: f64, high: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        _ => Err(format!("must be a number from {low} to {high}")),
    }
}
