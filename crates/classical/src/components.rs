//! Connected parts of a set of pixels.

use retrial_image::InstanceMask;

/// Which pixels touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// Those with a common side.
    Four,
    /// Those with a common side or corner.
    Eight,
}

/// The connected parts of at least `least_area` pixels, in the order of their first pixel.
///
/// Each is a list of pixels, row by row.
#[must_use]
pub fn components(
    inside: &InstanceMask,
    connectivity: Connectivity,
    least_area: usize,
) -> Vec<Vec<usize>> {
    let (height, width) = (inside.height(), inside.width());
    let mut is_left = inside.inside().to_vec();
    let mut parts = Vec::new();
    let mut waiting = Vec::new();
    for first in 0..is_left.len() {
        if !is_left[first] {
            continue;
        }
        is_left[first] = false;
        waiting.push(first);
        let mut part = Vec::new();
        while let Some(pixel) = waiting.pop() {
            part.push(pixel);
            let (y, x) = (pixel / width, pixel % width);
            for ny in y.saturating_sub(1)..(y + 2).min(height) {
                for nx in x.saturating_sub(1)..(x + 2).min(width) {
                    let is_diagonal = ny != y && nx != x;
                    let next = ny * width + nx;
                    if is_left[next] && (connectivity == Connectivity::Eight || !is_diagonal) {
                        is_left[next] = false;
                        waiting.push(next);
                    }
                }
            }
        }
        if part.len() >= least_area {
            part.sort_unstable();
            parts.push(part);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn sides_and_corners() {
        let text = ["#..##", ".#...", "###.#"];
        let inside = text.iter().flat_map(|row| row.chars().map(|c| c == '#'));
        let mask = InstanceMask::new(3, 5, inside.collect()).unwrap();
        let sizes = |connectivity, least| {
            let parts = components(&mask, connectivity, least);
            parts.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(Connectivity::Four, 1), [1, 2, 4, 1]);
        assert_eq!(sizes(Connectivity::Eight, 1), [5, 2, 1]);
        assert_eq!(sizes(Connectivity::Eight, 2), [5, 2]);
        let parts = components(&mask, Connectivity::Four, 4);
        assert_eq!(parts, [[6, 10, 11, 12]]);
    }
}
