//! Numbers as a reader wants them: as many digits as mean something, and a true minus sign.

use retrial_core::claim::short;
use retrial_core::statistics::Summary;

/// The minus sign of typography.
pub(crate) const MINUS: char = '\u{2212}';
/// Shown where there is no value.
pub(crate) const NONE: &str = "–";

/// `1 trial`, `3 trials`.
pub(crate) fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A number with a fixed count of decimals and a true minus sign.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let zero = text.trim_matches(['-', '0', '.']).is_empty();
    match text.strip_prefix('-') {
        Some(digits) if zero => digits.to_owned(),
        Some(digits) => format!("{MINUS}{digits}"),
        None => text,
    }
}

/// Four significant digits with a true minus sign.
pub(crate) fn plain(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let text = short(value);
    match text.split_once('e') {
        None => text.replace('-', "\u{2212}"),
        Some((digits, power)) => {
            let digits = digits.replace('-', "\u{2212}");
            format!("{digits}·10{}", superscript(power))
        }
    }
}

/// `10^exponent`, which may be too small or too large for an `f64`, as a figure writes it: three
/// significant digits, or two before a power of ten.
pub(crate) fn of_log10(exponent: f64) -> String {
    if !exponent.is_finite() {
        return if exponent < 0.0 { "0" } else { NONE }.to_owned();
    }
    let rounded = |digits: i32| {
        let power = exponent.floor();
        let lead = 10f64.powi(digits - 1);
        let number = (10f64.powf(exponent - power) * lead).round() / lead;
        // 9.999 is 10.
        match number < 10.0 {
            true => (number, power),
            false => (1.0, power + 1.0),
        }
    };
    let (number, power) = rounded(3);
    if (-3.0..4.0).contains(&power) {
        return plain(number * 10f64.powf(power));
    }
    let (number, power) = rounded(2);
    let sign = if power < 0.0 { "\u{2212}" } else { "" };
    format!("{}·10^{{{sign}{}}}", plain(number), power.abs())
}

fn superscript(power: &str) -> String {
    power
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '0' => '⁰',
            '4'..='9' => char::from_u32(0x2070 + u32::from(c) - u32::from('0')).unwrap_or(c),
            other => other,
        })
        .collect()
}

/// Decimals at which `spread` has two significant digits.
pub(crate) fn decimals_for(spread: f64) -> usize {
    if spread == 0.0 || !spread.is_finite() {
        return 4;
    }
    let magnitude = spread.abs().log10().floor() as i32;
    usize::try_from(1 - magnitude).unwrap_or(0)
}

/// How the numbers of one column of a table are written, decided once for all its lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NumberStyle {
    /// Fixed decimals, or four significant digits where the column spans decades.
    decimals: Option<usize>,
    /// Whether standard deviations and intervals are shown.
    spread: bool,
}

impl NumberStyle {
    /// A style for these cells; `spread` where the study has any.
    pub(crate) fn of<'s>(cells: impl Iterator<Item = &'s Summary>, spread: bool) -> Self {
        let cells: Vec<&Summary> = cells.collect();
        let spread = spread && cells.iter().any(|s| s.n > 1);
        let decimals = if spread {
            let spreads = cells.iter().map(|s| s.sd).filter(|&sd| sd > 0.0);
            let smallest = spreads.fold(f64::INFINITY, f64::min);
            let largest = (cells.iter().map(|s| s.sd)).fold(0.0, f64::max);
            let even = smallest.is_finite() && largest < 100.0 * smallest;
            even.then(|| decimals_for(smallest)).filter(|&d| d <= 6)
        } else {
            let sizes: Vec<f64> = (cells.iter().map(|s| s.mean.abs()))
                .filter(|&v| v > 0.0 && v.is_finite())
                .collect();
            let largest = sizes.iter().copied().fold(0.0, f64::max);
            let smallest = sizes.iter().copied().fold(f64::INFINITY, f64::min);
            let whole = sizes.iter().all(|v| v.fract() == 0.0);
            if whole && largest < 1e9 {
                Some(0)
            } else if largest < 1000.0 * smallest && largest < 1e6 {
                let magnitude = smallest.log10().floor() as i32;
                let decimals = usize::try_from(2 - magnitude).unwrap_or(0);
                Some(decimals).filter(|&d| d <= 6)
            } else {
                None
            }
        };
        Self { decimals, spread }
    }

    /// Whether standard deviations and intervals are shown.
    pub(crate) fn has_spread(self) -> bool {
        self.spread
    }

    /// One number.
    pub(crate) fn number(self, value: f64) -> String {
        match self.decimals {
            _ if !value.is_finite() => NONE.to_owned(),
            Some(decimals) => fixed(value, decimals),
            None => plain(value),
        }
    }

    /// Mean and, where there is a spread, ± standard deviation.
    pub(crate) fn mean_sd(self, cell: &Summary) -> String {
        if self.spread && cell.sd.is_finite() {
            format!("{} ± {}", self.number(cell.mean), self.number(cell.sd))
        } else {
            self.number(cell.mean)
        }
    }

    /// The 95 % interval, where there is one.
    pub(crate) fn interval(self, cell: &Summary) -> Option<String> {
        let (low, high) = cell.ci95;
        (self.spread && low.is_finite())
            .then(|| format!("[{}, {}]", self.number(low), self.number(high)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_their_logarithm() {
        for (value, written) in [
            (12.34_f64, "12.3"),
            (1.0, "1"),
            (9.9996, "10"),
            (0.004_567, "0.00457"),
            (0.000_999_96, "0.001"),
            (0.000_456_7, "4.6·10^{−4}"),
            (123_456.0, "1.2·10^{5}"),
        ] {
            assert_eq!(of_log10(value.log10()), written);
        }
        assert_eq!(of_log10(-4321.5), "3.2·10^{−4322}");
        assert_eq!(of_log10(f64::NEG_INFINITY), "0");
    }
}
