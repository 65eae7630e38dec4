//! What the uncertainty of a point is.

/// Standard uncertainty of one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointUncertainty {
    /// Of `u` in px.
    pub u: f64,
    /// Of `v` in px.
    pub v: f64,
    /// Correlation coefficient of the errors of `u` and `v`, in `-1..=1`.
    pub correlation_uv: f64,
    /// Of `[u_x, u_y, v_x, v_y]`; `None` for order 0, which has none.
    pub gradient: Option<[f64; 4]>,
    /// The white noise of one image that was assumed, in grey levels of the reference before the
    /// prefilter, as if both images had the same.
    pub noise: f64,
    /// How far the field may lie from what the shape function can follow around the point, in `u` and `v`, px; a
    /// part of `u` and `v` above. `None` where nothing beyond noise shows.
    pub misfit: Option<(f64, f64)>,
}
