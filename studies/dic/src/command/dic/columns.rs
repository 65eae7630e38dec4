//! The columns of a field, with unit and meaning: what every file format of `retrial dic` holds.

use std::sync::LazyLock;

use retrial_core::declare::Word as _;
use retrial_dic::calibration::PixelMap;
use retrial_dic::{Cut, Field, PointResult, ShapeOrder, Status};
use retrial_store::{Quantity, Values};

use super::quantities::quantities;

/// The words of the column `status`, by code.
static STATUS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| Status::ALL.iter().map(|status| status.name()).collect());

/// The words of the column `cut`, by code.
static CUT: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| Cut::ALL.iter().map(|cut| cut.name()).collect());

/// All columns of a field.
///
/// `extra` are those of what is known beyond the field. What is derived from a displacement is NaN at points that did not
/// converge; `status` says why.
pub(super) fn columns(
    field: &Field,
    order: ShapeOrder,
    map: Option<&PixelMap>,
    extra: Vec<Quantity>,
) -> Vec<Quantity> {
    let points = &field.points;
    let measured = |point: &PointResult| point.status == Status::Converged;
    let whole = |value: fn(&PointResult) -> usize| {
        Values::I64(points.iter().map(|p| as_i64(value(p))).collect())
    };
    let number = |value: &dyn Fn(&PointResult) -> f64| {
        let or_nan = |p: &PointResult| if measured(p) { value(p) } else { f64::NAN };
        Values::F64(points.iter().map(or_nan).collect())
    };
    let mut columns = quantities! {
        "x", "px", "column of the point in the reference image, from 0" => whole(|p| p.x);
        "y", "px", "row of the point in the reference image, from 0, downwards" => whole(|p| p.y);
        "u", "px", "displacement to the right" => number(&PointResult::u);
        "v", "px", "displacement downwards" => number(&PointResult::v);
    };
    if let Some(map) = map {
        columns.extend(millimetres(points, map));
    }
    columns.extend(extra);
    if order != ShapeOrder::Zero {
        columns.extend(quantities! {
            "u_x", "px/px", "derivative of u along x within the subset" => number(&|p| p.gradient().u_x);
            "u_y", "px/px", "derivative of u along y within the subset" => number(&|p| p.gradient().u_y);
            "v_x", "px/px", "derivative of v along x within the subset" => number(&|p| p.gradient().v_x);
            "v_y", "px/px", "derivative of v along y within the subset" => number(&|p| p.gradient().v_y);
        });
    }
    if order == ShapeOrder::Two {
        columns.extend(quantities! {
            "u_xx", "1/px", "second derivative of u along x within the subset" => number(&|p| p.curvature().u_xx);
            "u_xy", "1/px", "mixed second derivative of u within the subset" => number(&|p| p.curvature().u_xy);
            "u_yy", "1/px", "second derivative of u along y within the subset" => number(&|p| p.curvature().u_yy);
            "v_xx", "1/px", "second derivative of v along x within the subset" => number(&|p| p.curvature().v_xx);
            "v_xy", "1/px", "mixed second derivative of v within the subset" => number(&|p| p.curvature().v_xy);
            "v_yy", "1/px", "second derivative of v along y within the subset" => number(&|p| p.curvature().v_yy);
        });
    }
    let all = |value: fn(&PointResult) -> f64| Values::F64(points.iter().map(value).collect());
    let status = points
        .iter()
        .map(|p| code(Status::ALL, &p.status))
        .collect();
    let cut = points.iter().map(|p| code(Cut::ALL, &p.cut)).collect();
    columns.extend(quantities! {
        "zncc", "", "zero-mean normalised cross-correlation of the subsets, -1 to 1; 1 is a perfect match" => all(|p| p.zncc);
        "icgn_iterations", "", "passes over the deformed subset" => whole(|p| p.icgn_iterations);
        "convergence_norm", "px", "size of the last update at the rim of the subset" => all(|p| p.convergence_norm);
        "status", "", "what became of the point; values at points that did not converge are NaN" =>
            Values::Code(status, &STATUS);
        "cut", "", "what cut the subset of the point: nothing (whole), the mask or the border of the reference image \
            (border), the border of the deformed image (deformed_border), a jump of the displacement (split)" =>
            Values::Code(cut, &CUT);
        "share", "", "share of the pixels of a whole subset that took part, 0 to 1" => all(|p| p.share);
        "reference_changes", "", "changes of the reference image that the displacement is composed over" =>
            whole(|p| p.reference_changes);
    });
    columns
}

fn millimetres(points: &[PointResult], map: &PixelMap) -> Vec<Quantity> {
    let mut out: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::with_capacity(points.len()));
    for point in points {
        let pixel = [point.x as f64, point.y as f64];
        let place = map.position_mm(pixel).unwrap_or([f64::NAN; 2]);
        let moved = match point.status {
            Status::Converged => map.displacement_mm(pixel, [point.u(), point.v()]),
            _ => None,
        };
        let [u, v] = moved.unwrap_or([f64::NAN; 2]);
        for (column, value) in out.iter_mut().zip([place[0], place[1], u, v]) {
            column.push(value);
        }
    }
    let [x, y, u, v] = out.map(Values::F64);
    quantities! {
        "x_mm", "mm", "first coordinate of the point on the specimen" => x;
        "y_mm", "mm", "second coordinate of the point on the specimen" => y;
        "u_mm", "mm", "displacement along the first axis of the specimen" => u;
        "v_mm", "mm", "displacement along the second axis of the specimen" => v;
    }
}

/// The place of a value among all of its kind.
fn code<T: PartialEq>(all: &[T], value: &T) -> u8 {
    let place = all.iter().position(|known| known == value);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

fn as_i64(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The numbers of a column.
pub(super) fn numbers<'a>(columns: &'a [Quantity], name: &str) -> Option<&'a [f64]> {
    let found = columns.iter().find(|column| column.name == name)?;
    match &found.values {
        Values::F64(values) => Some(values),
        _ => None,
    }
}
