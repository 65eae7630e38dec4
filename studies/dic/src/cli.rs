//! The arguments of `retrial dic`, `calibrate` and `speckle`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use retrial_data::Channel;
use retrial_dic::{ReferenceStrategy, ShapeOrder, Split, StrainMeasure, SubsetShape};
use retrial_runner::one_of;

#[derive(Debug, Args)]
pub(crate) struct DicArgs {
    /// The reference image
    pub(crate) reference: PathBuf,
    /// The deformed images, in order
    #[arg(required = true)]
    pub(crate) deformed: Vec<PathBuf>,
    /// Folder for the fields, summary.csv and run.yaml
    #[arg(long, short, alias = "output", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Formats of the fields; png draws them
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FORMAT", default_values_t = [FieldFormat::Csv, FieldFormat::Hdf5, FieldFormat::Png])]
    pub(crate) format: Vec<FieldFormat>,
    /// Full width of the subset, px; odd
    #[arg(long, alias = "subset-size", value_name = "PX", default_value_t = 41)]
    pub(crate) subset: usize,
    /// Spacing of the points, px
    #[arg(long, value_name = "PX", default_value_t = 10)]
    pub(crate) step: usize,
    /// Order of the shape function; auto takes the one with the smallest error in u and v, by up to twelve images
    #[arg(long, value_name = "auto|0|1|2", default_value = "auto", value_parser = order_choice)]
    pub(crate) order: OrderChoice,
    /// Outline of the subset
    #[arg(long, default_value_t = SubsetShape::Square, value_parser = one_of::<SubsetShape>())]
    pub(crate) shape: SubsetShape,
    /// Mask: pixels that are not black take part
    #[arg(long, value_name = "IMAGE")]
    pub(crate) mask: Option<PathBuf>,
    /// Chosen points in place of a grid: a CSV file of columns and rows, px
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mask", "strain"])]
    pub(crate) points: Option<PathBuf>,
    /// Standard deviation of the Gaussian prefilter, px; 0 turns it off, auto takes the filter and the
    /// spline that suit the pictures
    #[arg(long, alias = "sigma", value_name = "auto|PX", default_value = "auto", value_parser = filter_choice, allow_negative_numbers = true)]
    pub(crate) filter: FilterChoice,
    /// Points up to every border: subsets that mask or picture cut go on with this share of their pixels or more
    #[arg(long, value_name = "SHARE", num_args = 0..=1, require_equals = true, default_missing_value = "0.5", value_parser = share)]
    pub(crate) truncate: Option<f64>,
    /// What becomes of subsets across which the displacement jumps, as at a crack
    #[arg(long, default_value_t = Split::Automatic, value_parser = one_of::<Split>())]
    pub(crate) split: Split,
    /// Image each deformed one is compared with
    #[arg(long, alias = "strategy", default_value_t = ReferenceStrategy::Automatic, value_parser = one_of::<ReferenceStrategy>())]
    pub(crate) reference_strategy: ReferenceStrategy,
    /// Size of a pixel on the specimen, mm: displacements in mm too
    #[arg(long, value_name = "MM", value_parser = positive, conflicts_with = "calibration")]
    pub(crate) scale: Option<f64>,
    /// A file of `retrial calibrate`: displacements in mm too, lens distortion undone
    #[arg(long, value_name = "FILE")]
    pub(crate) calibration: Option<PathBuf>,
    /// Channel of colour images that becomes the grey value: luma is 0.299 R + 0.587 G + 0.114 B
    #[arg(long, default_value_t = Channel::Luma, value_parser = one_of::<Channel>())]
    pub(crate) channel: Channel,
    /// Strain, fitted to a window of so many points along each side; odd, 3 or more, at most the points of the field
    /// along its longer side. With --calibration it is the strain of the specimen along x_mm and y_mm
    #[arg(long, value_name = "POINTS")]
    pub(crate) strain: Option<usize>,
    /// Measure of strain
    #[arg(long, default_value_t = StrainMeasure::GreenLagrange, value_parser = one_of::<StrainMeasure>(), requires = "strain")]
    pub(crate) strain_measure: StrainMeasure,
    /// Threads; all cores without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Replace the files of the run that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// How the order of the shape function of `retrial dic` is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OrderChoice {
    /// By what the orders find on the first and the last image.
    Automatic,
    Order(ShapeOrder),
}

