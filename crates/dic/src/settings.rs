//! What a correlation can be told, with the defaults and the published choice side by side.

use crate::error::{DicError, check_positive};
use crate::gaussian::GaussianFilter;

/// Everything that decides a result apart from the images and the mask.
///
/// ```
/// use retrial_dic::{Settings, ShapeOrder};
/// let settings = Settings::default().with_side_px(31).with_shape_order(ShapeOrder::Two);
/// assert_eq!(settings.side_px(), 31);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Full width of the subset in px; odd.
    pub subset_size_px: usize,
    /// Outline of the subset.
    pub subset_shape: SubsetShape,
    /// Spacing of the points in px.
    pub step_px: usize,
    /// Where the points lie.
    pub grid: Grid,
    /// What becomes of subsets that the mask or the border of the picture cuts.
    pub borders: Borders,
    /// What becomes of subsets across which the displacement jumps.
    pub split: Split,
    /// Order of the shape function.
    pub shape_order: ShapeOrder,
    /// Low-pass filter applied to every image first; `None` turns it off.
    pub prefilter: Option<GaussianFilter>,
    /// Degree of the interpolating B-spline of the deformed image.
    pub spline_degree: SplineDegree,
    /// Gradient of the reference image.
    pub gradient: Gradient,
    /// What the match minimises.
    pub criterion: Criterion,
    /// How it is minimised.
    pub optimiser: Optimiser,
    /// Which image the reference subsets are taken from.
    pub reference_strategy: ReferenceStrategy,
    /// How points without a previous result get their first parameters.
    pub initial_guess: InitialGuess,
    /// The convergence norm in px below which a point has converged.
    pub stop_value: f64,
    /// Largest number of parameter updates of a point.
    pub iteration_limit: usize,
    /// Whether the subset is evaluated once more at the final parameters.
    pub last_evaluation: LastEvaluation,
    /// Smallest accepted ZNCC, in `-1..=1`; `-1` accepts everything.
    pub min_zncc: f64,
    /// Vector instructions of the kernels; results agree within the rounding of `f32`.
    pub instruction_set: InstructionSet,
}

retrial_words::words! {
    /// Outline of a subset of size `S`.
    pub enum SubsetShape {
        /// All `S × S` pixels.
        Square = "square",
        /// Pixels with `sqrt(dx² + dy²) ≤ S / 2 − 0.5`.
        Circle = "circle",
    }
}

retrial_words::words! {
    /// Where the points lie.
    pub enum Grid {
        /// As many points as fit, the remainder shared between opposite edges.
        Full = "full",
        /// The published positions, which leave a margin of one step: zero-based
        /// `(S + 1) / 2 + step − 1`, then every `step`, up to `width − (S + 1) / 2 − step − 2`.
        Published = "published",
    }
}

/// What becomes of subsets that the mask or the border of the picture cuts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Borders {
    /// There is no point without its whole square inside the picture and the mask; so too for
    /// circles, as in the published code.
    Whole,
    /// Points lie everywhere in the picture. A cut subset keeps the pixels that are connected with
    /// its centre inside the picture and the mask.
    Truncated {
        /// Smallest share of the pixels of a subset that must be left, in `0..=1`; below it a
        /// point has [`Status::Masked`](crate::Status::Masked), or
        /// [`Status::OutOfImage`](crate::Status::OutOfImage) where the deformed picture cuts it.
        least_share: f64,
    },
}

retrial_words::words! {
    /// What becomes of subsets across which the displacement jumps, as at a crack.
    pub enum Split {
        /// They are matched as a whole, with one displacement field for both sides.
        None = "none",
        /// Where the points around contradict each other, a subset is divided along the line that
        /// explains its pixels best, and the part on the side of its centre is matched alone. It stays
        /// whole unless two parts explain it significantly better than one field of second order does.
        Automatic = "automatic",
    }
}

