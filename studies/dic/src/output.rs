//! What a correlation leaves: fields as arrays and tables.

use retrial_core::metric::FileDef;
use retrial_core::rows;
use retrial_data::ImageSeries;
use retrial_dic::{ErrorSummary, Field, PARAMETERS, PointResult, Status};
use retrial_runner::TrialError;
use retrial_store::{Array, StoreError, Tree, Value};

use super::trial::mean_zncc;
use super::uncertainty::StatedImage;

pub(super) const FIELDS: FileDef = FileDef {
    name: "fields.h5",
    doc: "What every point of every deformed image measured.",
};

rows! {
    /// What is said of images and points.
    pub(super) const TABLES;

    /// One row a deformed image.
    pub(super) struct ImageRow in "images" {
        /// Number of the deformed image, from 1.
        image: usize;
        /// Its name.
        name: String;
        /// Imposed u, mean over the points.
        imposed_u: f64, unit "px";
        /// Imposed v, mean over the points.
        imposed_v: f64, unit "px";
        /// Measured u, mean over converged points.
        mean_u: f64, unit "px";
        /// Measured v, mean over converged points.
        mean_v: f64, unit "px";
        /// Mean signed error of u.
        bias_u: f64, unit "px";
        /// Mean signed error of v.
        bias_v: f64, unit "px";
        /// Standard deviation of the error of u.
        random_error_u: f64, unit "px";
        /// Standard deviation of the error of v.
        random_error_v: f64, unit "px";
        /// hypot(rmse_u, rmse_v).
        rmse: f64, unit "px";
        /// Correlation coefficient, mean.
        mean_zncc: f64;
        /// IC-GN iterations a point, mean.
        mean_icgn_iterations: f64;
        /// Points that do not count.
        excluded_points was "failed_points": usize;
        /// Standard deviation of the white noise of one picture by the residuals.
        noise_sd was "noise": f64, unit "grey levels";
        /// Stated standard uncertainty of u.
        uncertainty_u was "stated_u": f64, unit "px";
        /// Stated standard uncertainty of v.
        uncertainty_v was "stated_v": f64, unit "px";
        /// Cramér-Rao bound of u.
        bound_u: f64, unit "px";
        /// Cramér-Rao bound of v.
        bound_v: f64, unit "px";
        /// Share of errors within one stated uncertainty.
        coverage_68: f64;
        /// Share of errors within 1.96 stated uncertainties.
        coverage_95: f64;
    }

    /// The last image, thinned to 2,500 points; `fields.h5` holds everything. Displacement, error and correlation of
    /// points that did not converge are `NaN`.
    pub(super) struct FieldRow in "field" {
        /// Column of the point.
        x: usize, unit "px";
        /// Row of the point.
        y: usize, unit "px";
        /// Measured displacement to the right.
        u: f64, unit "px";
        /// Measured displacement downwards.
        v: f64, unit "px";
        /// Error of u.
        error_u: f64, unit "px";
        /// Error of v.
        error_v: f64, unit "px";
        /// Correlation coefficient.
        zncc: f64;
        /// What became of the point.
        status: &'static str;
    }
}

/// Most points of the table `field`.
const FIELD_POINTS: usize = 2_500;

/// The field of one image.
pub(super) struct ImageResult {
    /// The image.
    pub(super) name: String,
    /// Its result.
    pub(super) field: Field,
}

