//! The tables of the study `dic`: params, metrics, and the tables its trials leave.

use retrial_core::metric::{ColumnDef, Direction, MetricDef, TableDef};
use retrial_core::params::{DefaultValue, Param, ParamKind, ParamValue, Params};
use retrial_core::study::{Amendment, Conflict, StudyInfo};

/// What the study declares of itself.
pub(super) const INFO: StudyInfo = StudyInfo {
    name: "dic",
    revision: 1,
    amendments: AMENDMENTS,
    work: "Atkinson D., Becker T.H. (2020) \"A 117 Line 2D Digital Image Correlation Code Written \
           in MATLAB\", Remote Sensing 12(18), 2906, doi:10.3390/rs12182906",
    deterministic: true,
    uses_device: false,
    content_kinds: &["image series"],
    params: PARAMS,
    metrics: METRICS,
    tables: TABLES,
    stages: &[],
    conflicts,
};

const AMENDMENTS: &[Amendment] = &[
    Amendment {
        what: "blocks lead the blocks within them, so that most leaders are led, too",
        param: "initial_guess",
        value: DefaultValue::Text("led"),
        stages: &[],
    },
    Amendment {
        what: "points start between what all leaders around them found",
        param: "initial_guess",
        value: DefaultValue::Text("led"),
        stages: &[],
    },
    Amendment {
        what: "filtered pixels at the border of the picture have no gradient",
        param: "gradient",
        value: DefaultValue::Text("spline"),
        stages: &[],
    },
    Amendment {
        what: "the noise of points at the border is that of the others; up to twelve images are asked for the order",
        param: "gradient",
        value: DefaultValue::Text("spline"),
        stages: &[],
    },
];

const PARAMS: &[Param] = &[
    Param {
        name: "subset_size_px",
        kind: ParamKind::OddInt { min: 5, max: 501 },
        default: DefaultValue::Int(41),
        unit: "px",
        doc: "Full width of the subset.",
    },
    Param {
        name: "step_px",
        kind: ParamKind::Int { min: 1, max: 1000 },
        default: DefaultValue::Int(5),
        unit: "px",
        doc: "Spacing of the points.",
    },
    Param {
        name: "order",
        kind: ParamKind::Int { min: 0, max: 2 },
        default: DefaultValue::Int(1),
        unit: "",
        doc: "Order of the shape function.",
    },
    Param {
        name: "subset_shape",
        kind: ParamKind::Choice(&["square", "circle"]),
        default: DefaultValue::Text("square"),
        unit: "",
        doc: "Outline of the subset.",
    },
    Param {
        name: "grid",
        kind: ParamKind::Choice(&["full", "published"]),
        default: DefaultValue::Text("full"),
        unit: "",
        doc: "Where the points lie: as many as fit, or where the published code puts them.",
    },
    Param {
        name: "prefilter_sigma_px",
        kind: ParamKind::Float {
            min: 0.0,
            max: 20.0,
        },
        default: DefaultValue::Float(0.7),
        unit: "px",
        doc: "Standard deviation of the Gaussian prefilter; 0 turns it off.",
    },
    Param {
        name: "prefilter_window_px",
        kind: ParamKind::OddInt { min: 1, max: 101 },
        default: DefaultValue::Int(7),
        unit: "px",
        doc: "Window of the Gaussian prefilter.",
    },
    Param {
        name: "spline_degree",
        kind: ParamKind::OddInt { min: 3, max: 5 },
        default: DefaultValue::Int(3),
        unit: "",
        doc: "Degree of the interpolating B-spline.",
    },
    Param {
        name: "advice",
        kind: ParamKind::Choice(&["none", "filter", "filter_and_order"]),
        default: DefaultValue::Text("none"),
        unit: "",
        doc: "Whether filter and spline degree, or these and the order, are those that suit the pictures, as `retrial dic` chooses them, in place of the params.",
    },
    Param {
        name: "gradient",
        kind: ParamKind::Choice(&["spline", "prewitt", "prewitt_unscaled"]),
        default: DefaultValue::Text("spline"),
        unit: "",
        doc: "Gradient of the reference image; prewitt_unscaled is the published code's, six times too large.",
    },
    Param {
        name: "criterion",
        kind: ParamKind::Choice(&["znssd", "ssd", "nssd", "pssdab"]),
        default: DefaultValue::Text("znssd"),
        unit: "",
        doc: "What a match minimises; pssdab solves for gain and offset, znssd takes them from mean and deviation.",
    },
    Param {
        name: "optimiser",
        kind: ParamKind::Choice(&["ic_gn", "ic_lm", "forward_gn"]),
        default: DefaultValue::Text("ic_gn"),
        unit: "",
        doc: "Inverse-compositional Gauss-Newton or Levenberg-Marquardt, or forward Gauss-Newton as a slow check.",
    },
    Param {
        name: "reference_strategy",
        kind: ParamKind::Choice(&["first", "previous", "automatic"]),
        default: DefaultValue::Text("first"),
        unit: "",
        doc: "Image each deformed one is compared with; automatic changes it when the first one loses the points.",
    },
    Param {
        name: "initial_guess",
        kind: ParamKind::Choice(&["shared", "led", "tiles", "features", "per_subset"]),
        default: DefaultValue::Text("led"),
        unit: "",
        doc: "Phase correlation of tiles that neighbours share with keypoint seeds where it fails, the same with most points started between what the points around them found, either of the two alone, or every subset on its own as published.",
    },
    Param {
        name: "stop_value",
        kind: ParamKind::Float {
            min: 1e-9,
            max: 1.0,
        },
        default: DefaultValue::Float(1e-3),
        unit: "px",
        doc: "Convergence norm below which a point has converged.",
    },
    Param {
        name: "iteration_limit",
        kind: ParamKind::Int {
            min: 1,
            max: 10_000,
        },
        default: DefaultValue::Int(100),
        unit: "",
        doc: "Most parameter updates of a point.",
    },
    Param {
        name: "last_evaluation",
        kind: ParamKind::Choice(&["before_update", "after_update"]),
        default: DefaultValue::Text("before_update"),
        unit: "",
        doc: "Whether the subset is evaluated once more at its final parameters, as published.",
    },
    Param {
        name: "min_zncc",
        kind: ParamKind::Float {
            min: -1.0,
            max: 1.0,
        },
        default: DefaultValue::Float(0.5),
        unit: "",
        doc: "Smallest accepted correlation coefficient.",
    },
    Param {
        name: "accept",
        kind: ParamKind::Choice(&["converged", "measured"]),
        default: DefaultValue::Text("converged"),
        unit: "",
        doc: "Points whose errors count: converged ones, or also those at the iteration limit or with a low correlation, as published.",
    },
    Param {
        name: "margin_px",
        kind: ParamKind::Int {
            min: 0,
            max: 10_000,
        },
        default: DefaultValue::Int(0),
        unit: "px",
        doc: "Points nearer to the picture's border than this do not enter the errors.",
    },
];