fn order_choice(text: &str) -> Result<OrderChoice, String> {
    if text == "auto" {
        return Ok(OrderChoice::Automatic);
    }
    let order = ["0", "1", "2"].iter().position(|own| *own == text);
    let order = order.and_then(ShapeOrder::of).map(OrderChoice::Order);
    order.ok_or_else(|| "must be auto, 0, 1 or 2".to_owned())
}

/// How the prefilter of `retrial dic` is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FilterChoice {
    /// By the spectra of the first pair, with the degree of the spline.
    Automatic,
    /// Its standard deviation, px; zero for none.
    Sigma(f64),
}

fn filter_choice(text: &str) -> Result<FilterChoice, String> {
    match (text, text.parse::<f64>()) {
        ("auto", _) => Ok(FilterChoice::Automatic),
        (_, Ok(sigma_px)) => Ok(FilterChoice::Sigma(sigma_px)),
        _ => Err("must be auto or a number of pixels".to_owned()),
    }
}

fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("expected a finite number".to_owned()),
    }
}

/// A positive finite number.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("must be a positive number".to_owned()),
    }
}

/// A share above zero, up to the whole.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1.0 => Ok(value),
        _ => Err("must be above 0 and at most 1".to_owned()),
    }
}

fn image_size(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once(['x', '×']);
    let sides = sides.and_then(|(w, h)| w.trim().parse().ok().zip(h.trim().parse().ok()));
    let is_size = |&(width, height): &(usize, usize)| width > 0 && height > 0;
    sides
        .filter(is_size)
        .ok_or_else(|| "must be columns and rows, such as 1280x1024".to_owned())
}

/// How fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum FieldFormat {
    /// Comma-separated text
    Csv,
    /// HDF5
    Hdf5,
    /// A structured NumPy array
    Npy,
    /// VTK's XML files, for ParaView
    Vtk,
    /// Pictures
    Png,
}

impl FieldFormat {
    /// Its name on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Hdf5 => "hdf5",
            Self::Npy => "npy",
            Self::Vtk => "vtk",
            Self::Png => "png",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SpeckleArgs {
    /// A YAML file with the keys of `speckle:` in a manifest (datasets/REFERENCE.md), or the name of a
    /// generated data set
    pub(crate) settings: String,
    /// Folder for the pictures, TIFF, and series.yaml
    #[arg(long, short, alias = "output", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Replace the pictures of the series that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CalibrateArgs {
    /// Points of a flat target: a CSV file with the columns image, x_px, y_px, and X_mm, Y_mm or,
    /// with --world, point; a column camera is optional. Or the name of a data set of such points
    pub(crate) targets: PathBuf,
    /// The calibration file to be written, YAML
    #[arg(long, short, alias = "output", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The target's points: a CSV file with the columns X_mm and Y_mm, and point; without it lines are counted from 0
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
    /// The camera, where the file holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) camera: Option<String>,
    /// The image whose target lay on the specimen; the last one without it
    #[arg(long, value_name = "IMAGE")]
    pub(crate) plane: Option<String>,
    /// How far the specimen lies behind that target, mm
    #[arg(
        long,
        value_name = "MM",
        default_value_t = 0.0,
        value_parser = finite,
        allow_negative_numbers = true
    )]
    pub(crate) plate_thickness: f64,
    /// Columns and rows of the calibration pictures: `dic` then refuses pictures of another size
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = image_size)]
    pub(crate) image_size: Option<(usize, usize)>,
    /// Terms of the radial distortion: 0 to 3
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=3))]
    pub(crate) radial: u8,
    /// Leave out the tangential distortion
    #[arg(long)]
    pub(crate) no_tangential: bool,
    /// Let the camera's axes be skewed
    #[arg(long)]
    pub(crate) skew: bool,
    /// The coordinate of the first pixel's centre in the file: 0, or 1 as in MATLAB; without it
    /// that of the data set, and 0 for a file
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=1))]
    pub(crate) first_pixel: Option<u8>,
    /// Replace the file that is there already
    #[arg(long)]
    pub(crate) force: bool,
}
