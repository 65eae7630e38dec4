//! `retrial dic REFERENCE DEFORMED…`: displacement fields of one's own images, without a spec.
//!
//! One deformed image is read, correlated, written and forgotten before the next, so that a series
//! of any length needs the memory of one pair.

mod call;
mod chosen_settings;
mod columns;
mod extras;
mod frames;
mod inputs;
mod output;
mod points;
mod progress;
mod provenance;
mod summary;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use retrial_core::census::count;
use retrial_dic::{Borders, DicError, GaussianFilter, Series, Settings, Status, misfit_is_seen};
use retrial_runner::signals::{self, Asked};
use retrial_runner::{Failure, eprintln, say};

use self::extras::Extras;
use self::inputs::Inputs;
use self::output::Output;
use self::progress::Progress;
use self::summary::Summary;
use crate::cli::{DicArgs, FilterChoice, OrderChoice};

/// Between two notes of where a series stands, which cost as much as a small field.
const BETWEEN_BOOKMARKS: Duration = Duration::from_secs(10);

pub(super) fn run(args: &DicArgs) -> Result<(), Failure> {
    let is_stopped = Arc::new(AtomicBool::new(false));
    let signal = Arc::clone(&is_stopped);
    let first = OnceLock::new();
    let _routed = signals::route(move |asked| match asked {
        Asked::Pause => signals::pause(),
        Asked::StopSoon => signal.store(true, Ordering::Relaxed),
        Asked::Stop => {
            signal.store(true, Ordering::Relaxed);
            // Asked again, it does not wait for the image at work.
            if first.get_or_init(Instant::now).elapsed() > signals::ONE_STOP {
                std::process::exit(130);
            }
        }
    });
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads));
        pool.build_global()
            .map_err(|error| Failure::usage(format!("cannot use {threads} threads: {error}")))?;
    }
    let inputs = Inputs::read(args, &settings(args))?;
    let settings = inputs.chosen.settings().clone();
    let extras = Extras::new(args, &inputs.reference)?;
    let (mut output, resumed) = Output::prepare(args, &inputs, extras.fact(&settings))?;
    inputs.chosen.print();
    if args.points.is_none() && !misfit_is_seen(&settings) {
        eprintln!(
            "note: with a step of {} px it is not seen whether the shape function follows the field; {} px or less show it",
            settings.step_px,
            3 * (settings.side_px() / 2) / 4
        );
    }
    let Inputs {
        reference,
        frames,
        map,
        ..
    } = inputs;
    let count = frames.list.len();
    let mut summary = Summary::default();
    let mut taken = Vec::new();
    let (mut series, first) = match resumed {
        None => (Series::new(reference), 0),
        Some(Progress {
            next,
            taken: before,
            rows,
            notes,
            series,
        }) => {
            say!("going on after {next} of {count} images");
            taken = before;
            summary = rows;
            frames.restore(notes);
            let image = |place: usize| match taken.get(place) {
                Some(index) => {
                    let image = frames.read(*index).map_err(Failure::usage);
                    image.map_err(Refused)
                }
                None => Err(Refused::from(DicError::Bookmark)),
            };
            (Series::resume(reference, series, image)?, next)
        }
    };
    let mut failed = None;
    let mut next = first;
    let mut kept = Instant::now();
    while next < count && !is_stopped.load(Ordering::Relaxed) {
        let index = next;
        next += 1;
        let Some(image) = frames.take(index) else {
            continue;
        };
        let outcome = series
            .correlate(image)
            .map_err(refused)
            .and_then(|mut field| {
                taken.push(index);
                let extra = extras
                    .measure(&mut field, &settings, map.as_ref())
                    .map_err(refused)?;
                frames.note_misfit(index, &extra.uncertainties);
                let columns = columns::columns(&field, settings.shape_order, map.as_ref(), &extra);
                output.write(&frames, index, &columns)?;
                summary.add(&frames, index, &field, &columns);
                if field.count(Status::Converged) == 0 {
                    frames.lose(
                        index,
                        format!("{}: no point converged", frames.list[index].name),
                    );
                }
                let is_last = next == count || is_stopped.load(Ordering::Relaxed);
                if is_last || kept.elapsed() >= BETWEEN_BOOKMARKS {
                    kept = Instant::now();
                    output.bookmark(
                        &frames,
                        Progress {
                            next,
                            taken: taken.clone(),
                            rows: summary.clone(),
                            notes: frames.notes(),
                            series: series.bookmark(),
                        },
                    )?;
                }
                Ok(())
            });
        if let Err(failure) = outcome {
            failed = Some(failure);
            break;
        }
    }
    let is_stopped = next < count && failed.is_none();
    let lost = frames.lost();
    output.finish(&summary, &lost, failed.is_none() && !is_stopped)?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    frames.warn_of_misfit(&settings);
    frames.warn_of_clipping();
    summary.print(args);
    if is_stopped {
        return Err(Failure::Own {
            code: 130,
            text: "stopped; summary.csv and run.yaml hold what was measured\n\
                   help: the same command goes on from here"
                .to_owned(),
        });
    }
    let statuses = summary.statuses();
    if !statuses.is_empty()
        && statuses
            .iter()
            .all(|(status, _)| *status != Status::Converged)
    {
        return Err(nothing_converged(&statuses));
    }
    match lost.len() {
        0 => Ok(()),
        _ => Err(images_lost(count, &lost)),
    }
}

