//! Strain tensors of a displacement gradient, and their principal values.
//!
//! Axes are those of the picture: `x` right, `y` down. Shear is the tensor component, half the
//! engineering angle. A positive angle turns from `x` towards `y`, clockwise as seen.
//!
//! # Source
//! Any text on finite strain; names as in Holzapfel 2000, "Nonlinear Solid Mechanics", chapter 2.

/// Derivatives of the displacement by the position in the reference picture, px a px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DisplacementGradient {
    /// `∂u/∂x`.
    pub u_x: f64,
    /// `∂u/∂y`.
    pub u_y: f64,
    /// `∂v/∂x`.
    pub v_x: f64,
    /// `∂v/∂y`.
    pub v_y: f64,
}

retrial_words::words! {
    /// Which strain tensor; with `F = 1 + ∂(u, v)/∂(x, y)`, `C = Fᵀ F` and `U = √C`.
    pub enum StrainMeasure {
        /// `½ (C − 1)`, in the reference configuration.
        GreenLagrange = "green_lagrange",
        /// `½ (1 − (F Fᵀ)⁻¹)`, in the deformed configuration.
        EulerAlmansi = "euler_almansi",
        /// `ln U`, true or logarithmic strain.
        Hencky = "hencky",
        /// `U − 1`, Biot strain: its principal values are change of length by original length.
        Engineering = "engineering",
        /// `½ (∇u + ∇uᵀ)`: not free of rotations.
        Small = "small",
    }
}

/// A symmetric tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrainTensor {
    /// Along `x`.
    pub xx: f64,
    /// Along `y`.
    pub yy: f64,
    /// Shear, half of the change of the right angle.
    pub xy: f64,
}

/// Principal values and the direction of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Principal {
    /// The larger value.
    pub first: f64,
    /// The smaller value.
    pub second: f64,
    /// Angle from `x` towards `y` of the direction of `first`, radians in `−π/2..=π/2`; 0 where
    /// both values are equal.
    pub angle: f64,
}

impl DisplacementGradient {
    /// `[u_x, u_y, v_x, v_y]`.
    #[must_use]
    pub fn as_array(&self) -> [f64; 4] {
        [self.u_x, self.u_y, self.v_x, self.v_y]
    }

    pub(crate) fn from_array([u_x, u_y, v_x, v_y]: [f64; 4]) -> Self {
        Self { u_x, u_y, v_x, v_y }
    }

    /// `det F`, the ratio of areas after and before.
    #[must_use]
    pub fn area_ratio(&self) -> f64 {
        (1.0 + self.u_x) * (1.0 + self.v_y) - self.u_y * self.v_x
    }
}

impl StrainMeasure {
    /// The tensor of this measure, or `None` where the gradient folds the material over
    /// (`det F ≤ 0`) or is not finite.
    #[must_use]
    pub fn of(self, gradient: &DisplacementGradient) -> Option<StrainTensor> {
        let [a, b, c, d] = gradient.as_array();
        let area = gradient.area_ratio();
        if !area.is_finite() || area <= 0.0 {
            return None;
        }
        let small = StrainTensor {
            xx: a,
            yy: d,
            xy: 0.5 * (b + c),
        };
        // ½ (C − 1), written so that small strains keep their digits.
        let green = StrainTensor {
            xx: a + 0.5 * (a * a + c * c),
            yy: d + 0.5 * (b * b + d * d),
            xy: 0.5 * (b + c + a * b + c * d),
        };
        Some(match self {
            Self::Small => small,
            Self::GreenLagrange => green,
            Self::EulerAlmansi => {
                // F Fᵀ = 1 + 2 g; its inverse by the determinant (det F)².
                let g = StrainTensor {
                    xx: a + 0.5 * (a * a + b * b),
                    yy: d + 0.5 * (c * c + d * d),
                    xy: 0.5 * (b + c + a * c + b * d),
                };
                let square = area * area;
                let product = 2.0 * (g.xx * g.yy - g.xy * g.xy);
                StrainTensor {
                    xx: (g.xx + product) / square,
                    yy: (g.yy + product) / square,
                    xy: g.xy / square,
                }
            }
            Self::Engineering => {
                // U = (C + J 1) / √(tr C + 2 J), and U − 1 = (2 E − z 1) / t with z = t − 1 − J.
                let trace = 2.0 * (green.xx + green.yy);
                let excess = area - 1.0;
                let t = (4.0 + trace + 2.0 * excess).sqrt();
                let above_two = (trace + 2.0 * excess) / (t + 2.0);
                let z = above_two - excess;
                StrainTensor {
                    xx: (2.0 * green.xx - z) / t,
                    yy: (2.0 * green.yy - z) / t,
                    xy: 2.0 * green.xy / t,
                }
            }
            Self::Hencky => logarithm(&green),
        })
    }
}

/// `½ ln (1 + 2 E)`.
fn logarithm(green: &StrainTensor) -> StrainTensor {
    let principal = green.principal();
    let value = |e: f64| 0.5 * (2.0 * e).ln_1p();
    let (high, low) = (principal.first, principal.second);
    let spread = high - low;
    let slope = if spread > 0.0 {
        0.5 * (2.0 * spread / (1.0 + 2.0 * low)).ln_1p() / spread
    } else {
        1.0 / (1.0 + 2.0 * low)
    };
    StrainTensor {
        xx: value(low) + slope * (green.xx - low),
        yy: value(low) + slope * (green.yy - low),
        xy: slope * green.xy,
    }
}