/// All fields as named arrays.
///
/// # Shapes
/// - `x`, `y`: `[point]`, px in the first image
/// - `parameters`: `[image, point, 12]`
/// - `zncc`, `icgn_iterations`, `convergence_norm`, `status`: `[image, point]`
/// - `image`: `[image]`, names
pub(super) fn fields_tree(results: &[ImageResult]) -> Result<Tree, StoreError> {
    let mut tree = Tree::new();
    let points = results
        .first()
        .map_or(&[][..], |result| &result.field.points);
    let (images, count) = (results.len(), points.len());
    let each = || results.iter().flat_map(|result| &result.field.points);
    let px = |array: Array, doc: &str| {
        array
            .with_attribute("unit", Value::Text("px".to_owned()))?
            .with_attribute("meaning", Value::Text(doc.to_owned()))
    };
    let column = |value: fn(&PointResult) -> f64| each().map(value).collect::<Vec<f64>>();
    let place = |value: fn(&PointResult) -> i64| points.iter().map(value).collect::<Vec<i64>>();
    let x = Array::list(place(|p| as_i64(p.x)))?;
    tree.insert("x", px(x, "column of the point in the first image")?)?;
    let y = Array::list(place(|p| as_i64(p.y)))?;
    tree.insert("y", px(y, "row of the point in the first image")?)?;
    let parameters: Vec<f64> = each().flat_map(|p| p.p).collect();
    let parameters = Array::new([images, count, PARAMETERS], parameters)?.with_attribute(
        "order",
        Value::Text("u u_x u_y u_xx u_xy u_yy v v_x v_y v_xx v_xy v_yy".to_owned()),
    )?;
    tree.insert(
        "parameters",
        px(parameters, "displacement and its derivatives")?,
    )?;
    tree.insert("zncc", Array::new([images, count], column(|p| p.zncc))?)?;
    let norm = Array::new([images, count], column(|p| p.convergence_norm))?;
    tree.insert("convergence_norm", px(norm, "size of the last update")?)?;
    let iterations: Vec<i64> = each().map(|p| as_i64(p.icgn_iterations)).collect();
    tree.insert("icgn_iterations", Array::new([images, count], iterations)?)?;
    let status: Vec<u8> = each().map(|p| status_code(p.status)).collect();
    let names: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
    let status = Array::new([images, count], status)?
        .with_attribute("codes", Value::Text(names.join(" ")))?;
    tree.insert("status", status)?;
    let names: Vec<String> = results.iter().map(|result| result.name.clone()).collect();
    tree.insert("image", Array::list(names)?)?;
    Ok(tree)
}

/// The fields of a tree made by [`fields_tree`].
pub(super) fn from_tree(tree: &Tree) -> Result<Vec<ImageResult>, TrialError> {
    let x: &[i64] = tree.values("x")?;
    let y: &[i64] = tree.values("y")?;
    let parameters: &[f64] = tree.values("parameters")?;
    let zncc: &[f64] = tree.values("zncc")?;
    let norm: &[f64] = tree.values("convergence_norm")?;
    let iterations: &[i64] = tree.values("icgn_iterations")?;
    let status: &[u8] = tree.values("status")?;
    let names: &[String] = tree.values("image")?;
    let count = x.len();
    let cells = names.len() * count;
    let lengths = [zncc.len(), norm.len(), iterations.len(), status.len()];
    if y.len() != count
        || parameters.len() != cells * PARAMETERS
        || lengths.iter().any(|&l| l != cells)
    {
        return Err(TrialError::Other(
            "a checkpoint of another shape".to_owned(),
        ));
    }
    let size = |value: i64| usize::try_from(value).unwrap_or(0);
    let results = names.iter().enumerate().map(|(image, name)| {
        let points = (0..count).map(|point| {
            let i = image * count + point;
            let mut p = [0.0; PARAMETERS];
            p.copy_from_slice(&parameters[i * PARAMETERS..(i + 1) * PARAMETERS]);
            let status = Status::ALL.get(usize::from(status[i])).copied();
            let place = (size(x[point]), size(y[point]));
            // The study matches subsets as they are.
            let mut found = PointResult::new(place, p, status.unwrap_or(Status::Diverged));
            found.zncc = zncc[i];
            found.icgn_iterations = size(iterations[i]);
            found.convergence_norm = norm[i];
            found
        });
        ImageResult {
            name: name.clone(),
            field: Field::new(points.collect()),
        }
    });
    Ok(results.collect())
}