/// Order of the polynomial that deforms a subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShapeOrder {
    /// Rigid translation, 2 parameters.
    Zero,
    /// Affine, 6 parameters.
    One,
    /// Quadratic, 12 parameters.
    Two,
}

impl ShapeOrder {
    /// The order of that number, if it is 0, 1 or 2.
    #[must_use]
    pub fn of(number: usize) -> Option<Self> {
        [Self::Zero, Self::One, Self::Two].get(number).copied()
    }

    /// 0, 1 or 2.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Zero => 0,
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// Degree of a B-spline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplineDegree {
    /// Cubic, 4 × 4 coefficients a value.
    Three,
    /// Quintic, 6 × 6 coefficients a value.
    Five,
}

impl SplineDegree {
    /// The spline of that degree, if it is 3 or 5.
    #[must_use]
    pub fn of(degree: usize) -> Option<Self> {
        match degree {
            3 => Some(Self::Three),
            5 => Some(Self::Five),
            _ => None,
        }
    }

    /// 3 or 5.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Three => 3,
            Self::Five => 5,
        }
    }
}

retrial_words::words! {
    /// Gradient of the reference image.
    pub enum Gradient {
        /// Derivative of the same B-spline that interpolates the images. It is zero at the border of a filtered
        /// picture, where the filter depends on what lies beyond: those pixels do not move a match.
        Spline = "spline",
        /// Prewitt operator divided by 6: a grey-level difference per pixel.
        Prewitt = "prewitt",
        /// The Prewitt operator as the published code uses it, 6 times too large: the same result in
        /// six times smaller steps.
        PrewittUnscaled = "prewitt_unscaled",
    }
}

retrial_words::words! {
    /// What the match of two subsets minimises.
    pub enum Criterion {
        /// Zero-mean normalised sum of squared differences: blind to gain and offset, which it takes from mean and
        /// deviation.
        Znssd = "znssd",
        /// Sum of squared differences of the grey values as they are.
        Ssd = "ssd",
        /// Normalised sum of squared differences: blind to gain.
        Nssd = "nssd",
        /// Parametric sum of squared differences with gain `a` and offset `b` as two more unknowns.
        Pssdab = "pssdab",
    }
}

retrial_words::words! {
    /// How the criterion is minimised.
    pub enum Optimiser {
        /// Inverse-compositional Gauss-Newton.
        IcGn = "ic_gn",
        /// Inverse-compositional Levenberg-Marquardt: steps that make the criterion worse are undone.
        IcLm = "ic_lm",
        /// Forward-additive Gauss-Newton in `f64`, some hundred times slower: a check on the others.
        ForwardGn = "forward_gn",
    }
}

retrial_words::words! {
    /// Which image the reference subsets are taken from.
    pub enum ReferenceStrategy {
        /// Always the first image.
        First = "first",
        /// The image before the deformed one; the displacements are composed.
        Previous = "previous",
        /// The first image until it loses the points, then a later one that still finds them; the
        /// displacements are composed, and their errors add up, at every change.
        Automatic = "automatic",
    }
}

retrial_words::words! {
    /// How points without a previous result get their first parameters.
    pub enum InitialGuess {
        /// As `phase_correlation`, at some points first. Where they fail, or where many points stay
        /// unexplained, pairs of keypoints that agree on local affine maps give places to begin from
        /// in spite of large rotation and stretch; good results spread from there, the best first, and
        /// points that are left over are reached in small paces.
        PhaseAndKeypoints = "phase_and_keypoints" was "shared",
        /// As `phase_and_keypoints`, but where that suits the picture only points in the middle of large blocks start
        /// so. The middles of the blocks within, and in the end all points, start between what the middles of the
        /// blocks around them found, carried to them by the displacement gradients, and need fewer iterations; those
        /// that this does not lead to a clear match start for themselves.
        CoarseToFine = "coarse_to_fine" was "led",
        /// Phase correlation of tiles that neighbouring points share, peaks checked by ZNCC. A point
        /// that fails from it, or from a previous result, is tried again from its own subset. Points
        /// that still correlate badly are tried again from their neighbours and from phase correlation
        /// of the whole picture; a low ZNCC without the agreement of other points is not believed.
        PhaseCorrelation = "phase_correlation" was "tiles",
        /// Keypoints first, and phase correlation only for points that they do not lead to.
        Keypoints = "keypoints" was "features",
        /// Phase correlation of every subset on its own, its highest peak taken as it is. A previous
        /// result is used even if it failed.
        PerSubset = "per_subset",
    }
}

