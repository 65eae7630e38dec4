//! Polygons drawn around objects: their faults, and their pixels by two published rules.
//!
//! Vertices are `[x, y]` in pixels, corner convention of [this crate](crate); the last vertex
//! joins the first. The two rules differ along the outline, so a data set must say which it means:
//!
//! - [`fill_coco`]: COCO's, pixel centres inside, found on a grid five times finer;
//! - [`fill_opencv`]: that of OpenCV's `fillPoly`, whose vertices are whole pixels and whose
//!   outline belongs to the object.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::instance_mask::InstanceMask;

/// A corner of a polygon, `[x, y]`.
pub type Vertex = [f64; 2];

/// A coordinate beyond this many pixels is a mistake, and would take long to draw.
const FAR_PX: f64 = 1e6;

/// What is wrong with a polygon.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PolygonFault {
    /// A flat list of coordinates does not pair up.
    #[error("a polygon has two coordinates a vertex, got {got} in all")]
    OddCoordinates {
        /// Coordinates given.
        got: usize,
    },
    /// Nothing can be enclosed.
    #[error("a polygon has at least 3 vertices, got {got}")]
    TooFewVertices {
        /// Vertices given.
        got: usize,
    },
    /// A coordinate is no number.
    #[error("vertex {vertex} is not finite: ({x}, {y})")]
    NotFinite {
        /// Index of the vertex.
        vertex: usize,
        /// Its column.
        x: f64,
        /// Its row.
        y: f64,
    },
    /// A vertex is outside the picture.
    #[error("vertex {vertex} at ({x}, {y}) is outside the picture of {width} by {height} pixels")]
    OutsideImage {
        /// Index of the first such vertex.
        vertex: usize,
        /// Its column.
        x: f64,
        /// Its row.
        y: f64,
        /// Columns of the picture.
        width: usize,
        /// Rows of the picture.
        height: usize,
    },
    /// All vertices are on one line.
    #[error("all {vertices} vertices are on one line")]
    ZeroArea {
        /// Vertices given.
        vertices: usize,
    },
    /// Two edges that are not neighbours touch or cross.
    #[error("edges {first} and {second} touch or cross")]
    SelfIntersecting {
        /// Index of an edge, that of the vertex it starts from.
        first: usize,
        /// Index of the other edge.
        second: usize,
    },
}

/// Vertices from a flat list `x, y, x, y, …`, which is how COCO writes them.
///
/// # Errors
/// [`PolygonFault::OddCoordinates`] when a coordinate is left over.
pub fn vertices(flat: &[f64]) -> Result<Vec<Vertex>, PolygonFault> {
    match flat.as_chunks() {
        (pairs, []) => Ok(pairs.to_vec()),
        _ => Err(PolygonFault::OddCoordinates { got: flat.len() }),
    }
}

/// Everything that is wrong with a polygon in a picture of `height` by `width`; empty when it is
/// sound.
///
/// Of several vertices outside and several crossings the first is told. A polygon that crosses
/// itself can still be filled: both rules fill it even-odd.
#[must_use]
pub fn faults(polygon: &[Vertex], height: usize, width: usize) -> Vec<PolygonFault> {
    let mut faults = Vec::new();
    if let Err(fault) = countable(polygon) {
        return vec![fault];
    }
    let inside =
        |v: &Vertex| (0.0..=width as f64).contains(&v[0]) && (0.0..=height as f64).contains(&v[1]);
    if let Some(vertex) = polygon.iter().position(|v| !inside(v)) {
        faults.push(outside(polygon, vertex, height, width));
    }
    if on_one_line(polygon) {
        faults.push(PolygonFault::ZeroArea {
            vertices: polygon.len(),
        });
    } else if let Some((first, second)) = crossing(polygon) {
        faults.push(PolygonFault::SelfIntersecting { first, second });
    }
    faults
}

