//! `retrial calibrate TARGETS.csv`: a camera from points of a flat target, as a file that
//! `retrial dic --calibration` reads.

mod file;
mod named;
mod targets;

use retrial_core::census::count;
use retrial_dic::calibration::{Calibration, CalibrationError, CameraModel, calibrate};
use retrial_runner::{Call, Failure, eprintln, say};

pub(crate) use self::file::read_plane;
use self::targets::Targets;
use crate::cli::CalibrateArgs;

/// How many times the median reprojection error marks an image worth a look.
const CONSPICUOUS: f64 = 3.0;

pub(super) fn run(call: &Call<'_>, args: &CalibrateArgs) -> Result<(), Failure> {
    if args.out.exists() && !args.force {
        let path = args.out.display();
        return Err(Failure::usage(format!(
            "{path} is there already; use --force to replace it"
        )));
    }
    let folder = args
        .out
        .parent()
        .filter(|path| !path.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let (out, folder) = (args.out.display(), folder.display());
        return Err(Failure::usage(format!(
            "cannot write {out}: there is no folder {folder}"
        )));
    }
    let args = &named::located(call, args)?;
    let targets = Targets::read(args)?;
    let plane = match &args.plane {
        Some(name) => targets.place(name).ok_or_else(|| {
            let known = targets.names.join(", ");
            Failure::usage(format!(
                "no image `{name}` in the targets; there are {known}"
            ))
        })?,
        None => targets.names.len() - 1,
    };
    let model = CameraModel {
        radial_terms: usize::from(args.radial),
        tangential: !args.no_tangential,
        skew: args.skew,
    };
    let found =
        calibrate(&targets.views, model).map_err(|error| match bad_view(&targets, model) {
            Some(what) => Failure::usage(format!(
                "{}: cannot calibrate: {what}",
                args.targets.display()
            )),
            None => explained(args, &targets, &error),
        })?;
    let text = file::text(args, &targets, &found, plane)?;
    retrial_store::atomic_write(&args.out, text.as_bytes())?;
    print(args, &targets, &found, plane);
    if args.image_size.is_none() {
        eprintln!(
            "warning: without --image-size `retrial dic` cannot tell whether its pictures have the size of those of the \
             calibration"
        );
    }
    Ok(())
}

/// The one view without which all others make a camera, in words.
fn bad_view(targets: &Targets, model: CameraModel) -> Option<String> {
    let mut found: Vec<(f64, usize)> = Vec::new();
    for left_out in 0..targets.views.len() {
        let mut others = targets.views.clone();
        others.remove(left_out);
        if let Ok(calibration) = calibrate(&others, model) {
            found.push((calibration.rms_px, left_out));
        }
    }
    found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (rms_px, view) = *found.first()?;
    let is_clear = found
        .get(1)
        .is_none_or(|(next, _)| *next > CONSPICUOUS * rms_px);
    is_clear.then(|| {
        format!(
            "image {} (line {}) contradicts the others, which alone fit to {rms_px:.3} px; look at the order of its \
             points, or leave it out",
            targets.names[view], targets.first_lines[view]
        )
    })
}

/// The error with the file and the line that a view and a point come from.
fn explained(args: &CalibrateArgs, targets: &Targets, error: &CalibrationError) -> Failure {
    let path = args.targets.display();
    let view = match error {
        CalibrationError::TooFewPoints { view, .. }
        | CalibrationError::Collinear { view }
        | CalibrationError::NonFinite { view, .. } => Some(*view),
        _ => None,
    };
    let place = view.map_or_else(String::new, |view| {
        let (name, line) = (&targets.names[view], targets.first_lines[view]);
        format!(", line {line}, image {name}")
    });
    Failure::usage(format!("{path}{place}: cannot calibrate: {error}"))
}

fn print(args: &CalibrateArgs, targets: &Targets, found: &Calibration, plane: usize) {
    let (camera, spread) = (&found.camera, &found.spread.0);
    let points: usize = found.views.iter().map(|view| view.points).sum();
    say!(
        "{} in {}, reprojection error {:.4} px (root mean square)",
        count(points, "point"),
        count(found.views.len(), "image"),
        found.rms_px
    );
    for (name, value, uncertainty) in [
        ("fx", camera.fx, spread.fx),
        ("fy", camera.fy, spread.fy),
        ("cx", camera.cx, spread.cx),
        ("cy", camera.cy, spread.cy),
    ] {
        say!("{name:>4} {value:>12.3} ± {uncertainty:.3} px");
    }
    let terms = ["k1", "k2", "k3"]
        .iter()
        .zip(camera.radial)
        .zip(spread.radial);
    let tangential = ["p1", "p2"]
        .iter()
        .zip(camera.tangential)
        .zip(spread.tangential);
    for ((name, value), uncertainty) in terms.chain(tangential) {
        if uncertainty > 0.0 {
            say!("{name:>4} {value:>12.6} ± {uncertainty:.6}");
        }
    }
    let mut errors: Vec<f64> = found.views.iter().map(|view| view.rms_px).collect();
    errors.sort_unstable_by(f64::total_cmp);
    let usual = errors[errors.len() / 2];
    for (name, view) in targets.names.iter().zip(&found.views) {
        if view.rms_px > CONSPICUOUS * usual {
            eprintln!(
                "warning: image {name} has a reprojection error of {:.3} px, the median is \
                 {usual:.3} px; look at its points",
                view.rms_px
            );
        }
    }
    say!(
        "{}: plane of image {}, the specimen {} mm behind it",
        args.out.display(),
        targets.names[plane],
        args.plate_thickness
    );
}