retrial_words::words! {
    /// Whether the subset is evaluated once more at the final parameters.
    pub enum LastEvaluation {
        /// No: `zncc` belongs to the parameters before the last update, which is below the stop value.
        BeforeUpdate = "before_update",
        /// Yes, as in the published code; the extra evaluation counts as an iteration.
        AfterUpdate = "after_update",
    }
}

retrial_words::words! {
    /// Vector instructions of the kernels. What the processor lacks is replaced by the next best.
    pub enum InstructionSet {
        /// The best that the processor has.
        Best = "best",
        /// AVX2 with fused multiply-add at most.
        Avx2 = "avx2",
        /// What every processor of the architecture has: SSE2 on x86-64.
        Baseline = "baseline",
    }
}

impl Settings {
    /// The published validation: 41 px circles, order 1, unscaled Prewitt gradient, stop value 1e-4.
    ///
    /// The published step is 5 px. Subset size, order and step are what its tables vary.
    ///
    /// # Source
    /// Atkinson & Becker 2020, doi:10.3390/rs12182906, and the published code.
    #[must_use]
    pub fn published() -> Self {
        Self {
            subset_size_px: 41,
            subset_shape: SubsetShape::Circle,
            step_px: 5,
            grid: Grid::Published,
            borders: Borders::Whole,
            split: Split::None,
            shape_order: ShapeOrder::One,
            prefilter: Some(GaussianFilter {
                sigma_px: 0.4,
                window_px: 5,
            }),
            spline_degree: SplineDegree::Three,
            gradient: Gradient::PrewittUnscaled,
            criterion: Criterion::Znssd,
            optimiser: Optimiser::IcGn,
            reference_strategy: ReferenceStrategy::First,
            initial_guess: InitialGuess::PerSubset,
            stop_value: 1e-4,
            // The published loop ends when its counter exceeds 100: after 101 updates.
            iteration_limit: 101,
            last_evaluation: LastEvaluation::AfterUpdate,
            min_zncc: -1.0,
            instruction_set: InstructionSet::Best,
        }
    }

    /// Refuses what no image could make sense of.
    ///
    /// # Errors
    /// The variant of [`DicError`] that names the setting and its value.
    pub fn check(&self) -> Result<(), DicError> {
        if self.side_px() < 3 || self.side_px().is_multiple_of(2) {
            return Err(DicError::SubsetSize {
                size_px: self.side_px(),
            });
        }
        if self.step_px == 0 {
            return Err(DicError::ZeroStep);
        }
        if self.iteration_limit == 0 {
            return Err(DicError::ZeroIterations);
        }
        check_positive("stop_value", self.stop_value)?;
        if let Borders::Truncated { least_share } = self.borders
            && !(0.0..=1.0).contains(&least_share)
        {
            return Err(DicError::SubsetShare { value: least_share });
        }
        if !(-1.0..=1.0).contains(&self.min_zncc) {
            return Err(DicError::MinZncc {
                value: self.min_zncc,
            });
        }
        self.prefilter.map_or(Ok(()), GaussianFilter::check)
    }

    /// The side of the square that holds a subset, px.
    #[must_use]
    pub fn side_px(&self) -> usize {
        self.subset_size_px
    }

