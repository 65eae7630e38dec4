//! `retrial dic REFERENCE DEFORMED…`: displacement fields of one's own images, without a spec.
//!
//! One deformed image is read, correlated, written and forgotten before the next, so that a series
//! of any length needs the memory of one pair.

mod columns;
mod extras;
mod inputs;
mod output;
mod provenance;
mod suited;
mod summary;

use std::ops::ControlFlow;
use std::path::Path;

use retrial_core::image::GrayImage;
use retrial_data::read_gray;
use retrial_dic::{
    Borders, DicError, GaussianFilter, ReferenceStrategy, Settings, Split, SubsetShape,
    correlate_series_from,
};

use self::extras::Extras;
use self::inputs::{Inputs, unreadable};
use self::output::Output;
use self::summary::Summary;
use crate::cli::{DicArgs, Dividing, FilterChoice, OrderChoice, Outline, Strategy};
use crate::failure::Failure;

pub(crate) fn run(args: &DicArgs) -> Result<(), Failure> {
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads));
        pool.build_global()
            .map_err(|error| Failure::usage(format!("cannot use {threads} threads: {error}")))?;
    }
    let inputs = Inputs::read(args, &settings(args))?;
    let settings = inputs.suited.settings().clone();
    let extras = Extras::new(args, &inputs.reference)?;
    let mut output = Output::prepare(args, &inputs, extras.fact(&settings))?;
    inputs.suited.print();
    let mut summary = Summary::default();
    let Inputs { reference, map, .. } = inputs;
    let size = inputs.size;
    let images = args.deformed.iter().map(|path| read(path, size));
    let mut failed = None;
    correlate_series_from(reference, images, |index, mut field| {
        let path = &args.deformed[index];
        let outcome = extras
            .measure(&mut field, &settings)
            .map_err(refused)
            .and_then(|extra| {
                let columns = columns::columns(&field, settings.shape_order, map.as_ref(), &extra);
                output.write(path, &columns)?;
                summary.add(path, args.deformed.len(), &field, &columns);
                Ok(())
            });
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    })
    .map_err(Failure::from)?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    output.finish(&summary)?;
    summary.print(args);
    if summary.any_converged() {
        Ok(())
    } else {
        Err(Failure::NothingConverged)
    }
}

/// An image that cannot be read, or an engine that refuses.
enum Unusable {
    Image(Failure),
    Dic(DicError),
}

impl From<Unusable> for Failure {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::Image(failure) => failure,
            Unusable::Dic(error) => refused(error),
        }
    }
}

impl From<DicError> for Unusable {
    fn from(error: DicError) -> Self {
        Self::Dic(error)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn refused(error: DicError) -> Failure {
    Failure::usage(format!("cannot correlate: {error}"))
}

/// A deformed image of the width and height of the reference.
fn read(path: &Path, (width, height): (usize, usize)) -> Result<GrayImage, Unusable> {
    let image = read_gray(path).map_err(|error| Unusable::Image(unreadable(error)))?;
    let (got_width, got_height) = (image.width(), image.height());
    if (got_width, got_height) == (width, height) {
        return Ok(image);
    }
    let error = DicError::ImageSize {
        width,
        height,
        got_width,
        got_height,
    };
    let path = path.display();
    let failure = Failure::usage(format!("cannot correlate {path}: {error}"));
    Err(Unusable::Image(failure))
}

fn settings(args: &DicArgs) -> Settings {
    let defaults = Settings::default();
    let prefilter = match args.filter {
        FilterChoice::Automatic => defaults.prefilter,
        FilterChoice::Sigma(0.0) => None,
        FilterChoice::Sigma(sigma_px) => Some(GaussianFilter::reaching(sigma_px)),
    };
    Settings {
        subset_size_px: args.subset,
        step_px: args.step,
        shape_order: match args.order {
            OrderChoice::Automatic => defaults.shape_order,
            OrderChoice::Order(order) => order,
        },
        subset_shape: match args.shape {
            Outline::Square => SubsetShape::Square,
            Outline::Circle => SubsetShape::Circle,
        },
        reference_strategy: match args.reference_strategy {
            Strategy::Automatic => ReferenceStrategy::Automatic,
            Strategy::First => ReferenceStrategy::First,
            Strategy::Previous => ReferenceStrategy::Previous,
        },
        borders: match args.truncate {
            Some(least_share) => Borders::Truncated { least_share },
            None => Borders::Whole,
        },
        split: match args.split {
            Dividing::Automatic => Split::Automatic,
            Dividing::None => Split::None,
        },
        prefilter,
        ..defaults
    }
}

/// The name of a file without its folder.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
