//! `retrial dic REFERENCE DEFORMED…`: displacement fields of one's own images, without a spec.

use std::ops::ControlFlow;
use std::path::Path;

use retrial_core::hash::content;
use retrial_core::image::GrayImage;
use retrial_data::{DataError, read_gray, read_mask};
use retrial_dic::{
    DicError, GaussianFilter, PointResult, ReferenceStrategy, Settings, ShapeOrder, Status,
    SubsetShape,
};
use retrial_store::{Tree, Value};

use super::count;
use crate::cli::{DicArgs, Outline, Strategy};
use crate::failure::Failure;
use crate::studies::dic::{ImageResult, fields_table, fields_tree};

pub(crate) fn run(args: &DicArgs) -> Result<(), Failure> {
    let settings = settings(args);
    let reference = read_gray(&args.reference).map_err(unreadable)?;
    let mask = args
        .mask
        .as_deref()
        .map(read_mask)
        .transpose()
        .map_err(unreadable)?;
    prepare_output(args)?;
    let mut results: Vec<ImageResult> = Vec::new();
    let images = args.deformed.iter().map(|path| read(path));
    let total = args.deformed.len();
    retrial_dic::correlate_series(
        &reference,
        images,
        mask.as_ref(),
        &settings,
        |index, field| {
            let name = file_name(&args.deformed[index]);
            let converged = field.count(Status::Converged);
            let points = field.points.len();
            say!(
                "[{}/{total}] {name}: {converged} of {} converged",
                index + 1,
                count(points, "point")
            );
            results.push(ImageResult { name, field });
            ControlFlow::Continue(())
        },
    )
    .map_err(|error| match error {
        Unusable::Image(failure) => failure,
        Unusable::Dic(error) => Failure::usage(format!("cannot correlate: {error}")),
    })?;
    if results
        .iter()
        .all(|result| result.field.count(Status::Converged) == 0)
    {
        eprintln!(
            "warning: no point converged; the images share no pattern that could be followed"
        );
    }
    let mut tree = fields_tree(&results)?;
    describe(&mut tree, args, &settings)?;
    fields_table(&results)?.write(args.output.join("fields.csv"))?;
    retrial_store::write(args.output.join("fields.h5"), &tree)?;
    let pictures = draw(args, &results)?;
    say!(
        "fields.csv, fields.h5 and {} in {}",
        count(pictures, "picture"),
        args.output.display()
    );
    Ok(())
}

/// An image that cannot be read, or an engine that refuses.
enum Unusable {
    Image(Failure),
    Dic(DicError),
}

impl From<DicError> for Unusable {
    fn from(error: DicError) -> Self {
        Self::Dic(error)
    }
}

fn read(path: &Path) -> Result<GrayImage, Unusable> {
    read_gray(path).map_err(|error| Unusable::Image(unreadable(error)))
}

/// A picture that was named on the command line and cannot be read.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn unreadable(error: DataError) -> Failure {
    Failure::usage(error.to_string())
}

fn settings(args: &DicArgs) -> Settings {
    let defaults = Settings::default();
    let prefilter = match args.sigma {
        None => defaults.prefilter,
        Some(0.0) => None,
        // Three standard deviations to each side.
        Some(sigma_px) => Some(GaussianFilter {
            sigma_px,
            window_px: 2 * ((3.0 * sigma_px).ceil().clamp(1.0, 1000.0) as usize) + 1,
        }),
    };
    Settings {
        subset_size_px: args.subset_size,
        step_px: args.step,
        shape_order: match args.order {
            0 => ShapeOrder::Zero,
            1 => ShapeOrder::One,
            _ => ShapeOrder::Two,
        },
        subset_shape: match args.shape {
            Outline::Square => SubsetShape::Square,
            Outline::Circle => SubsetShape::Circle,
        },
        reference_strategy: match args.strategy {
            Strategy::First => ReferenceStrategy::First,
            Strategy::Previous => ReferenceStrategy::Previous,
        },
        prefilter,
        ..defaults
    }
}

/// Makes the folder; files of an earlier run stay unless `--force` says otherwise.
fn prepare_output(args: &DicArgs) -> Result<(), Failure> {
    let folder = &args.output;
    for name in ["fields.csv", "fields.h5"] {
        let path = folder.join(name);
        if path.exists() && !args.force {
            let path = path.display();
            return Err(Failure::usage(format!(
                "{path} is there already; use --force to replace it"
            )));
        }
    }
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::storage(format!("cannot create {}: {error}", folder.display()))
    })?;
    // Pictures of an earlier run, of more images perhaps, would look like this one's.
    for number in 1_u32.. {
        let mut found = false;
        for (name, ..) in PICTURES {
            let path = folder.join(format!("{number:03}-{name}.png"));
            found |= path.exists() && std::fs::remove_file(path).is_ok();
        }
        if !found {
            break;
        }
    }
    Ok(())
}

/// Settings and image hashes as attributes of the file.
fn describe(tree: &mut Tree, args: &DicArgs, settings: &Settings) -> Result<(), Failure> {
    let hash = |path: &Path| {
        std::fs::read(path).map_or_else(|_| "unknown".to_owned(), |bytes| content(&bytes))
    };
    let text = |value: String| Value::Text(value);
    let deformed: Vec<String> = args.deformed.iter().map(|path| hash(path)).collect();
    for (name, value) in [
        (
            "program",
            text(format!("retrial {}", env!("CARGO_PKG_VERSION"))),
        ),
        ("settings", text(format!("{settings:?}"))),
        ("reference", text(file_name(&args.reference))),
        ("reference_content", text(hash(&args.reference))),
        ("deformed_content", text(deformed.join(" "))),
    ] {
        tree.set_attribute("", name, value)?;
    }
    Ok(())
}

/// One picture each of u, v and ZNCC an image; points that did not converge are left out.
fn draw(args: &DicArgs, results: &[ImageResult]) -> Result<usize, Failure> {
    let mut pictures = 0;
    for (number, result) in (1..).zip(results) {
        let points = &result.field.points;
        let x: Vec<f64> = points.iter().map(|point| point.x as f64).collect();
        let y: Vec<f64> = points.iter().map(|point| point.y as f64).collect();
        for (name, unit, value) in PICTURES {
            let shown = |point: &PointResult| match point.status {
                Status::Converged => value(point),
                _ => f64::NAN,
            };
            let values: Vec<f64> = points.iter().map(shown).collect();
            if let Some(png) = retrial_report::field_png(&x, &y, &values, name, unit) {
                let path = args.output.join(format!("{number:03}-{name}.png"));
                retrial_store::atomic_write(&path, &png)?;
                pictures += 1;
            }
        }
    }
    Ok(pictures)
}

/// A quantity that is drawn: name, unit and value.
type Picture = (&'static str, &'static str, fn(&PointResult) -> f64);

const PICTURES: [Picture; 3] = [
    ("u", "px", |point| point.p[0]),
    ("v", "px", |point| point.p[6]),
    ("zncc", "", |point| point.zncc),
];

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
