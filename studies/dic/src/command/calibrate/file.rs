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

/// How many times a lens may enlarge the area of a pixel, or reduce it: those that are measured with stay far below.
const MOST_GAIN: f64 = 4.0;

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
    plane_behind(found.camera, pose, args.plate_thickness)
        .map_err(|what| Failure::usage(format!("--plate-thickness {what}")))?;
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
    let plane = plane_behind(camera, pose, plate_thickness_mm)
        .map_err(|what| wrong(format!("`plate_thickness_mm` {what}")))?;
    if let Some(size) = size {
        check_map(&plane, size).map_err(wrong)?;
    }
    Ok(plane)
}

/// The plane of the specimen behind that of a target; both must be before the camera, and a plate is no thicker than
/// the target is far.
fn plane_behind(
    camera: Camera,
    target: Pose,
    plate_thickness_mm: f64,
) -> Result<SpecimenPlane, String> {
    let distance = SpecimenPlane::new(camera, target, 0.0).distance_mm();
    match plate_thickness_mm.abs() < distance {
        true => Ok(SpecimenPlane::new(camera, target, plate_thickness_mm)),
        false => Err(format!(
            "is {plate_thickness_mm} mm, and the target stood {distance:.1} mm before the camera; state the thickness \
             of the target's plate in mm"
        )),
    }
}

/// Refuses a camera of which some pixel of a picture shows no place of the plane, or one with a distortion that no
/// lens has.
fn check_map(plane: &SpecimenPlane, (width, height): (usize, usize)) -> Result<(), String> {
    const STEPS: u32 = 16;
    let camera = plane.camera();
    let at =
        |step: u32, size: usize| f64::from(step) / f64::from(STEPS) * size.saturating_sub(1) as f64;
    for (row, column) in (0..=STEPS).flat_map(|row| (0..=STEPS).map(move |column| (row, column))) {
        let pixel = [at(column, width), at(row, height)];
        let gain = camera.normalised(pixel).map(|at| camera.area_gain(at));
        let what = match gain {
            Some(gain) if (1.0 / MOST_GAIN..=MOST_GAIN).contains(&gain) => {
                if plane.position_mm(pixel).is_some() {
                    continue;
                }
                "the line of sight misses the plane of the specimen (`plane`)".to_owned()
            }
            Some(gain) => format!(
                "the distortion (`radial`, `tangential`) makes areas {gain:.2} times as large; from {} to {MOST_GAIN} \
                 times is a lens to measure with",
                1.0 / MOST_GAIN
            ),
            None => "the distortion (`radial`, `tangential`) cannot be undone".to_owned(),
        };
        let [x, y] = pixel;
        return Err(format!(
            "at x {x:.0}, y {y:.0} px of {width} × {height} px {what}; calibrate with points up to the corners of the \
             picture, or with fewer terms (`retrial calibrate --radial 1`)"
        ));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera straight before a plane at 100 mm, with a picture of 160 × 120 px.
    fn checked(radial: [f64; 3]) -> Result<(), String> {
        let camera = Camera {
            fx: 300.0,
            fy: 300.0,
            skew: 0.0,
            cx: 79.5,
            cy: 59.5,
            radial,
            tangential: [0.0; 2],
        };
        check_map(&plane_behind(camera, POSE, 0.0)?, (160, 120))
    }

    const POSE: Pose = Pose {
        rotation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        translation_mm: [0.0, 0.0, 100.0],
    };

    #[test]
    fn a_camera_shows_a_place_at_every_pixel_of_its_picture() {
        for k1 in [0.0, -0.3, 0.3] {
            assert_eq!(checked([k1, 0.0, 0.0]), Ok(()));
        }
        for (k1, words) in [
            (
                -50.0,
                "at x 0, y 0 px of 160 × 120 px the distortion (`radial`, `tangential`) cannot be undone",
            ),
            (50.0, "makes areas"),
            (f64::MAX, "the distortion"),
        ] {
            let fault = checked([k1, 0.0, 0.0]).expect_err("no lens");
            assert!(fault.contains(words), "{k1}: {fault}");
        }
    }

    #[test]
    fn a_plate_is_no_thicker_than_its_target_is_far() {
        let camera = Camera {
            fx: 300.0,
            fy: 300.0,
            skew: 0.0,
            cx: 79.5,
            cy: 59.5,
            radial: [0.0; 3],
            tangential: [0.0; 2],
        };
        for thickness in [0.0, 3.0, -3.0] {
            let plane = plane_behind(camera, POSE, thickness).expect("a plate");
            assert_eq!(plane.distance_mm(), 100.0 + thickness);
        }
        for thickness in [1e9, -100.0] {
            let fault = plane_behind(camera, POSE, thickness).expect_err("no plate");
            assert!(
                fault.contains("the target stood 100.0 mm before the camera"),
                "{fault}"
            );
        }
    }
}
