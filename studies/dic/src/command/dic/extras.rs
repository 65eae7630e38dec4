//! What is computed from a field beyond the field itself: uncertainty and strain.

use std::sync::LazyLock;

use retrial_dic::calibration::{PixelMap, specimen_strain};
use retrial_dic::{
    DicError, Field, NoiseLevel, PointUncertainty, Reference, Sensitivity, Settings, Strain,
    StrainFault, StrainField, StrainMeasure, StrainWindow, sensitivity, strain_field, uncertainty,
};
use retrial_runner::Failure;
use retrial_store::{Quantity, Values};

use super::columns::column;
use super::refused;
use crate::cli::DicArgs;

/// What is prepared once for a series.
pub(super) struct Extras {
    sensitivity: Sensitivity,
    window: Option<StrainWindow>,
    measure: StrainMeasure,
}

/// What is known of one image beyond its field.
pub(super) struct Extra {
    pub(super) uncertainties: Vec<Option<PointUncertainty>>,
    strain: Option<StrainField>,
}

impl Extras {
    pub(super) fn new(args: &DicArgs, reference: &Reference) -> Result<Self, Failure> {
        let window = match args.strain {
            // A window of another size is refused before anything is correlated.
            Some(points) if !(3..=501).contains(&points) || points.is_multiple_of(2) => {
                return Err(refused(DicError::StrainWindow { points }));
            }
            Some(points) => Some(StrainWindow::default().with_points(points)),
            None => None,
        };
        if let Some(window) = &window {
            fits(window.points, reference.points(), args.step)?;
        }
        Ok(Self {
            sensitivity: sensitivity(reference).map_err(refused)?,
            window,
            measure: args.strain_measure,
        })
    }

    pub(super) fn measure(
        &self,
        field: &mut Field,
        settings: &Settings,
        map: Option<&PixelMap>,
    ) -> Result<Extra, DicError> {
        let uncertainties = uncertainty(&self.sensitivity, field, NoiseLevel::Residual)?;
        let fitted = self.window.as_ref().map(|window| match map {
            Some(map @ PixelMap::Plane(_)) => {
                specimen_strain(map, field, settings, window, self.measure, &uncertainties)
            }
            _ => strain_field(field, settings, window, self.measure, Some(&uncertainties)),
        });
        Ok(Extra {
            strain: fitted.transpose()?,
            uncertainties,
        })
    }

    /// The strain in words.
    pub(super) fn fact(&self, settings: &Settings) -> Option<(&'static str, String)> {
        let window = self.window.as_ref()?;
        let (points, gauge) = (window.points, window.gauge_px(settings));
        let name = self.measure.name();
        Some((
            "strain",
            format!("{name}, plane through {points} x {points} points, gauge length {gauge} px"),
        ))
    }
}

/// Refuses a strain window that is larger than the field of points.
fn fits(window: usize, points: &[(usize, usize)], step: usize) -> Result<(), Failure> {
    let across = |of: fn(&(usize, usize)) -> usize| {
        let values = || points.iter().map(of);
        let ends = values().max().zip(values().min());
        ends.map_or(0, |(high, low)| (high - low) / step.max(1) + 1)
    };
    let (columns, rows) = (across(|p| p.0), across(|p| p.1));
    if window <= columns.max(rows) && 4 * columns.min(window) * rows.min(window) >= window * window
    {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--strain {window}: a window of {window} x {window} points does not fit into the field of {columns} x {rows} \
         points; use a smaller window, or a smaller --step"
    )))
}

/// The words of the column `strain_status`, by code.
static STRAIN_STATUS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let faults = FAULTS.map(StrainFault::name);
    std::iter::once("measured").chain(faults).collect()
});

const FAULTS: [StrainFault; 4] = [
    StrainFault::PointFailed,
    StrainFault::TooFewPoints,
    StrainFault::IllPlaced,
    StrainFault::Folded,
];

impl Extra {
    /// Its columns; NaN where a point has none.
    pub(super) fn columns(&self, field: &Field, map: Option<&PixelMap>) -> Vec<Quantity> {
        let mut columns = Vec::new();
        columns.extend(spreads(&self.uncertainties));
        if let Some(map) = map {
            columns.extend(spreads_mm(field, &self.uncertainties, map));
        }
        if let Some(strain) = &self.strain {
            columns.extend(strains(strain, map));
        }
        columns
    }
}

