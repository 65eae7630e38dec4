//! What the study `dic` declares of itself, and its params.

use retrial_core::declare::{ParamGroup as _, concat, count};
use retrial_core::metric::TableDef;
use retrial_core::params::Params;
use retrial_core::study::{Conflict, StudyInfo};
use retrial_core::{params, words};
use retrial_dic::{
    Accept, Criterion, Gradient, Grid, InitialGuess, LastEvaluation, Optimiser, ReferenceStrategy,
    SubsetShape,
};

use super::metrics::metric;
use super::output::FIELDS;
use super::{output, resolution};

/// What the study declares of itself.
pub(super) const INFO: StudyInfo = StudyInfo {
    name: "dic",
    revision: 3,
    amendments: &[],
    work: "Atkinson D., Becker T.H. (2020) \"A 117 Line 2D Digital Image Correlation Code Written \
           in MATLAB\", Remote Sensing 12(18), 2906, doi:10.3390/rs12182906",
    deterministic: true,
    uses_device: false,
    cpu_methods: &[],
    content_kinds: &["image series"],
    params: Correlation::TABLE,
    metrics: metric::ALL,
    tables: &concat::<_, { count(TABLES) }>(TABLES),
    files: &[FIELDS],
    conflicts,
};

const TABLES: &[&[TableDef]] = &[output::TABLES, resolution::TABLES];

words! {
    /// Which settings are those that suit the pictures, as `retrial dic` chooses them.
    pub(super) enum AutoSettings {
        /// None: the params say it.
        Nothing = "none",
        /// Filter and degree of the spline.
        Filter = "filter",
        /// These and the order of the shape function.
        FilterAndOrder = "filter_and_order",
    }
}

params! {
    /// All params of a trial.
    pub(super) struct Correlation {
        /// Full width of the subset.
        subset_size_px: odd(5..=501) "px" = 41,
        /// Spacing of the points.
        step_px: int(1..=1000) "px" = 5,
        /// Order of the shape function; 2 needs a subset of 9 px or more.
        order: int(0..=2) = 1,
        /// Outline of the subset.
        subset_shape: word(SubsetShape) = SubsetShape::Square,
        /// Where the points lie.
        grid: word(Grid) = Grid::Full,
        /// Standard deviation of the Gaussian prefilter; 0 turns it off.
        prefilter_sigma_px: float(0.0..=20.0) "px" = 0.7,
        /// Window of the Gaussian prefilter.
        prefilter_window_px: odd(1..=101) "px" = 7,
        /// Degree of the interpolating B-spline.
        spline_degree: odd(3..=5) = 3,
        /// Which settings are those that suit the pictures, as `retrial dic` chooses them, in place of the params.
        auto_settings was "advice": word(AutoSettings) = AutoSettings::Nothing,
        /// Gradient of the reference image.
        gradient: word(Gradient) = Gradient::Spline,
        /// What a match minimises.
        criterion: word(Criterion) = Criterion::Znssd,
        /// How the criterion is minimised.
        optimiser: word(Optimiser) = Optimiser::IcGn,
        /// Image each deformed one is compared with.
        reference_strategy: word(ReferenceStrategy) = ReferenceStrategy::First,
        /// Where the search of a point begins.
        initial_guess: word(InitialGuess) = InitialGuess::CoarseToFine,
        /// Convergence norm below which a point has converged.
        stop_value: float(1e-9..=1.0) "px" = 1e-3,
        /// Most parameter updates of a point.
        iteration_limit: int(1..=10_000) = 100,
        /// Whether the subset is evaluated once more at its final parameters.
        last_evaluation: word(LastEvaluation) = LastEvaluation::BeforeUpdate,
        /// Smallest accepted correlation coefficient.
        min_zncc: float(-1.0..=1.0) = 0.5,
        /// Points whose errors count.
        error_points was "accept": word(Accept) = Accept::Converged,
        /// Points nearer to the picture's border than this do not enter the errors.
        margin_px: int(0..=10_000) "px" = 0,
    }
}

fn conflicts(params: &Params) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    if let Ok(params) = Correlation::read(params)
        && params.order == 2
        && params.subset_size_px < 9
    {
        conflicts.push(Conflict {
            param: Correlation::order,
            message: format!(
                "order 2 has 12 parameters, too many for a subset of {} px; use 9 px or more",
                params.subset_size_px
            ),
        });
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Correlation {
        let params = params::defaults(Correlation::TABLE);
        Correlation::read(&params).expect("all there")
    }

    #[test]
    fn the_defaults_are_those_of_the_engine() {
        let settings = super::super::trial::settings(&defaults()).expect("defaults fit");
        // A trial that may change its reference cannot go on from a checkpoint; records hold whole subsets only.
        let first = retrial_dic::Settings::default()
            .with_reference_strategy(ReferenceStrategy::First)
            .with_split(retrial_dic::Split::None);
        assert_eq!(settings, first);
    }

    #[test]
    fn the_published_params_are_those_of_the_engine() {
        let params = Correlation {
            step_px: 5,
            subset_shape: SubsetShape::Circle,
            grid: Grid::Published,
            prefilter_sigma_px: 0.4,
            prefilter_window_px: 5,
            gradient: Gradient::PrewittUnscaled,
            initial_guess: InitialGuess::PerSubset,
            stop_value: 1e-4,
            iteration_limit: 101,
            last_evaluation: LastEvaluation::AfterUpdate,
            min_zncc: -1.0,
            ..defaults()
        };
        let settings = super::super::trial::settings(&params).expect("they fit");
        assert_eq!(settings, retrial_dic::Settings::published());
    }
}