    /// Every setting by its name, its value as a text: what a result has to say of where it comes from.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let Self {
            subset_size_px,
            subset_shape,
            step_px,
            grid,
            borders,
            split,
            shape_order,
            prefilter,
            spline_degree,
            gradient,
            criterion,
            optimiser,
            reference_strategy,
            initial_guess,
            stop_value,
            iteration_limit,
            last_evaluation,
            min_zncc,
            instruction_set,
        } = self;
        let borders = match borders {
            Borders::Whole => "whole".to_owned(),
            Borders::Truncated { least_share } => format!("truncated, share {least_share}"),
        };
        let prefilter = prefilter.map_or_else(
            || "none".to_owned(),
            |filter| {
                format!(
                    "gaussian, {} px, window {} px",
                    filter.sigma_px, filter.window_px
                )
            },
        );
        vec![
            ("subset_size_px", subset_size_px.to_string()),
            ("subset_shape", subset_shape.to_string()),
            ("step_px", step_px.to_string()),
            ("grid", grid.to_string()),
            ("borders", borders),
            ("split", split.to_string()),
            ("shape_order", shape_order.number().to_string()),
            ("prefilter", prefilter),
            ("spline_degree", spline_degree.number().to_string()),
            ("gradient", gradient.to_string()),
            ("criterion", criterion.to_string()),
            ("optimiser", optimiser.to_string()),
            ("reference_strategy", reference_strategy.to_string()),
            ("initial_guess", initial_guess.to_string()),
            ("stop_value", stop_value.to_string()),
            ("iteration_limit", iteration_limit.to_string()),
            ("last_evaluation", last_evaluation.to_string()),
            ("min_zncc", min_zncc.to_string()),
            ("instruction_set", instruction_set.to_string()),
        ]
    }

    /// Half the subset without its centre pixel, `(S − 1) / 2`.
    pub(crate) fn half_px(&self) -> usize {
        (self.side_px() - 1) / 2
    }
}

/// What changes one setting.
macro_rules! setters {
    ($of:ident; $($setter:ident: $field:ident: $type:ty;)+) => {
        impl $of {
            $(
                #[doc = concat!("The same settings with this [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $setter(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }
    };
}

pub(crate) use setters;

setters! {
    Settings;
    with_side_px: subset_size_px: usize;
    with_subset_shape: subset_shape: SubsetShape;
    with_step_px: step_px: usize;
    with_grid: grid: Grid;
    with_borders: borders: Borders;
    with_split: split: Split;
    with_shape_order: shape_order: ShapeOrder;
    with_prefilter: prefilter: Option<GaussianFilter>;
    with_spline_degree: spline_degree: SplineDegree;
    with_gradient: gradient: Gradient;
    with_criterion: criterion: Criterion;
    with_optimiser: optimiser: Optimiser;
    with_reference_strategy: reference_strategy: ReferenceStrategy;
    with_initial_guess: initial_guess: InitialGuess;
    with_stop_value: stop_value: f64;
    with_iteration_limit: iteration_limit: usize;
    with_last_evaluation: last_evaluation: LastEvaluation;
    with_min_zncc: min_zncc: f64;
    with_instruction_set: instruction_set: InstructionSet;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            subset_size_px: 41,
            subset_shape: SubsetShape::Square,
            step_px: 5,
            grid: Grid::Full,
            borders: Borders::Whole,
            split: Split::Automatic,
            shape_order: ShapeOrder::One,
            prefilter: Some(GaussianFilter {
                // Measured on DIC Challenge Samples 1 and 3: the smallest filter that keeps the
                // bias of the cubic spline below 0.001 px at every sub-pixel position.
                sigma_px: 0.7,
                window_px: 7,
            }),
            spline_degree: SplineDegree::Three,
            gradient: Gradient::Spline,
            criterion: Criterion::Znssd,
            optimiser: Optimiser::IcGn,
            reference_strategy: ReferenceStrategy::Automatic,
            initial_guess: InitialGuess::CoarseToFine,
            stop_value: 1e-3,
            iteration_limit: 100,
            last_evaluation: LastEvaluation::BeforeUpdate,
            min_zncc: 0.5,
            instruction_set: InstructionSet::Best,
        }
    }
}
