//! The strain of a flat specimen behind a calibrated camera.

use super::millimetres::PixelMap;
use crate::error::DicError;
use crate::field::Field;
use crate::part::Cut;
use crate::settings::Settings;
use crate::shape::{affine, deformation_gradient, translation};
use crate::status::Status;
use crate::strain::{
    DisplacementGradient, StrainFault, StrainField, StrainMeasure, StrainWindow, propagate,
    strain_field,
};
use crate::uncertainty::PointUncertainty;

/// As [`strain_field`], from the displacements in mm by the places in mm: axes are those of the specimen.
///
/// Both displacement and place are fitted over the pixels of the same window, so that a specimen that moves without
/// strain has none, and a uniform strain is found whatever the lens does.
///
/// # Errors
/// Those of [`strain_field`].
pub fn specimen_strain(
    map: &PixelMap,
    field: &Field,
    settings: &Settings,
    window: &StrainWindow,
    measure: StrainMeasure,
    uncertainties: &[Option<PointUncertainty>],
) -> Result<StrainField, DicError> {
    let size = |pixel| Some(determinant(map.gradient_mm_per_px(pixel)?).abs().sqrt());
    let middle = field.points.get(field.points.len() / 2);
    let scale = middle.and_then(|point| size([point.x as f64, point.y as f64]));
    let scale = scale.filter(|scale| scale.is_finite() && *scale > 0.0);
    let scale = scale.unwrap_or(1.0);
    // Displacements in units of one pixel in the middle, so that jumps keep their size.
    let (mut moved, mut placed) = (field.clone(), field.clone());
    let mut known: Vec<Option<PointUncertainty>> = vec![None; field.points.len()];
    for (i, point) in field.points.iter().enumerate() {
        if point.status != Status::Converged {
            continue;
        }
        let pixel = [point.x as f64, point.y as f64];
        let end = [pixel[0] + point.u(), pixel[1] + point.v()];
        let found = (|| {
            Some((
                map.position_mm(pixel)?,
                map.displacement_mm(pixel, [point.u(), point.v()])?,
                map.gradient_mm_per_px(pixel)?,
                map.gradient_mm_per_px(end)?,
            ))
        })();
        let Some((place, displacement, before, after)) = found else {
            moved.points[i].status = Status::OutOfImage;
            placed.points[i].status = Status::OutOfImage;
            continue;
        };
        let after = after.map(|row| row.map(|value| value / scale));
        let before = before.map(|row| row.map(|value| value / scale));
        let slope = product(after, deformation_gradient(&point.p));
        let [along_u, along_v] = [0, 1].map(|k| {
            [
                displacement[k] / scale,
                slope[k][0] - before[k][0],
                slope[k][1] - before[k][1],
            ]
        });
        moved.points[i].p = affine(along_u, along_v);
        let to = &mut placed.points[i];
        to.cut = Cut::Whole;
        to.p = translation(place[0] / scale, place[1] / scale);
        known[i] = uncertainties
            .get(i)
            .copied()
            .flatten()
            .map(|one| carried(one, after));
    }
    let small = StrainMeasure::Small;
    let slopes = strain_field(&placed, settings, window, StrainMeasure::Small, None)?;
    let mut strains = strain_field(&moved, settings, window, small, Some(&known))?;
    strains.measure = measure;
    for (point, place) in strains.points.iter_mut().zip(&slopes.points) {
        let (Ok(strain), Ok(place)) = (point.strain, place.strain) else {
            point.strain = point
                .strain
                .and(Err(place.strain.err().unwrap_or(StrainFault::Folded)));
            continue;
        };
        let [a, b, c, d] = place.gradient.as_array();
        let area = a * d - b * c;
        if !(area.is_finite() && area != 0.0) {
            point.strain = Err(StrainFault::IllPlaced);
            continue;
        }
        let back = [[d / area, -b / area], [-c / area, a / area]];
        let [u_x, u_y, v_x, v_y] = strain.gradient.as_array();
        let [first, second] = product([[u_x, u_y], [v_x, v_y]], back);
        let gradient = DisplacementGradient::from_array([first[0], first[1], second[0], second[1]]);
        let Some(tensor) = measure.of(&gradient) else {
            point.strain = Err(StrainFault::Folded);
            continue;
        };
        let uncertainty = strain
            .uncertainty
            .and_then(|known| propagate(measure, &gradient, &turned(&known.covariance, back)));
        let mut found = strain;
        (found.gradient, found.tensor, found.uncertainty) = (gradient, tensor, uncertainty);
        point.strain = Ok(found);
    }
    Ok(strains)
}

type Square = [[f64; 2]; 2];

fn determinant([[a, b], [c, d]]: Square) -> f64 {
    a * d - b * c
}

fn product(left: Square, right: Square) -> Square {
    left.map(|[a, b]| {
        [
            a * right[0][0] + b * right[1][0],
            a * right[0][1] + b * right[1][1],
        ]
    })
}

/// The uncertainty of a displacement after a map with that gradient.
fn carried(one: PointUncertainty, gradient: Square) -> PointUncertainty {
    let cross = one.correlation_uv * one.u * one.v;
    let covariance = |p: [f64; 2], q: [f64; 2]| {
        p[0] * q[0] * one.u * one.u
            + p[1] * q[1] * one.v * one.v
            + (p[0] * q[1] + p[1] * q[0]) * cross
    };
    let u = covariance(gradient[0], gradient[0]).max(0.0).sqrt();
    let v = covariance(gradient[1], gradient[1]).max(0.0).sqrt();
    PointUncertainty {
        u,
        v,
        correlation_uv: covariance(gradient[0], gradient[1]) / (u * v),
        ..one
    }
}

/// The covariance of a gradient that is multiplied by a matrix from the right.
fn turned(covariance: &[[f64; 4]; 4], back: Square) -> [[f64; 4]; 4] {
    let weight = |to: usize, from: usize| match to / 2 == from / 2 {
        true => back[from % 2][to % 2],
        false => 0.0,
    };
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let pairs = (0..4).flat_map(|k| (0..4).map(move |l| (k, l)));
            pairs
                .map(|(k, l)| weight(i, k) * covariance[k][l] * weight(j, l))
                .sum()
        })
    })
}