/// No point of any image converged; the fields are written and say why.
fn nothing_converged(statuses: &[(Status, usize)]) -> Failure {
    let counts: Vec<String> = statuses
        .iter()
        .map(|(status, total)| format!("{total} {}", status.name()))
        .collect();
    let mut text = format!("error: no point converged: {}", counts.join(", "));
    if let Some((most, _)) = statuses.iter().max_by_key(|(_, total)| *total) {
        text += &format!("\nhelp: {}", advice(*most));
    }
    Failure::Own { code: 1, text }
}

/// What to do where most points have this status.
fn advice(status: Status) -> &'static str {
    match status {
        Status::Converged => "look at the points of another status",
        Status::IterationLimit => {
            "the match did not settle; try a larger --subset or another --order"
        }
        Status::LowCorrelation => {
            "the deformed images do not show the pattern of the reference; compare the images, or give the steps between"
        }
        Status::OutOfImage => {
            "the subsets leave the deformed images; choose points farther inside, a smaller --subset, or --truncate"
        }
        Status::FlatSubset => {
            "the subsets hold one grey value; look at the exposure of the images, or try a larger --subset"
        }
        Status::IllConditioned => {
            "the pattern varies in one direction alone; try a larger --subset or a lower --order"
        }
        Status::Masked => {
            "the mask leaves too little of the subsets; try a smaller --subset or --truncate"
        }
        Status::Diverged => {
            "no match was found near the points; compare the images, or give the steps between"
        }
        Status::Uncertain => {
            "noise hides the pattern; try a larger --subset or images with more contrast"
        }
    }
}

/// Images of a series were left out; the others are measured.
fn images_lost(of: usize, lost: &[(String, String)]) -> Failure {
    let images = count(of, "image");
    let verb = if lost.len() == 1 { "was" } else { "were" };
    let mut text = format!("error: {} of {images} {verb} not measured:", lost.len());
    for (_, why) in lost {
        text += &format!("\n  {why}");
    }
    Failure::Own { code: 1, text }
}

/// A failure of what the correlation asks for, or of itself.
struct Refused(Failure);

impl From<DicError> for Refused {
    fn from(error: DicError) -> Self {
        Self(refused(error))
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        refused.0
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
    let order = match args.order {
        OrderChoice::Automatic => defaults.shape_order,
        OrderChoice::Order(order) => order,
    };
    defaults
        .with_side_px(args.subset)
        .with_step_px(args.step)
        .with_shape_order(order)
        .with_subset_shape(args.shape)
        .with_reference_strategy(args.reference_strategy)
        .with_borders(match args.truncate {
            Some(least_share) => Borders::Truncated { least_share },
            None => Borders::Whole,
        })
        .with_split(args.split)
        .with_prefilter(prefilter)
}

/// The name of a file without its folder.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