fn spreads(known: &[Option<PointUncertainty>]) -> [Quantity; 3] {
    let number = |value: fn(&PointUncertainty) -> f64| {
        let or_nan = |point: &Option<PointUncertainty>| point.as_ref().map_or(f64::NAN, value);
        Values::F64(known.iter().map(or_nan).collect())
    };
    [
        column(
            "u_std",
            "px",
            "standard uncertainty of u from image noise",
            number(|p| p.u),
        ),
        column(
            "v_std",
            "px",
            "standard uncertainty of v from image noise",
            number(|p| p.v),
        ),
        column(
            "noise",
            "grey levels",
            "white noise of one image, from the residual of the subset",
            number(|p| p.noise),
        ),
    ]
}

/// Uncertainties carried over to millimetres by the gradient of the map.
fn spreads_mm(field: &Field, known: &[Option<PointUncertainty>], map: &PixelMap) -> [Quantity; 2] {
    let mut out = [Vec::new(), Vec::new()];
    for (point, known) in field.points.iter().zip(known) {
        let moved = [point.x as f64 + point.u(), point.y as f64 + point.v()];
        let both = known.as_ref().zip(map.gradient_mm_per_px(moved));
        for (axis, column) in out.iter_mut().enumerate() {
            column.push(both.map_or(f64::NAN, |(known, gradient)| {
                let [a, b] = [gradient[axis][0] * known.u, gradient[axis][1] * known.v];
                let variance = a * a + b * b + 2.0 * known.correlation_uv * a * b;
                variance.max(0.0).sqrt()
            }));
        }
    }
    let [u, v] = out.map(Values::F64);
    [
        column(
            "u_mm_std",
            "mm",
            "standard uncertainty of u_mm from image noise",
            u,
        ),
        column(
            "v_mm_std",
            "mm",
            "standard uncertainty of v_mm from image noise",
            v,
        ),
    ]
}

fn strains(strain: &StrainField, map: Option<&PixelMap>) -> Vec<Quantity> {
    let (along_x, along_y) = match map {
        Some(PixelMap::Plane(_)) => (
            "strain along x_mm of the specimen, lens distortion undone",
            "strain along y_mm of the specimen, lens distortion undone",
        ),
        _ => ("strain along x of the image", "strain along y of the image"),
    };
    let number = |value: fn(&Strain) -> f64| {
        let points = strain.points.iter();
        let or_nan = points.map(|p| p.strain.as_ref().map_or(f64::NAN, value));
        Values::F64(or_nan.collect())
    };
    let spread = |value: fn(&retrial_dic::StrainUncertainty) -> f64| {
        let points = strain.points.iter();
        let of = |s: &Strain| s.uncertainty.as_ref().map_or(f64::NAN, value);
        Values::F64(
            points
                .map(|p| p.strain.as_ref().map_or(f64::NAN, of))
                .collect(),
        )
    };
    let codes = strain.points.iter().map(|point| match point.strain {
        Ok(_) => 0,
        Err(fault) => FAULTS
            .iter()
            .zip(1_u8..)
            .find(|(known, _)| **known == fault)
            .map_or(u8::MAX, |(_, code)| code),
    });
    vec![
        column("exx", "", along_x, number(|s| s.tensor.xx)),
        column("eyy", "", along_y, number(|s| s.tensor.yy)),
        column(
            "exy",
            "",
            "shear strain, half of the change of the right angle",
            number(|s| s.tensor.xy),
        ),
        column(
            "e1",
            "",
            "larger principal strain",
            number(|s| s.tensor.principal().first),
        ),
        column(
            "e2",
            "",
            "smaller principal strain",
            number(|s| s.tensor.principal().second),
        ),
        column(
            "exx_std",
            "",
            "standard uncertainty of exx from image noise",
            spread(|s| s.xx),
        ),
        column(
            "eyy_std",
            "",
            "standard uncertainty of eyy from image noise",
            spread(|s| s.yy),
        ),
        column(
            "exy_std",
            "",
            "standard uncertainty of exy from image noise",
            spread(|s| s.xy),
        ),
        column(
            "strain_status",
            "",
            "what became of the strain of the point",
            Values::Code(codes.collect(), &STRAIN_STATUS),
        ),
    ]
}
