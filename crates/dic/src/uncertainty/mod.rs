//! Standard uncertainty of every measured displacement, from the noise of the images.
//!
//! # Model
//! Both images carry white noise. The prefilter colours it, the same way in both. With `J` the
//! image gradient times the shape function, freed of what mean and contrast take out of it (the
//! criterion is blind to gain and offset), parameters that solve `Σ J r = 0` have the covariance
//! `(σ₁² + σ₂²) H⁻¹ M H⁻¹`, where `H = Σ J Jᵀ` and `M = Σ (k∗J)(k∗J)ᵀ` with the kernel `k` of the
//! filter. Without a filter `M = H` and this is the textbook `2 σ² H⁻¹`.
//!
//! The noise of the reference also enters `J`: it makes `H` too large and adds the noise of one
//! image times that of the other. Both are corrected in the mean, for a texture that is the same
//! all over the subset.
//!
//! The noise is given, or comes from the residual of each subset, corrected for what the fit
//! absorbs and for the smoothing by interpolation between pixels. A residual also holds what the
//! shape function cannot follow, so uncertainties from it err to the large side there.
//!
//! The model is that of ZNSSD and PSSDab. For SSD and NSSD, which are not blind to gain or offset, it is
//! a little too large.
//!
//! What shows of motion that the shape function does not follow is added to it. The bias by interpolation and by
//! light that changes inside a subset is not in it.
//!
//! A displacement that is composed over changes of the reference
//! ([`reference_changes`](crate::PointResult::reference_changes)) does not carry the noise of every
//! image in between: each moves the point away as the deformed image of one pair and back as the
//! reference of the next. What remains is the noise of the first and the last image at the size of
//! the last, and that of the pixels at the rim that a subset around another pixel does not share.
//! Adding up the pairs as if they were independent would state `√(changes + 1)` times too much. What
//! does add up is outside the model: biases of every pair, and a pattern that turns into another
//! one.
//!
//! Of a subset that was cut, the uncertainty is that of the part that took part.
//!
//! # Source
//! Wang, Sutton, Bruck & Schreier 2009, doi:10.1111/j.1475-1305.2008.00592.x (noise and gradients);
//! Sur & Grédiac 2014, doi:10.3934/ipi.2014.8.259 (noise after filters); covariance of an
//! estimating equation: Huber 1967.

mod kernel_noise;
mod misfit;
mod point;
mod sensitivity;
mod value;

pub(crate) use kernel_noise::{KernelNoise, gradient_scale};
pub use misfit::{Misfit, misfit, misfit_is_seen};
pub use point::{NoiseLevel, noise_of_pair, residual_noise, uncertainty};
pub(crate) use sensitivity::{PointSensitivity, at_sites};
pub use sensitivity::{Sensitivity, sensitivity};
pub use value::PointUncertainty;
