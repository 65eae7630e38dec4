//! What a correlation leaves: fields as arrays and tables.

use retrial_data::ImageSeries;
use retrial_dic::{Cut, ErrorSummary, Field, PARAMETERS, PointResult, Status};
use retrial_store::csv::Table;
use retrial_store::{Array, StoreError, Tree, Value};

use super::stated::StatedImage;
use super::trial::mean_zncc;
use crate::execute::context::TrialError;

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
            PointResult {
                x: size(x[point]),
                y: size(y[point]),
                p,
                zncc: zncc[i],
                icgn_iterations: size(iterations[i]),
                convergence_norm: norm[i],
                status: Status::ALL
                    .get(usize::from(status[i]))
                    .copied()
                    .unwrap_or(Status::Diverged),
                // The study matches subsets as they are.
                cut: Cut::Whole,
                share: 1.0,
                reference_changes: 0,
            }
        });
        ImageResult {
            name: name.clone(),
            field: Field::new(points.collect()),
        }
    });
    Ok(results.collect())
}

/// The table `images`: one row an image.
pub(super) fn images_table(
    series: &ImageSeries,
    results: &[ImageResult],
    summaries: &[Option<ErrorSummary>],
    stated: &[StatedImage],
) -> Result<Table, StoreError> {
    let imposed: Vec<(f64, f64)> = series
        .images
        .iter()
        .zip(results)
        .map(|(image, result)| {
            mean_pair(
                result
                    .field
                    .points
                    .iter()
                    .filter_map(|p| image.truth.at(p.x as f64, p.y as f64)),
            )
        })
        .collect();
    let measured: Vec<(f64, f64)> = results
        .iter()
        .map(|result| {
            let converged = result
                .field
                .points
                .iter()
                .filter(|p| p.status == Status::Converged);
            mean_pair(converged.map(|p| (p.p[0], p.p[6])))
        })
        .collect();
    let of = |value: fn(&ErrorSummary) -> f64| -> Vec<f64> {
        summaries
            .iter()
            .map(|s| s.as_ref().map_or(f64::NAN, value))
            .collect()
    };
    let iterations: Vec<f64> = results
        .iter()
        .map(|r| {
            let all: usize = r.field.points.iter().map(|p| p.icgn_iterations).sum();
            all as f64 / r.field.points.len() as f64
        })
        .collect();
    let failed: Vec<i64> = results
        .iter()
        .zip(summaries)
        .map(|(result, summary)| {
            let converged = result.field.count(Status::Converged);
            as_i64(summary.map_or(result.field.points.len() - converged, |s| s.failed))
        })
        .collect();
    let known = |value: fn(&StatedImage) -> f64| -> Vec<f64> {
        let missing = std::iter::repeat(f64::NAN);
        let values = stated.iter().map(value).chain(missing);
        values.take(results.len()).collect()
    };
    let zncc: Vec<f64> = results
        .iter()
        .map(|r| mean_zncc(std::iter::once(&r.field)))
        .collect();
    Table::new()
        .with("image", (1..=as_i64(results.len())).collect::<Vec<i64>>())?
        .with(
            "name",
            results
                .iter()
                .map(|r| r.name.clone())
                .collect::<Vec<String>>(),
        )?
        .with(
            "imposed_u",
            imposed.iter().map(|pair| pair.0).collect::<Vec<f64>>(),
        )?
        .with(
            "imposed_v",
            imposed.iter().map(|pair| pair.1).collect::<Vec<f64>>(),
        )?
        .with(
            "mean_u",
            measured.iter().map(|pair| pair.0).collect::<Vec<f64>>(),
        )?
        .with(
            "mean_v",
            measured.iter().map(|pair| pair.1).collect::<Vec<f64>>(),
        )?
        .with("bias_u", of(|s| s.u.bias))?
        .with("bias_v", of(|s| s.v.bias))?
        .with("random_error_u", of(|s| s.u.random_error))?
        .with("random_error_v", of(|s| s.v.random_error))?
        .with("rmse", of(|s| s.rmse))?
        .with("mean_zncc", zncc)?
        .with("mean_icgn_iterations", iterations)?
        .with("failed_points", failed)?
        .with("noise", known(|s| s.noise))?
        .with("stated_u", known(|s| s.u))?
        .with("stated_v", known(|s| s.v))?
        .with("bound_u", known(|s| s.bound_u))?
        .with("bound_v", known(|s| s.bound_v))?
        .with("coverage_68", known(|s| s.coverage[0]))?
        .with("coverage_95", known(|s| s.coverage[1]))
}

/// The table `field`: the last image, thinned evenly and rounded to what a figure shows.
pub(super) fn field_table(
    series: &ImageSeries,
    results: &[ImageResult],
) -> Result<Table, StoreError> {
    let last = results
        .last()
        .zip(series.images.get(results.len().saturating_sub(1)));
    let (points, truth) = last.map_or((&[][..], None), |(result, image)| {
        (&result.field.points[..], Some(&image.truth))
    });
    let kept = thin(points);
    let error = |p: &PointResult| {
        let (u, v) = truth?.at(p.x as f64, p.y as f64)?;
        (p.status == Status::Converged).then_some((p.p[0] - u, p.p[6] - v))
    };
    let column = |value: &dyn Fn(&PointResult) -> f64, digits: i32| -> Vec<f64> {
        let scale = 10_f64.powi(digits);
        kept.iter()
            .map(|p| (value(p) * scale).round() / scale)
            .collect()
    };
    let shown = |value: fn(&PointResult) -> f64| {
        move |p: &PointResult| {
            if p.status == Status::Converged {
                value(p)
            } else {
                f64::NAN
            }
        }
    };
    let status: Vec<String> = kept.iter().map(|p| p.status.name().to_owned()).collect();
    Table::new()
        .with("x", kept.iter().map(|p| as_i64(p.x)).collect::<Vec<i64>>())?
        .with("y", kept.iter().map(|p| as_i64(p.y)).collect::<Vec<i64>>())?
        .with("u", column(&shown(|p| p.p[0]), 5))?
        .with("v", column(&shown(|p| p.p[6]), 5))?
        .with(
            "error_u",
            column(&|p| error(p).map_or(f64::NAN, |e| e.0), 5),
        )?
        .with(
            "error_v",
            column(&|p| error(p).map_or(f64::NAN, |e| e.1), 5),
        )?
        .with("zncc", column(&shown(|p| p.zncc), 5))?
        .with("status", status)
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