fn countable(polygon: &[Vertex]) -> Result<(), PolygonFault> {
    if polygon.len() < 3 {
        return Err(PolygonFault::TooFewVertices { got: polygon.len() });
    }
    match polygon
        .iter()
        .position(|[x, y]| !(x.is_finite() && y.is_finite()))
    {
        Some(vertex) => Err(PolygonFault::NotFinite {
            vertex,
            x: polygon[vertex][0],
            y: polygon[vertex][1],
        }),
        None => Ok(()),
    }
}

/// That a polygon can be drawn: countable, and no vertex absurdly far away.
fn drawable(polygon: &[Vertex], height: usize, width: usize) -> Result<(), PolygonFault> {
    countable(polygon)?;
    let far = |[x, y]: &Vertex| x.abs() > FAR_PX || y.abs() > FAR_PX;
    match polygon.iter().position(far) {
        Some(vertex) => Err(outside(polygon, vertex, height, width)),
        None => Ok(()),
    }
}

fn outside(polygon: &[Vertex], vertex: usize, height: usize, width: usize) -> PolygonFault {
    PolygonFault::OutsideImage {
        vertex,
        x: polygon[vertex][0],
        y: polygon[vertex][1],
        width,
        height,
    }
}

/// Twice the signed area of a triangle; its sign tells on which side of `a`–`b` is `c`.
fn turn(a: Vertex, b: Vertex, c: Vertex) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

fn on_one_line(polygon: &[Vertex]) -> bool {
    let first = polygon[0];
    let distance = |v: &Vertex| (v[0] - first[0]).hypot(v[1] - first[1]);
    let far = polygon
        .iter()
        .copied()
        .max_by(|a, b| distance(a).total_cmp(&distance(b)))
        .unwrap_or(first);
    // A turn is a distance from the line times the length of the line.
    let tolerance = 1e-9 * distance(&far) * distance(&far).max(1.0);
    polygon
        .iter()
        .all(|&v| turn(first, far, v).abs() <= tolerance)
}

/// The first two edges that touch or cross without being neighbours, or that fold back on each
/// other.
fn crossing(polygon: &[Vertex]) -> Option<(usize, usize)> {
    let n = polygon.len();
    // Edges without length are left out, so that a doubled vertex is no crossing.
    let edges: Vec<(usize, Vertex, Vertex)> = (0..n)
        .map(|i| (i, polygon[i], polygon[(i + 1) % n]))
        .filter(|(_, a, b)| a != b)
        .collect();
    for (i, &(first, a, b)) in edges.iter().enumerate() {
        for (j, &(second, c, d)) in edges.iter().enumerate().skip(i + 1) {
            let crosses = if j == i + 1 {
                folds_back(a, b, d)
            } else if i == 0 && j + 1 == edges.len() {
                folds_back(c, d, b)
            } else {
                touch([a, b], [c, d])
            };
            if crosses {
                return Some((first, second));
            }
        }
    }
    None
}

/// Whether the path from `a` over `b` to `c` returns on its own line.
fn folds_back(a: Vertex, b: Vertex, c: Vertex) -> bool {
    let along = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]);
    turn(a, b, c) == 0.0 && along < 0.0
}

fn touch([a, b]: [Vertex; 2], [c, d]: [Vertex; 2]) -> bool {
    let apart = |k: usize| a[k].max(b[k]) < c[k].min(d[k]) || c[k].max(d[k]) < a[k].min(b[k]);
    if apart(0) || apart(1) {
        return false;
    }
    let sides = |p, q, r, s| turn(p, q, r) * turn(p, q, s) <= 0.0;
    sides(a, b, c, d) && sides(c, d, a, b)
}

