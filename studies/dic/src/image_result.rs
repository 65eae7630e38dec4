//! What was measured of one image.

use retrial_dic::{Field, Status};

/// The field of one image.
pub(super) struct ImageResult {
    /// The image.
    pub(super) name: String,
    /// Its result.
    pub(super) field: Field,
}

/// Mean correlation coefficient of the converged points.
pub(super) fn mean_zncc<'a>(fields: impl Iterator<Item = &'a Field>) -> f64 {
    let (mut sum, mut count) = (0.0, 0_usize);
    for point in fields.flat_map(|field| &field.points) {
        if point.status == Status::Converged {
            sum += point.zncc;
            count += 1;
        }
    }
    sum / count as f64
}