/// The table `images`: one row an image.
pub(super) fn image_rows(
    series: &ImageSeries,
    results: &[ImageResult],
    summaries: &[Option<ErrorSummary>],
    stated: &[StatedImage],
) -> Vec<ImageRow> {
    let images = series.images.iter().zip(results).zip(summaries);
    let rows = images
        .enumerate()
        .map(|(index, ((image, result), summary))| {
            let points = &result.field.points;
            let truth = |p: &PointResult| image.truth.at(p.x as f64, p.y as f64);
            let imposed = mean_pair(points.iter().filter_map(truth));
            let converged = points.iter().filter(|p| p.status == Status::Converged);
            let measured = mean_pair(converged.map(|p| (p.u(), p.v())));
            let of = |value: fn(&ErrorSummary) -> f64| summary.as_ref().map_or(f64::NAN, value);
            let known = |value: fn(&StatedImage) -> f64| stated.get(index).map_or(f64::NAN, value);
            let iterations: usize = points.iter().map(|p| p.icgn_iterations).sum();
            let failed = points.len() - result.field.count(Status::Converged);
            ImageRow {
                image: index + 1,
                name: result.name.clone(),
                imposed_u: imposed.0,
                imposed_v: imposed.1,
                mean_u: measured.0,
                mean_v: measured.1,
                bias_u: of(|s| s.u.bias),
                bias_v: of(|s| s.v.bias),
                random_error_u: of(|s| s.u.random_error),
                random_error_v: of(|s| s.v.random_error),
                rmse: of(|s| s.rmse),
                mean_zncc: mean_zncc(std::iter::once(&result.field)),
                mean_icgn_iterations: iterations as f64 / points.len() as f64,
                excluded_points: summary.map_or(failed, |s| s.failed),
                noise_sd: known(|s| s.noise),
                uncertainty_u: known(|s| s.u),
                uncertainty_v: known(|s| s.v),
                bound_u: known(|s| s.bound_u),
                bound_v: known(|s| s.bound_v),
                coverage_68: known(|s| s.coverage[0]),
                coverage_95: known(|s| s.coverage[1]),
            }
        });
    rows.collect()
}

/// The table `field`: the last image, thinned evenly and rounded to what a figure shows.
pub(super) fn field_rows(series: &ImageSeries, results: &[ImageResult]) -> Vec<FieldRow> {
    let last = results
        .last()
        .zip(series.images.get(results.len().saturating_sub(1)));
    let (points, truth) = last.map_or((&[][..], None), |(result, image)| {
        (&result.field.points[..], Some(&image.truth))
    });
    let rows = thin(points).into_iter().map(|p| {
        let is_shown = p.status == Status::Converged;
        let shown = |value: f64| match is_shown {
            true => (value * 1e5).round() / 1e5,
            false => f64::NAN,
        };
        let imposed = truth.and_then(|truth| truth.at(p.x as f64, p.y as f64));
        let (u, v) = imposed.unwrap_or((f64::NAN, f64::NAN));
        FieldRow {
            x: p.x,
            y: p.y,
            u: shown(p.u()),
            v: shown(p.v()),
            error_u: shown(p.u() - u),
            error_v: shown(p.v() - v),
            zncc: shown(p.zncc),
            status: p.status.name(),
        }
    });
    rows.collect()
}

/// Every n-th row and column of the grid, so that at most [`FIELD_POINTS`] are left.
fn thin(points: &[PointResult]) -> Vec<PointResult> {
    let mut columns: Vec<usize> = points.iter().map(|p| p.x).collect();
    let mut rows: Vec<usize> = points.iter().map(|p| p.y).collect();
    for places in [&mut columns, &mut rows] {
        places.sort_unstable();
        places.dedup();
    }
    let mut every = 1;
    while columns.len().div_ceil(every) * rows.len().div_ceil(every) > FIELD_POINTS {
        every += 1;
    }
    let kept = |places: &[usize], place: usize| {
        places
            .binary_search(&place)
            .is_ok_and(|index| index % every == 0)
    };
    points
        .iter()
        .filter(|p| kept(&columns, p.x) && kept(&rows, p.y))
        .copied()
        .collect()
}

fn mean_pair(pairs: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let (mut u, mut v, mut count) = (0.0, 0.0, 0_usize);
    for pair in pairs {
        u += pair.0;
        v += pair.1;
        count += 1;
    }
    (u / count as f64, v / count as f64)
}

fn as_i64(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn status_code(status: Status) -> u8 {
    let index = Status::ALL.iter().position(|known| *known == status);
    index
        .and_then(|index| u8::try_from(index).ok())
        .unwrap_or(u8::MAX)
}
