//! `retrial dic REFERENCE DEFORMED…`: displacement fields of one's own images, without a spec.
//!
//! One deformed image is read, correlated, written and forgotten before the next, so that a series
//! of any length needs the memory of one pair.

mod columns;
mod extras;
mod frames;
mod inputs;
mod output;
mod points;
mod provenance;
mod suited;
mod summary;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use retrial_dic::{
    Borders, DicError, GaussianFilter, ReferenceStrategy, Settings, Split, Status, SubsetShape,
    correlate_series_from,
};

use self::extras::Extras;
use self::inputs::Inputs;
use self::output::Output;
use self::summary::Summary;
use crate::cli::{DicArgs, Dividing, FilterChoice, OrderChoice, Outline, Strategy};
use crate::execute::signals::{self, Asked};
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
    let Inputs {
        reference,
        frames,
        map,
        ..
    } = inputs;
    let count = frames.list.len();
    let is_stopped = Arc::new(AtomicBool::new(false));
    let signal = Arc::clone(&is_stopped);
    let _routed = signals::route(move |asked| match asked {
        Asked::Pause => signals::pause(),
        Asked::Stop | Asked::StopSoon => signal.store(true, Ordering::Relaxed),
    });
    // The series counts only the pictures that can be read; these are their places in the call.
    let taken = RefCell::new(Vec::new());
    let images = (0..count)
        .take_while(|_| !is_stopped.load(Ordering::Relaxed))
        .filter_map(|index| {
            let image = frames.take(index)?;
            taken.borrow_mut().push(index);
            Some(Ok::<_, Unusable>(image))
        });
    let mut failed = None;
    let series = correlate_series_from(reference, images, |place, field| {
        let index = taken.borrow()[place];
        let outcome = extras
            .measure(&field, &settings, map.as_ref())
            .map_err(refused)
            .and_then(|extra| {
                let columns = columns::columns(&field, settings.shape_order, map.as_ref(), &extra);
                output.write(&frames, index, &columns)?;
                summary.add(&frames, index, &field, &columns);
                Ok(())
            });
        if let Err(failure) = outcome {
            failed = Some(failure);
            return ControlFlow::Break(());
        }
        if field.count(Status::Converged) == 0 {
            frames.lose(
                index,
                format!("{}: no point converged", frames.list[index].name),
            );
        }
        match is_stopped.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let is_stopped = is_stopped.load(Ordering::Relaxed);
    let is_whole = series.is_ok() && failed.is_none() && !is_stopped;
    let lost = frames.lost();
    output.finish(&summary, &lost, is_whole)?;
    series.map_err(Failure::from)?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    frames.warn_of_saturation();
    summary.print(args);
    if is_stopped {
        return Err(Failure::SeriesStopped);
    }
    if !summary.any_converged() {
        return Err(Failure::NothingConverged);
    }
    match lost.len() {
        0 => Ok(()),
        _ => Err(Failure::FramesLost {
            of: count,
            lost: lost.into_iter().map(|(_, why)| why).collect(),
        }),
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
