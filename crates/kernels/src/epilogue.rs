//! What happens to a sum before it is written.

/// A pointwise function.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Activation {
    /// The value itself.
    #[default]
    Identity,
    /// The value where positive, else the value times the slope; slope 0 is the rectifier.
    LeakyRelu(f32),
    /// The value where between 0 and 6, else the nearer of the two.
    Relu6,
    /// The hyperbolic tangent, to 3e-7 of the value.
    Tanh,
}

impl Activation {
    /// The function of one value.
    #[inline(always)]
    #[must_use]
    pub fn of(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::LeakyRelu(slope) => leaky_relu(x, slope),
            Self::Relu6 => relu6(x),
            Self::Tanh => tanh(x),
        }
    }
}

/// Bias and activation, applied to each written value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// Added first, one value per written channel.
    pub bias: Option<&'a [f32]>,
    /// Applied last.
    pub activation: Activation,
}

#[inline(always)]
pub(crate) fn leaky_relu(x: f32, slope: f32) -> f32 {
    if x > 0.0 { x } else { x * slope }
}

#[inline(always)]
pub(crate) fn relu6(x: f32) -> f32 {
    let below = if x > 6.0 { 6.0 } else { x };
    leaky_relu(below, 0.0)
}

/// The hyperbolic tangent without branches, so that loops over it become vector code.
///
/// Below 1/4 the Taylor polynomial (the first term left out is 1e-8 of the value), above
/// `1 − 2 / (exp(2|x|) + 1)`.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let square = x * x;
    let series = 62.0 / 2835.0;
    let series = series * square - 17.0 / 315.0;
    let series = series * square + 2.0 / 15.0;
    let series = series * square - 1.0 / 3.0;
    let near = magnitude + magnitude * square * series;
    // Beyond 10 the result rounds to one; a NaN passes through `near`.
    let doubled = if magnitude < 10.0 {
        2.0 * magnitude
    } else {
        20.0
    };
    let far = 1.0 - 2.0 / (exp(doubled) + 1.0);
    let result = if magnitude >= 0.25 { far } else { near };
    result.copysign(x)
}

/// The exponential function of `0..=20`: `2^n` times the Taylor polynomial on `±ln 2 / 2`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 · 2^23: adding it rounds to the nearest integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with so few bits that its products with `n` are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut sum = 1.0 / 5040.0;
    for factor in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0_f32] {
        sum = sum * r + 1.0 / factor;
    }
    let sum = sum * r + 1.0;
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127);
    sum * f32::from_bits(exponent << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_accurate_everywhere() {
        for step in -60_000_i32..=60_000 {
            let x = step as f32 / 5000.0;
            let expected = f64::from(x).tanh();
            let error = (f64::from(tanh(x)) - expected).abs();
            assert!(error <= 3e-7 * expected.abs(), "{x} {error:e}");
        }
        for (x, expected) in [
            (100.0, 1.0),
            (f32::INFINITY, 1.0),
            (f32::NEG_INFINITY, -1.0),
        ] {
            assert_eq!(tanh(x).to_bits(), f32::to_bits(expected));
        }
        assert!(tanh(f32::NAN).is_nan());
        assert_eq!(tanh(-0.0).to_bits(), (-0.0_f32).to_bits());
    }
}
