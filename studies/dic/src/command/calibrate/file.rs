//! The calibration file: a camera and the plane of the specimen, as YAML.

use std::path::Path;

use retrial_data::hashing::sha256_file;
use retrial_dic::calibration::{Calibration, Camera, Pose, SpecimenPlane};
use retrial_runner::Failure;
use serde::{Deserialize, Serialize};

use super::targets::Targets;
use crate::cli::CalibrateArgs;

/// The version of the file.
const FORMAT: u32 = 1;

/// Largest departure of `R Rᵀ` from the identity that is rounding.
const ROUNDING: f64 = 1e-6;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCalibration {
    format: u32,
    /// px and plain numbers; zero-based pixel centres.
    camera: WireCamera,
    plane: WirePlane,
    /// Columns and rows of the calibration pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_size_px: Option<(usize, usize)>,
    /// The place farthest right and down at which a point of the target was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen_to_px: Option<[f64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quality: Option<WireQuality>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCamera {
    fx_px: f64,
    fy_px: f64,
    skew_px: f64,
    cx_px: f64,
    cy_px: f64,
    radial: [f64; 3],
    tangential: [f64; 2],
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePlane {
    image: String,
    rotation: [[f64; 3]; 3],
    translation_mm: [f64; 3],
    plate_thickness_mm: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireQuality {
    program: String,
    targets: String,
    targets_sha256: String,
    rms_px: f64,
    standard_uncertainty: WireCamera,
    images: Vec<WireView>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireView {
    image: String,
    points: usize,
    rms_px: f64,
}

/// The text of the file.
pub(super) fn text(
    args: &CalibrateArgs,
    targets: &Targets,
    found: &Calibration,
    plane: usize,
) -> Result<String, Failure> {
    let pose = found.views[plane].pose;
    let hash = sha256_file(&args.targets).map_or_else(|_| "unknown".to_owned(), |(hash, _)| hash);
    let views = targets.names.iter().zip(&found.views);
    let wire = WireCalibration {
        format: FORMAT,
        camera: wire_camera(&found.camera),
        plane: WirePlane {
            image: targets.names[plane].clone(),
            rotation: pose.rotation,
            translation_mm: pose.translation_mm,
            plate_thickness_mm: args.plate_thickness,
        },
        image_size_px: args.image_size,
        seen_to_px: Some(seen_to(targets)),
        quality: Some(WireQuality {
            program: format!("retrial {}", env!("CARGO_PKG_VERSION")),
            targets: args.targets.display().to_string(),
            targets_sha256: hash,
            rms_px: found.rms_px,
            standard_uncertainty: wire_camera(&found.spread.0),
            images: views
                .map(|(name, view)| WireView {
                    image: name.clone(),
                    points: view.points,
                    rms_px: view.rms_px,
                })
                .collect(),
        }),
    };
    serde_yaml::to_string(&wire).map_err(|error| Failure::storage(format!("no YAML: {error}")))
}

fn seen_to(targets: &Targets) -> [f64; 2] {
    let points = targets.views.iter().flatten().map(|point| point.image_px);
    points.fold([0.0; 2], |most, at| {
        [most[0].max(at[0]), most[1].max(at[1])]
    })
}

/// Refuses pictures of another size than those that the camera was calibrated with.
fn check_size(wire: &WireCalibration, (width, height): (usize, usize)) -> Result<(), String> {
    if let Some((own_width, own_height)) = wire.image_size_px {
        if (own_width, own_height) != (width, height) {
            return Err(format!(
                "the camera was calibrated with pictures of {own_width} × {own_height} px, the reference has \
                 {width} × {height} px; a cut or binned picture needs a calibration of its own"
            ));
        }
    } else {
        if let Some([x, y]) = wire.seen_to_px
            && (x > width as f64 - 0.5 || y > height as f64 - 0.5)
        {
            return Err(format!(
                "the target was seen up to x {x:.1}, y {y:.1} px, outside of a reference of {width} × {height} px; \
                 a cut or binned picture needs a calibration of its own"
            ));
        }
        let middle = [0.5 * width as f64, 0.5 * height as f64];
        if (wire.camera.cx_px - middle[0]).abs() > 0.4 * middle[0]
            || (wire.camera.cy_px - middle[1]).abs() > 0.4 * middle[1]
        {
            return Err(format!(
                "its centre at x {:.1}, y {:.1} px lies far from the middle of a picture of {width} × {height} px; \
                 name the size of its pictures by `retrial calibrate --image-size`",
                wire.camera.cx_px, wire.camera.cy_px
            ));
        }
    }
    Ok(())
}

/// The specimen's plane of a calibration file, for pictures of that size where it is known.
pub(crate) fn read_plane(
    path: &Path,
    size: Option<(usize, usize)>,
) -> Result<SpecimenPlane, Failure> {
    let shown = path.display();
    let text = retrial_core::file::text(path, retrial_core::file::LARGEST)
        .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
    let wire: WireCalibration = serde_yaml::from_str(&text)
        .map_err(|error| Failure::usage(format!("{shown} is no calibration: {error}")))?;
    let wrong = |what: String| Failure::usage(format!("{shown}: {what}"));
    if wire.format != FORMAT {
        return Err(wrong(format!("format {}, expected {FORMAT}", wire.format)));
    }
    if let Some(size) = size {
        check_size(&wire, size).map_err(wrong)?;
    }
    let camera = Camera {
        fx: wire.camera.fx_px,
        fy: wire.camera.fy_px,
        skew: wire.camera.skew_px,
        cx: wire.camera.cx_px,
        cy: wire.camera.cy_px,
        radial: wire.camera.radial,
        tangential: wire.camera.tangential,
    };
    let WirePlane {
        rotation,
        translation_mm,
        plate_thickness_mm,
        ..
    } = wire.plane;
    let numbers = [camera.skew, camera.cx, camera.cy, plate_thickness_mm];
    let all = numbers
        .iter()
        .chain(&camera.radial)
        .chain(&camera.tangential)
        .chain(&translation_mm);
    if let Some(value) = all.into_iter().find(|value| !value.is_finite()) {
        return Err(wrong(format!("a value is {value}")));
    }
    for (name, value) in [("fx_px", camera.fx), ("fy_px", camera.fy)] {
        if !(value.is_finite() && value > 0.0) {
            return Err(wrong(format!("`{name}` must be positive, got {value}")));
        }
    }
    for i in 0..3 {
        for j in 0..3 {
            let product: f64 = (0..3).map(|k| rotation[i][k] * rotation[j][k]).sum();
            let expected = f64::from(u8::from(i == j));
            if (product - expected).is_nan() || (product - expected).abs() > ROUNDING {
                return Err(wrong(format!(
                    "`rotation` is none: rows {i} and {j} have the product {product}"
                )));
            }
        }
    }
    let pose = Pose {
        rotation,
        translation_mm,
    };
    Ok(SpecimenPlane::new(camera, pose, plate_thickness_mm))
}

fn wire_camera(camera: &Camera) -> WireCamera {
    WireCamera {
        fx_px: camera.fx,
        fy_px: camera.fy,
        skew_px: camera.skew,
        cx_px: camera.cx,
        cy_px: camera.cy,
        radial: camera.radial,
        tangential: camera.tangential,
    }
}