/// The pixels of polygons of one object by COCO's rule; polygons are united.
///
/// The outline is drawn on a grid five times finer, its vertices rounded half up, one point a step
/// along the longer axis of each edge. Where the drawn line passes the middle of a column of
/// pixels, the pixels of that column from the passage down change sides. So a polygon that crosses
/// itself is filled even-odd; parts outside the picture are cut off.
///
/// # Source
/// Lin et al. 2014, arXiv:1405.0312: the masks of the data set are defined by its tools; equal to
/// pycocotools 2.0.11 pixel by pixel.
///
/// # Errors
/// [`PolygonFault`] when a polygon cannot be drawn: too few vertices, one that is not finite, or
/// one a million pixels away.
pub fn fill_coco<P: AsRef<[Vertex]>>(
    polygons: &[P],
    height: usize,
    width: usize,
) -> Result<InstanceMask, PolygonFault> {
    let mut mask = InstanceMask::empty(height, width);
    for polygon in polygons {
        let polygon = polygon.as_ref();
        drawable(polygon, height, width)?;
        let mut changes = vec![false; (height + 1) * width];
        fine_outline(polygon, |column, down| {
            if (0..width as i64).contains(&column) {
                changes[column as usize * (height + 1) + row_of(down, height)] ^= true;
            }
        });
        let inside = mask.inside_mut();
        for (x, column) in changes.chunks_exact(height + 1).enumerate() {
            let mut within = false;
            for (y, &change) in column[..height].iter().enumerate() {
                within ^= change;
                inside[y * width + x] |= within;
            }
        }
    }
    Ok(mask)
}

/// Whether the polygons enclose a pixel by the rule of [`fill_coco`], found from the outlines
/// alone: a picture may claim any size. A polygon whose vertices are all on one line encloses none,
/// though rounding on the finer grid may give it some.
///
/// # Errors
/// As [`fill_coco`].
pub fn encloses_pixel<P: AsRef<[Vertex]>>(
    polygons: &[P],
    height: usize,
    width: usize,
) -> Result<bool, PolygonFault> {
    let mut any = false;
    for polygon in polygons {
        let polygon = polygon.as_ref();
        drawable(polygon, height, width)?;
        if on_one_line(polygon) {
            continue;
        }
        // Where a column changes sides; two changes at one place are none.
        let mut changes = BTreeSet::new();
        fine_outline(polygon, |column, down| {
            let place = (column, row_of(down, height));
            if (0..width as i64).contains(&column) && !changes.remove(&place) {
                changes.insert(place);
            }
        });
        any |= changes.iter().any(|&(_, row)| row < height);
    }
    Ok(any)
}

const FINER: f64 = 5.0;

/// The first row, of a picture of `height` rows, below a place on the finer grid.
fn row_of(down: i64, height: usize) -> usize {
    ((down as f64 + 0.5) / FINER - 0.5)
        .clamp(0.0, height as f64)
        .ceil() as usize
}

/// Visits every passage of the outline through the middle of a column of pixels: the column, and
/// the row on the finer grid.
fn fine_outline(polygon: &[Vertex], mut passage: impl FnMut(i64, i64)) {
    // Truncation, not rounding down, for negative numbers too: that is COCO's rule.
    let half_up = |value: f64| (value + 0.5) as i64;
    let fine: Vec<[i64; 2]> = polygon
        .iter()
        .map(|v| v.map(|value| half_up(FINER * value)))
        .collect();
    let mut last: Option<[i64; 2]> = None;
    for (i, &from) in fine.iter().enumerate() {
        let to = fine[(i + 1) % fine.len()];
        let length = [0, 1].map(|k| (to[k] - from[k]).abs());
        // The axis of one point a step; the other coordinate is interpolated from the lower end.
        let major = usize::from(length[0] < length[1]);
        let backwards = from[major] > to[major];
        let (low, high) = if backwards { (to, from) } else { (from, to) };
        let steps = length[major];
        let slope = (high[1 - major] - low[1 - major]) as f64 / steps.max(1) as f64;
        for step in 0..=steps {
            let along = if backwards { steps - step } else { step };
            let mut point = [0; 2];
            point[major] = low[major] + along;
            point[1 - major] = half_up(low[1 - major] as f64 + slope * along as f64);
            if let Some(previous) = last
                && previous[0] != point[0]
            {
                // The middle of column x is between 5 x + 2 and 5 x + 3 on the finer grid.
                let left = previous[0].min(point[0]);
                if left.rem_euclid(5) == 2 {
                    passage(left.div_euclid(5), previous[1].min(point[1]));
                }
            }
            last = Some(point);
        }
    }
}

