//! The metrics of the study `dic`.

use retrial_core::metrics;

metrics! {
    /// What is measured of a series.
    pub(super) mod metric {
        /// hypot(rmse_u, rmse_v), pooled over points and images.
        rmse: lower "px",
        /// Magnitude of the mean absolute errors: hypot(mae_u, mae_v); the published example heads it bias.
        mae_magnitude was "mae": lower "px",
        /// Magnitude of the standard deviations of the absolute errors of u and v, likewise; the published example
        /// heads it variance.
        abs_error_std_magnitude was "abs_error_std": lower "px",
        /// Mean signed error of u.
        bias_u: zero "px",
        /// Mean signed error of v.
        bias_v: zero "px",
        /// Standard deviation of the error of u.
        random_error_u: lower "px",
        /// Standard deviation of the error of v.
        random_error_v: lower "px",
        /// Points of all images whose errors count; where nobody knows the displacement, points that converged.
        points: fact,
        /// Points of all images whose errors do not count.
        excluded_points was "failed_points": fact,
        /// IC-GN iterations a point, mean.
        mean_icgn_iterations: fact,
        /// IC-GN iterations a point, maximum.
        max_icgn_iterations: fact,
        /// Largest of the images' mean signed errors of u, without its sign.
        max_abs_bias_u was "worst_bias_u": lower "px",
        /// Largest of the images' mean signed errors of v, without its sign.
        max_abs_bias_v was "worst_bias_v": lower "px",
        /// The rmse that the spectra of the pairs predict for these settings with `gradient: spline`: noise and
        /// interpolation, not what a shape function cannot follow.
        predicted_rmse was "expected_rmse": fact "px",
        /// Largest bias of interpolation that they predict, over images and sub-pixel positions.
        predicted_max_bias was "expected_worst_bias": fact "px",
        /// predicted_rmse by rmse; 1 is a forecast that came true.
        predicted_over_measured_rmse was "expected_over_found": fact,
        /// Stated standard uncertainty of u, root mean square over points and images.
        uncertainty_u was "stated_u": fact "px",
        /// Stated standard uncertainty of v, root mean square over points and images.
        uncertainty_v was "stated_v": fact "px",
        /// Cramér-Rao bound of the random error of u, √2 σ / √Σf_x² (order 2: larger by its weights), of the
        /// unfiltered reference at `noise_sd`, root mean square.
        bound_u: fact "px",
        /// Cramér-Rao bound of the random error of v, root mean square.
        bound_v: fact "px",
        /// Random error of u within an image by its bound, root mean squares over images.
        random_over_bound_u: fact,
        /// Random error of v within an image by its bound.
        random_over_bound_v: fact,
        /// Order of the shape function that was used; with `auto_settings`, the one that suits the series.
        chosen_order: fact,
        /// Standard deviation of the prefilter that was used; 0 for none.
        chosen_sigma_px: fact "px",
        /// Standard deviation of the white noise of one picture by the residuals, in grey levels of the reference.
        noise_sd was "noise_level": fact "grey levels",
        /// Share of errors of u and v within one stated standard uncertainty; 0.683 if errors are normal and noise is
        /// all there is.
        coverage_68: fact,
        /// Share of errors of u and v within 1.96 stated standard uncertainties; 0.95 if errors are normal and noise is
        /// all there is.
        coverage_95: fact,
        /// Share of errors of small strain (xx, yy, xy; planes through 11 × 11 points) within one stated uncertainty.
        strain_coverage_68: fact,
        /// Share of errors of small strain within 1.96 stated uncertainties.
        strain_coverage_95: fact,
        /// Period of a star wave below which less than 90 % of its amplitude is recovered, by a polynomial of degree 12
        /// through the centre row.
        cut_off_px: lower "px",
        /// The same for a subset of that size and order on a texture that is the same everywhere.
        cut_off_theory_px: fact "px",
        /// Measured by theoretical cut-off period.
        cut_off_over_theory: fact,
        /// Standard deviation of v between two pictures of the same scene, where a series with a star has them.
        noise_floor_px: lower "px",
        /// Noise floor times cut-off period (DIC Challenge 2.0, doi:10.1007/s11340-021-00806-6).
        efficiency_indicator: lower "px²",
        /// Correlation coefficient, mean over converged points.
        mean_zncc: higher,
        /// Points of all images by the wall time of the correlation, reading left out.
        points_per_second: higher "1/s" measured,
        /// Points of an image by the CPU time of its correlation on all threads, median over images; reading and
        /// what is prepared once are left out.
        points_per_cpu_second: higher "1/s" measured,
    }
}
