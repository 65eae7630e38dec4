//! The metrics of the study `dic`, and the tables its trials leave.

use retrial_core::metric::{ColumnDef, Direction, MetricDef, TableDef};

/// The metrics of a trial.
pub(super) const METRICS: &[MetricDef] = &[
    error(
        "rmse",
        Direction::Lower,
        "hypot(rmse_u, rmse_v), pooled over points and images.",
    ),
    error(
        "mae",
        Direction::Lower,
        "hypot of the mean absolute errors of u and v; the published example heads it bias.",
    ),
    error(
        "abs_error_std",
        Direction::Lower,
        "hypot of the standard deviations of the absolute errors; the published example heads it variance.",
    ),
    error("bias_u", Direction::Zero, "Mean signed error of u."),
    error("bias_v", Direction::Zero, "Mean signed error of v."),
    error(
        "random_error_u",
        Direction::Lower,
        "Standard deviation of the error of u.",
    ),
    error(
        "random_error_v",
        Direction::Lower,
        "Standard deviation of the error of v.",
    ),
    fact("points", "", "Points of all images whose errors count."),
    fact(
        "failed_points",
        "",
        "Points of all images whose errors do not count.",
    ),
    fact(
        "mean_icgn_iterations",
        "",
        "IC-GN iterations a point, mean.",
    ),
    fact(
        "max_icgn_iterations",
        "",
        "IC-GN iterations a point, maximum.",
    ),
    error(
        "worst_bias_u",
        Direction::Lower,
        "Largest of the images' mean signed errors of u, without its sign.",
    ),
    error(
        "worst_bias_v",
        Direction::Lower,
        "Largest of the images' mean signed errors of v, without its sign.",
    ),
    error(
        "expected_rmse",
        Direction::None,
        "The rmse that the spectra of the pairs foretell for these settings: noise and interpolation, not what a shape function cannot follow.",
    ),
    error(
        "expected_worst_bias",
        Direction::None,
        "Largest bias of interpolation that they foretell, over images and sub-pixel positions.",
    ),
    fact(
        "expected_over_found",
        "",
        "expected_rmse by rmse; 1 is a forecast that came true.",
    ),
    error(
        "stated_u",
        Direction::None,
        "Stated standard uncertainty of u, root mean square.",
    ),
    error(
        "stated_v",
        Direction::None,
        "Stated standard uncertainty of v, root mean square.",
    ),
    error(
        "bound_u",
        Direction::None,
        "Cramér-Rao bound of the random error of u from noise and image gradient, root mean square.",
    ),
    error(
        "bound_v",
        Direction::None,
        "Cramér-Rao bound of the random error of v, root mean square.",
    ),
    fact(
        "random_over_bound_u",
        "",
        "Random error of u within an image by its bound, root mean squares over images.",
    ),
    fact(
        "random_over_bound_v",
        "",
        "Random error of v within an image by its bound.",
    ),
    fact(
        "chosen_order",
        "",
        "Order of the shape function that was used; with advice, the one that suits the series.",
    ),
    fact(
        "chosen_sigma_px",
        "px",
        "Standard deviation of the prefilter that was used; 0 for none.",
    ),
    fact(
        "noise_level",
        "grey levels",
        "White noise of one picture by the residuals, in grey levels of the reference.",
    ),
    fact(
        "coverage_68",
        "",
        "Share of errors of u and v within one stated standard uncertainty; 0.683 if normal.",
    ),
    fact(
        "coverage_95",
        "",
        "Share of errors of u and v within 1.96 stated standard uncertainties.",
    ),
    fact(
        "strain_coverage_68",
        "",
        "Share of errors of small strain (xx, yy, xy; 11 × 11 points) within one stated uncertainty.",
    ),
    fact(
        "strain_coverage_95",
        "",
        "Share of errors of small strain within 1.96 stated uncertainties.",
    ),
    error(
        "cut_off_px",
        Direction::Lower,
        "Period of a star wave below which less than 90 % of its amplitude is recovered.",
    ),
    error(
        "cut_off_theory_px",
        Direction::None,
        "The same for a subset of that size and order on a texture that is the same everywhere.",
    ),
    fact(
        "cut_off_over_theory",
        "",
        "Measured by theoretical cut-off period.",
    ),
    error(
        "noise_floor_px",
        Direction::Lower,
        "Standard deviation of v between two pictures of the same scene.",
    ),
    MetricDef {
        name: "efficiency_indicator",
        unit: "px²",
        direction: Direction::Lower,
        repeatable: true,
        doc: "Noise floor times cut-off period (DIC Challenge 2.0).",
    },
    MetricDef {
        name: "mean_zncc",
        unit: "",
        direction: Direction::Higher,
        repeatable: true,
        doc: "Correlation coefficient, mean over converged points.",
    },
    MetricDef {
        name: "points_per_second",
        unit: "1/s",
        direction: Direction::Higher,
        repeatable: false,
        doc: "Points of all images by the wall time of the correlation, reading left out.",
    },
    MetricDef {
        name: "points_per_cpu_second",
        unit: "1/s",
        direction: Direction::Higher,
        repeatable: false,
        doc: "Points of an image by the CPU time of its correlation on all threads, median over images; reading and what is prepared once are left out.",
    },
];