/// The pixels of polygons of one object by the rule of OpenCV's `fillPoly`: even-odd inside,
/// together with the outline; polygons are united, as by one call each.
///
/// Vertices are rounded to whole pixels, half to even, and mean pixel *centres*: a square from 2
/// to 5 has four pixels a side. A point of the outline midway between two pixels goes to the one
/// nearer to the left end of its edge. Parts outside the picture are cut off after drawing;
/// OpenCV cuts edges before, so its edges that leave the picture may lie a pixel elsewhere.
///
/// # Source
/// OpenCV's documentation of `fillPoly` (4.x and 5.0): "fills the area bounded by one or more
/// polygons", outline included; equal to OpenCV 5.0.0 pixel by pixel on a canvas that holds
/// the whole polygon.
///
/// # Errors
/// [`PolygonFault`] when a polygon cannot be drawn: too few vertices, one that is not finite, or
/// one a million pixels away.
pub fn fill_opencv<P: AsRef<[Vertex]>>(
    polygons: &[P],
    height: usize,
    width: usize,
) -> Result<InstanceMask, PolygonFault> {
    let mut mask = InstanceMask::empty(height, width);
    for polygon in polygons {
        let polygon = polygon.as_ref();
        drawable(polygon, height, width)?;
        let whole: Vec<[i64; 2]> = polygon
            .iter()
            .map(|v| v.map(|value| value.round_ties_even() as i64))
            .collect();
        draw_inside(&mut mask, &whole);
        for (i, &from) in whole.iter().enumerate() {
            draw_line(&mut mask, from, whole[(i + 1) % whole.len()]);
        }
    }
    Ok(mask)
}

/// Draws the pixels whose centres are inside or on the outline, even-odd.
fn draw_inside(mask: &mut InstanceMask, whole: &[[i64; 2]]) {
    let (height, width) = (mask.height(), mask.width());
    let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); height];
    for (i, &from) in whole.iter().enumerate() {
        let to = whole[(i + 1) % whole.len()];
        let (top, bottom) = if from[1] <= to[1] {
            (from, to)
        } else {
            (to, from)
        };
        let slope = (bottom[0] - top[0]) as f64 / (bottom[1] - top[1]).max(1) as f64;
        for y in top[1].max(0)..bottom[1].min(height as i64) {
            crossings[y as usize].push(top[0] as f64 + slope * (y - top[1]) as f64);
        }
    }
    let rows = mask.inside_mut().chunks_exact_mut(width.max(1));
    for (row, crossings) in rows.zip(&mut crossings) {
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let start = pair[0].ceil().max(0.0) as usize;
            let end = (pair[1].floor() + 1.0).clamp(0.0, width as f64) as usize;
            if start < end {
                row[start..end].fill(true);
            }
        }
    }
}

/// Draws a line of touching pixels, one a step along its longer axis.
fn draw_line(mask: &mut InstanceMask, from: [i64; 2], to: [i64; 2]) {
    let (height, width) = (mask.height() as i64, mask.width() as i64);
    let (left, right) = if from[0] <= to[0] {
        (from, to)
    } else {
        (to, from)
    };
    let difference = [0, 1].map(|k| right[k] - left[k]);
    let major = usize::from(difference[1].abs() > difference[0]);
    let (steps, minor) = (difference[major].abs(), difference[1 - major].abs());
    let inside = mask.inside_mut();
    for step in 0..=steps {
        let mut point = left;
        point[major] += step * difference[major].signum();
        // step * minor / steps rounded, half down.
        let off = (2 * step * minor + steps - 1).div_euclid((2 * steps).max(1));
        point[1 - major] += off * difference[1 - major].signum();
        if (0..width).contains(&point[0]) && (0..height).contains(&point[1]) {
            inside[(point[1] * width + point[0]) as usize] = true;
        }
    }
}