const METRICS: &[MetricDef] = &[
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

const TABLES: &[TableDef] = &[
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

fn conflicts(params: &Params) -> Vec<Conflict> {
    let int = |name| match params.get(name) {
        Some(ParamValue::Int(value)) => *value,
        _ => 0,
    };
    let mut conflicts = Vec::new();
    if int("order") == 2 && int("subset_size_px") < 9 {
        conflicts.push(Conflict {
            param: "order",
            message: format!(
                "order 2 has 12 parameters, too many for a subset of {} px; use 9 px or more",
                int("subset_size_px")
            ),
        });
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_engine() {
        let params = retrial_core::params::defaults(PARAMS);
        let settings = super::super::trial::settings(&params).expect("defaults fit");
        // A trial that may change its reference cannot go on from a checkpoint.
        let first = retrial_dic::Settings {
            reference_strategy: retrial_dic::ReferenceStrategy::First,
            // Records hold whole subsets only.
            split: retrial_dic::Split::None,
            ..retrial_dic::Settings::default()
        };
        assert_eq!(settings, first);
    }

    #[test]
    fn the_published_params_are_those_of_the_engine() {
        let mut params = retrial_core::params::defaults(PARAMS);
        for (name, value) in [
            ("step_px", ParamValue::Int(5)),
            ("subset_shape", ParamValue::Text("circle".to_owned())),
            ("grid", ParamValue::Text("published".to_owned())),
            ("prefilter_sigma_px", ParamValue::Float(0.4)),
            ("prefilter_window_px", ParamValue::Int(5)),
            ("gradient", ParamValue::Text("prewitt_unscaled".to_owned())),
            ("initial_guess", ParamValue::Text("per_subset".to_owned())),
            ("stop_value", ParamValue::Float(1e-4)),
            ("iteration_limit", ParamValue::Int(101)),
            (
                "last_evaluation",
                ParamValue::Text("after_update".to_owned()),
            ),
            ("min_zncc", ParamValue::Float(-1.0)),
        ] {
            params.set(name, value);
        }
        let settings = super::super::trial::settings(&params).expect("they fit");
        assert_eq!(settings, retrial_dic::Settings::published());
    }
}