impl StrainTensor {
    /// Principal values and direction.
    #[must_use]
    pub fn principal(&self) -> Principal {
        let mean = 0.5 * (self.xx + self.yy);
        let half = 0.5 * (self.xx - self.yy);
        let radius = half.hypot(self.xy);
        Principal {
            first: mean + radius,
            second: mean - radius,
            angle: if radius > 0.0 {
                0.5 * self.xy.atan2(half)
            } else {
                0.0
            },
        }
    }

    /// Largest shear over all directions, half the difference of the principal values.
    #[must_use]
    pub fn largest_shear(&self) -> f64 {
        let principal = self.principal();
        0.5 * (principal.first - principal.second)
    }
}

#[cfg(test)]
mod tests {
    use retrial_words::Word as _;

    use super::*;

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-12, "{got} {expected}");
    }

    /// `F` of a rotation by `turn` after the stretches `along` and `across` in the axes.
    fn turned(along: f64, across: f64, turn: f64) -> DisplacementGradient {
        let (s, c) = turn.sin_cos();
        DisplacementGradient {
            u_x: c * along - 1.0,
            u_y: -s * across,
            v_x: s * along,
            v_y: c * across - 1.0,
        }
    }

    #[test]
    fn a_stretch_has_the_textbook_value_in_every_measure() {
        let gradient = turned(1.3, 0.9, 0.0);
        for (measure, along, across) in [
            (StrainMeasure::GreenLagrange, 0.345, -0.095),
            (
                StrainMeasure::EulerAlmansi,
                0.5 * (1.0 - 1.0 / 1.69),
                0.5 * (1.0 - 1.0 / 0.81),
            ),
            (StrainMeasure::Hencky, 1.3_f64.ln(), 0.9_f64.ln()),
            (StrainMeasure::Engineering, 0.3, -0.1),
            (StrainMeasure::Small, 0.3, -0.1),
        ] {
            let tensor = measure.of(&gradient).expect("not folded");
            near(tensor.xx, along);
            near(tensor.yy, across);
            near(tensor.xy, 0.0);
        }
    }

    /// A rotation leaves strains of the reference configuration alone and turns those of the
    /// deformed one.
    #[test]
    fn a_rotation_is_no_strain() {
        let turn = 0.7;
        for &measure in StrainMeasure::ALL {
            let still = measure.of(&turned(1.3, 0.9, 0.0)).expect("not folded");
            let moved = measure.of(&turned(1.3, 0.9, turn)).expect("not folded");
            let principal = moved.principal();
            match measure {
                StrainMeasure::Small => assert!((moved.xx - still.xx).abs() > 0.1),
                StrainMeasure::EulerAlmansi => {
                    near(principal.first, still.xx);
                    near(principal.second, still.yy);
                    near(principal.angle, turn);
                }
                _ => {
                    near(moved.xx, still.xx);
                    near(moved.yy, still.yy);
                    near(moved.xy, 0.0);
                }
            }
        }
    }

    /// Simple shear by 0.2: `C = [[1, 0.2], [0.2, 1.04]]`, and `U` and `ln U` in closed form.
    #[test]
    fn simple_shear() {
        let gradient = DisplacementGradient {
            u_x: 0.0,
            u_y: 0.2,
            v_x: 0.0,
            v_y: 0.0,
        };
        let tensor = |measure: StrainMeasure| measure.of(&gradient).expect("not folded");
        let green = tensor(StrainMeasure::GreenLagrange);
        near(green.yy, 0.02);
        near(green.xy, 0.1);
        let almansi = tensor(StrainMeasure::EulerAlmansi);
        near(almansi.xx, 0.0);
        near(almansi.yy, -0.02);
        near(almansi.xy, 0.1);
        // U = (C + 1) / √(tr C + 2) with tr C = 2.04.
        let t = 4.04_f64.sqrt();
        let biot = tensor(StrainMeasure::Engineering);
        near(biot.xx, 2.0 / t - 1.0);
        near(biot.yy, 2.04 / t - 1.0);
        near(biot.xy, 0.2 / t);
        // Principal stretches λ and 1/λ with λ − 1/λ = 0.2.
        let hencky = tensor(StrainMeasure::Hencky).principal();
        near(hencky.first, 0.1_f64.asinh());
        near(hencky.second, -0.1_f64.asinh());
    }

    #[test]
    fn all_measures_agree_for_small_strains() {
        let e = 1e-7;
        let gradient = turned(1.0 + e, 1.0 - 2.0 * e, 0.0);
        for &measure in StrainMeasure::ALL {
            let tensor = measure.of(&gradient).expect("not folded");
            assert!((tensor.xx - e).abs() < 1e-13, "{measure:?} {tensor:?}");
            assert!((tensor.yy + 2.0 * e).abs() < 1e-13, "{measure:?}");
        }
    }

    #[test]
    fn folded_material_has_no_strain() {
        let gradient = turned(-0.5, 1.0, 0.0);
        for &measure in StrainMeasure::ALL {
            assert_eq!(measure.of(&gradient), None);
            assert_eq!(measure.name().parse(), Ok(measure));
        }
    }

    #[test]
    fn principal_values_of_pure_shear() {
        let tensor = StrainTensor {
            xx: 0.0,
            yy: 0.0,
            xy: 0.01,
        };
        let principal = tensor.principal();
        near(principal.first, 0.01);
        near(principal.second, -0.01);
        near(principal.angle, std::f64::consts::FRAC_PI_4);
        near(tensor.largest_shear(), 0.01);
    }
}
