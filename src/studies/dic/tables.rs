//! What the study `dic` declares of itself, and its params.

use retrial_core::params::{DefaultValue, Param, ParamKind, ParamValue, Params};
use retrial_core::study::{Amendment, Conflict, StudyInfo};

use super::metrics::{METRICS, TABLES};

/// What the study declares of itself.
pub(super) const INFO: StudyInfo = StudyInfo {
    name: "dic",
    revision: 2,
    amendments: AMENDMENTS,
    work: "Atkinson D., Becker T.H. (2020) \"A 117 Line 2D Digital Image Correlation Code Written \
           in MATLAB\", Remote Sensing 12(18), 2906, doi:10.3390/rs12182906",
    deterministic: true,
    uses_device: false,
    cpu_methods: &[],
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
