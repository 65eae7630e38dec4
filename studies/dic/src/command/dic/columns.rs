//! The columns of a field, with unit and meaning: what every file format of `retrial dic` holds.

use std::sync::LazyLock;

use retrial_dic::calibration::PixelMap;
use retrial_dic::{Cut, Field, PointResult, ShapeOrder, Status};
use retrial_store::{Quantity, Values};

use super::extras::Extra;

/// The words of the column `status`, by code.
static STATUS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| Status::ALL.iter().map(|status| status.name()).collect());

/// The words of the column `cut`, by code.
static CUT: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| Cut::ALL.iter().map(|cut| cut.name()).collect());

/// All columns of a field.
///
/// What is derived from a displacement is NaN at points that did not converge; `status` says why.
pub(super) fn columns(
    field: &Field,
    order: ShapeOrder,
    map: Option<&PixelMap>,
    extra: &Extra,
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
    let mut columns = vec![
        column(
            "x",
            "px",
            "column of the point in the reference image, from 0",
            whole(|p| p.x),
        ),
        column(
            "y",
            "px",
            "row of the point in the reference image, from 0, downwards",
            whole(|p| p.y),
        ),
        column(
            "u",
            "px",
            "displacement to the right",
            number(&PointResult::u),
        ),
        column("v", "px", "displacement downwards", number(&PointResult::v)),
    ];
    if let Some(map) = map {
        columns.extend(millimetres(points, map));
    }
    columns.extend(extra.columns(field, map));
    for (value, name, unit, meaning) in DERIVATIVES {
        let shown = match order {
            ShapeOrder::Zero => false,
            ShapeOrder::One => unit == "px/px",
            ShapeOrder::Two => true,
        };
        if shown {
            columns.push(column(name, unit, meaning, number(&value)));
        }
    }
    columns.extend([
        column(
            "zncc",
            "",
            "zero-mean normalised cross-correlation of the subsets, -1 to 1; 1 is a perfect match",
            Values::F64(points.iter().map(|p| p.zncc).collect()),
        ),
        column(
            "icgn_iterations",
            "",
            "passes over the deformed subset",
            whole(|p| p.icgn_iterations),
        ),
        column(
            "convergence_norm",
            "px",
            "size of the last update at the rim of the subset",
            Values::F64(points.iter().map(|p| p.convergence_norm).collect()),
        ),
        column(
            "status",
            "",
            "what became of the point; values at points that did not converge are NaN",
            Values::Code(points.iter().map(|p| code(&Status::ALL, &p.status)).collect(), &STATUS),
        ),
        column(
            "cut",
            "",
            "what cut the subset of the point: nothing (whole), the mask or the border of the reference image (border), the border of the deformed image (deformed_border), a jump of the displacement (split)",
            Values::Code(points.iter().map(|p| code(&Cut::ALL, &p.cut)).collect(), &CUT),
        ),
        column(
            "share",
            "",
            "share of the pixels of a whole subset that took part, 0 to 1",
            Values::F64(points.iter().map(|p| p.share).collect()),
        ),
        column(
            "reference_changes",
            "",
            "changes of the reference image that the displacement is composed over",
            whole(|p| p.reference_changes),
        ),
    ]);
    columns
}

/// Value, name, unit and meaning of a column.
type Derivative = (
    fn(&PointResult) -> f64,
    &'static str,
    &'static str,
    &'static str,
);

/// The derivatives of the shape function.
const DERIVATIVES: [Derivative; 10] = [
    (
        |p| p.gradient().u_x,
        "u_x",
        "px/px",
        "derivative of u along x within the subset",
    ),
    (
        |p| p.gradient().u_y,
        "u_y",
        "px/px",
        "derivative of u along y within the subset",
    ),
    (
        |p| p.gradient().v_x,
        "v_x",
        "px/px",
        "derivative of v along x within the subset",
    ),
    (
        |p| p.gradient().v_y,
        "v_y",
        "px/px",
        "derivative of v along y within the subset",
    ),
    (
        |p| p.curvature().u_xx,
        "u_xx",
        "1/px",
        "second derivative of u along x within the subset",
    ),
    (
        |p| p.curvature().u_xy,
        "u_xy",
        "1/px",
        "mixed second derivative of u within the subset",
    ),
    (
        |p| p.curvature().u_yy,
        "u_yy",
        "1/px",
        "second derivative of u along y within the subset",
    ),
    (
        |p| p.curvature().v_xx,
        "v_xx",
        "1/px",
        "second derivative of v along x within the subset",
    ),
    (
        |p| p.curvature().v_xy,
        "v_xy",
        "1/px",
        "mixed second derivative of v within the subset",
    ),
    (
        |p| p.curvature().v_yy,
        "v_yy",
        "1/px",
        "second derivative of v along y within the subset",
    ),
];

fn millimetres(points: &[PointResult], map: &PixelMap) -> [Quantity; 4] {
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
    [
        column(
            "x_mm",
            "mm",
            "first coordinate of the point on the specimen",
            x,
        ),
        column(
            "y_mm",
            "mm",
            "second coordinate of the point on the specimen",
            y,
        ),
        column(
            "u_mm",
            "mm",
            "displacement along the first axis of the specimen",
            u,
        ),
        column(
            "v_mm",
            "mm",
            "displacement along the second axis of the specimen",
            v,
        ),
    ]
}

pub(super) fn column(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    values: Values,
) -> Quantity {
    Quantity {
        name,
        unit,
        meaning,
        values,
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