/// The pixels of a box `[x0, y0, x1, y1]` by COCO's rule; corners may be in either order.
///
/// # Errors
/// [`PolygonFault`] when a corner is not finite or a million pixels away.
pub fn fill_box(
    corners: [f64; 4],
    height: usize,
    width: usize,
) -> Result<InstanceMask, PolygonFault> {
    let [x0, y0, x1, y1] = corners;
    fill_coco(&[[[x0, y0], [x0, y1], [x1, y1], [x1, y0]]], height, width)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn picture(mask: &InstanceMask) -> Vec<String> {
        let rows = mask.inside().chunks(mask.width());
        rows.map(|row| row.iter().map(|&i| if i { '#' } else { '.' }).collect())
            .collect()
    }

    #[test]
    fn a_square_by_both_rules() {
        let square = [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]];
        let coco = fill_coco(&[square], 4, 5).unwrap();
        assert_eq!(picture(&coco), [".....", ".##..", ".##..", "....."]);
        let opencv = fill_opencv(&[square], 4, 5).unwrap();
        assert_eq!(picture(&opencv), [".....", ".###.", ".###.", ".###."]);
        assert_eq!(fill_box([3.0, 3.0, 1.0, 1.0], 4, 5).unwrap(), coco);
    }

    /// An independent rule: centres inside by the winding of a ray, away from the outline.
    #[test]
    fn pixels_clear_of_the_outline_are_even_odd() {
        let star: Vec<Vertex> = (0..5)
            .map(|k| f64::from(k) * 0.8 * std::f64::consts::PI)
            .map(|angle| [30.0 + 25.0 * angle.sin(), 30.0 - 25.0 * angle.cos()])
            .collect();
        let edges: Vec<_> = (0..5).map(|i| (star[i], star[(i + 1) % 5])).collect();
        let (coco, opencv) = (fill_coco(&[&star], 60, 60), fill_opencv(&[&star], 60, 60));
        for (mask, shift) in [(coco.unwrap(), 0.5), (opencv.unwrap(), 0.0)] {
            let mut clear = 0;
            for (i, &inside) in mask.inside().iter().enumerate() {
                let (x, y) = ((i % 60) as f64 + shift, (i / 60) as f64 + shift);
                let distance = |&(a, b): &(Vertex, Vertex)| {
                    turn(a, b, [x, y]).abs() / (b[0] - a[0]).hypot(b[1] - a[1])
                };
                if edges.iter().all(|edge| distance(edge) > 1.5) {
                    let right = |(a, b): &&(Vertex, Vertex)| {
                        (a[1] > y) != (b[1] > y)
                            && x < a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
                    };
                    assert_eq!(inside, edges.iter().filter(right).count() % 2 == 1);
                    clear += 1;
                }
            }
            assert!(clear > 2_000, "{clear}");
        }
    }

    #[test]
    fn a_pixel_is_found_without_the_mask() {
        let (mut empty, mut filled) = (0, 0);
        // Triangles of the corners of a grid of 0.3 px, many of them slivers.
        let corner = |i: u32| [f64::from(i % 11) * 0.3 - 0.4, f64::from(i / 11) * 0.3 - 0.4];
        for i in 0..121 {
            for (j, k) in [(7, 12), (13, 24), (61, 73), (1, 12), (40, 80)] {
                let triangle = [corner(i), corner((i + j) % 121), corner((i + k) % 121)];
                let pixels = fill_coco(&[triangle], 2, 2).unwrap().area();
                let encloses = pixels > 0 && !on_one_line(&triangle);
                assert_eq!(encloses_pixel(&[triangle], 2, 2), Ok(encloses));
                empty += u32::from(!encloses);
                filled += u32::from(encloses);
            }
        }
        let line = [[0.0, 0.0], [3.5, 2.2], [7.0, 4.4]];
        assert_eq!(fill_coco(&[line], 9, 9).unwrap().area(), 1);
        assert_eq!(encloses_pixel(&[line], 9, 9), Ok(false));
        assert!(empty > 50 && filled > 50, "{empty} and {filled}");
    }

    #[test]
    fn several_polygons_are_one_object() {
        let at = |x: f64| [[x, 0.0], [x + 2.0, 0.0], [x + 2.0, 2.0], [x, 2.0]];
        let mask = fill_coco(&[at(0.0), at(1.0)], 2, 4).unwrap();
        assert_eq!(picture(&mask), ["###.", "###."]);
    }

    #[test]
    fn outside_the_picture_is_cut_off() {
        let large = [[-9.0, -7.0], [40.0, -7.0], [40.0, 30.0], [-9.0, 30.0]];
        assert_eq!(fill_coco(&[large], 6, 7).unwrap().area(), 42);
        assert_eq!(fill_opencv(&[large], 6, 7).unwrap().area(), 42);
        let away = [[20.0, 1.0], [30.0, 1.0], [25.0, 5.0]];
        assert_eq!(fill_coco(&[away], 6, 7).unwrap().area(), 0);
        assert_eq!(fill_opencv(&[away], 6, 7).unwrap().area(), 0);
        assert_eq!(fill_coco(&[away], 0, 0).unwrap().area(), 0);
        assert_eq!(fill_opencv(&[away], 0, 0).unwrap().area(), 0);
    }

    #[test]
    fn faults_are_told() {
        let sound = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        assert_eq!(faults(&sound, 4, 4), []);
        let kinds = |polygon: &[Vertex]| faults(polygon, 4, 4);
        assert_eq!(
            kinds(&sound[..2]),
            [PolygonFault::TooFewVertices { got: 2 }]
        );
        let mut odd = sound;
        odd[2][1] = f64::NAN;
        assert!(matches!(
            kinds(&odd)[..],
            [PolygonFault::NotFinite { vertex: 2, .. }]
        ));
        odd[2][1] = 4.5;
        assert!(matches!(
            kinds(&odd)[..],
            [PolygonFault::OutsideImage { vertex: 2, .. }]
        ));
        let line = [[0.0, 0.0], [1.0, 1.0], [3.0, 3.0]];
        assert_eq!(kinds(&line), [PolygonFault::ZeroArea { vertices: 3 }]);
        let bow = [[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]];
        let crossed = PolygonFault::SelfIntersecting {
            first: 0,
            second: 2,
        };
        assert_eq!(kinds(&bow), [crossed]);
        let spike = [[0.0, 0.0], [4.0, 0.0], [2.0, 0.0], [2.0, 2.0]];
        let folded = PolygonFault::SelfIntersecting {
            first: 0,
            second: 1,
        };
        assert_eq!(kinds(&spike), [folded]);
        let doubled = [[0.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 0.0]];
        assert_eq!(kinds(&doubled), []);
        assert_eq!(
            vertices(&[1.0; 5]),
            Err(PolygonFault::OddCoordinates { got: 5 })
        );
        assert_eq!(vertices(&[1.0, 2.0]), Ok(vec![[1.0, 2.0]]));
    }

    #[test]
    fn what_cannot_be_drawn() {
        let far = [[0.0, 0.0], [1e9, 0.0], [0.0, 1.0]];
        assert!(fill_coco(&[far], 4, 4).is_err());
        assert!(fill_opencv(&[far], 4, 4).is_err());
        assert!(fill_coco(&[&far[..2]], 4, 4).is_err());
        assert!(fill_box([0.0, 0.0, f64::NAN, 1.0], 4, 4).is_err());
    }
}