/// The tables that a trial leaves.
pub(super) const TABLES: &[TableDef] = &[
    TableDef {
        name: "images",
        columns: &[
            column("image", "", "Number of the deformed image, from 1."),
            column("name", "", "Its name."),
            column("imposed_u", "px", "Imposed u, mean over the points."),
            column("imposed_v", "px", "Imposed v, mean over the points."),
            column("mean_u", "px", "Measured u, mean over converged points."),
            column("mean_v", "px", "Measured v, mean over converged points."),
            column("bias_u", "px", "Mean signed error of u."),
            column("bias_v", "px", "Mean signed error of v."),
            column(
                "random_error_u",
                "px",
                "Standard deviation of the error of u.",
            ),
            column(
                "random_error_v",
                "px",
                "Standard deviation of the error of v.",
            ),
            column("rmse", "px", "hypot(rmse_u, rmse_v)."),
            column("mean_zncc", "", "Correlation coefficient, mean."),
            column(
                "mean_icgn_iterations",
                "",
                "IC-GN iterations a point, mean.",
            ),
            column("failed_points", "", "Points that do not count."),
            column(
                "noise",
                "grey levels",
                "White noise of one picture by the residuals.",
            ),
            column("stated_u", "px", "Stated standard uncertainty of u."),
            column("stated_v", "px", "Stated standard uncertainty of v."),
            column("bound_u", "px", "Cramér-Rao bound of u."),
            column("bound_v", "px", "Cramér-Rao bound of v."),
            column(
                "coverage_68",
                "",
                "Share of errors within one stated uncertainty.",
            ),
            column(
                "coverage_95",
                "",
                "Share of errors within 1.96 stated uncertainties.",
            ),
        ],
        doc: "One row a deformed image.",
    },
    TableDef {
        name: "field",
        columns: &[
            column("x", "px", "Column of the point."),
            column("y", "px", "Row of the point."),
            column("u", "px", "Measured displacement to the right."),
            column("v", "px", "Measured displacement downwards."),
            column("error_u", "px", "Error of u."),
            column("error_v", "px", "Error of v."),
            column("zncc", "", "Correlation coefficient."),
            column("status", "", "What became of the point."),
        ],
        doc: "The last image, thinned to 2,500 points; `fields.h5` holds everything.",
    },
    TableDef {
        name: "resolution",
        columns: &[
            column("period_px", "px", "Period of the star wave at a column."),
            column(
                "recovered",
                "",
                "Measured by imposed amplitude on the centre row.",
            ),
            column("smoothed", "", "The same after a polynomial of degree 12."),
            column(
                "theory",
                "",
                "What the subset leaves on a texture that is the same everywhere.",
            ),
        ],
        doc: "The centre row of a star image, thinned to 400 columns; only series with a star.",
    },
];

const fn error(name: &'static str, direction: Direction, doc: &'static str) -> MetricDef {
    MetricDef {
        name,
        unit: "px",
        direction,
        repeatable: true,
        doc,
    }
}

const fn fact(name: &'static str, unit: &'static str, doc: &'static str) -> MetricDef {
    MetricDef {
        name,
        unit,
        direction: Direction::None,
        repeatable: true,
        doc,
    }
}

const fn column(name: &'static str, unit: &'static str, doc: &'static str) -> ColumnDef {
    ColumnDef { name, unit, doc }
}
