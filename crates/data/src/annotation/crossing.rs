//! Whether a closed polygon crosses itself.

/// Most vertices of a polygon whose edges are compared, because all pairs may have to be.
const MAX_VERTICES: usize = 20_000;

/// Two edges `[i, i + 1]` of a closed polygon that cross, the lowest pair first; edges that touch
/// are no crossing. A polygon of more than [`MAX_VERTICES`] is not looked at.
///
/// # Shapes
/// - `polygon`: `[x0, y0, x1, y1, …]`
pub(super) fn crossing(polygon: &[f64]) -> Option<(usize, usize)> {
    let (points, _) = polygon.as_chunks::<2>();
    let count = points.len();
    if count > MAX_VERTICES {
        return None;
    }
    let edge = |i: usize| (points[i], points[(i + 1) % count]);
    // Edges in the order of their left ends: only those that overlap in x are compared.
    let mut order: Vec<usize> = (0..count).collect();
    let left = |i: usize| edge(i).0[0].min(edge(i).1[0]);
    let right = |i: usize| edge(i).0[0].max(edge(i).1[0]);
    order.sort_by(|&a, &b| left(a).total_cmp(&left(b)));
    let mut found: Option<(usize, usize)> = None;
    for (n, &a) in order.iter().enumerate() {
        for &b in &order[n + 1..] {
            if left(b) > right(a) {
                break;
            }
            if cross(edge(a), edge(b)) {
                let pair = (a.min(b), a.max(b));
                found = Some(found.map_or(pair, |other| other.min(pair)));
            }
        }
    }
    found
}

type Edge = ([f64; 2], [f64; 2]);

fn cross(a: Edge, b: Edge) -> bool {
    let turn = |p: [f64; 2], q: [f64; 2], r: [f64; 2]| {
        (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    };
    let apart = |one: f64, other: f64| one * other < 0.0;
    apart(turn(a.0, a.1, b.0), turn(a.0, a.1, b.1))
        && apart(turn(b.0, b.1, a.0), turn(b.0, b.1, a.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bow_tie_crosses_and_a_square_does_not() {
        assert_eq!(
            crossing(&[0.0, 0.0, 2.0, 2.0, 2.0, 0.0, 0.0, 2.0]),
            Some((0, 2))
        );
        assert_eq!(crossing(&[0.0, 0.0, 2.0, 0.0, 2.0, 2.0, 0.0, 2.0]), None);
        // A vertex on an edge touches.
        assert_eq!(
            crossing(&[0.0, 0.0, 4.0, 0.0, 4.0, 3.0, 2.0, 0.0, 0.0, 3.0]),
            None
        );
        assert_eq!(crossing(&[]), None);
    }
}
