//! Strain from displacements: a polynomial fitted to the points of a window gives the displacement
//! gradient, the gradient any strain tensor.

mod field;
mod fit;
mod propagate;
mod tensor;

pub use field::{Strain, StrainFault, StrainField, StrainPoint, strain_field};
pub use fit::{FitOrder, StrainWindow, WindowWeights};
pub use propagate::StrainUncertainty;
pub(crate) use propagate::propagate;
pub use tensor::{DisplacementGradient, Principal, StrainMeasure, StrainTensor};
