//! Axes: what range they cover, where their ticks are and how these are written.

use retrial_core::report_spec::Scale;

use crate::number::{MINUS, fixed};

/// An axis with its ticks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) scale: Scale,
    pub(crate) ticks: Vec<(f64, String)>,
    /// Ticks without a number.
    pub(crate) minor: Vec<f64>,
    pub(crate) label: String,
    /// Whether its ticks are words: then nothing lies between them.
    pub(crate) words: bool,
}

impl Axis {
    /// An axis that covers all finite `values`. On a logarithmic axis only positive ones count.
    pub(crate) fn covering(
        values: impl Iterator<Item = f64>,
        scale: Scale,
        name: &str,
        unit: &str,
    ) -> Self {
        let values = values.filter(|v| v.is_finite() && (scale == Scale::Linear || *v > 0.0));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        match scale {
            Scale::Linear => Self::linear(low, high, name, unit),
            Scale::Log => Self::logarithmic(low.max(f64::MIN_POSITIVE), high, name, unit),
        }
    }

    /// An axis of words, one tick each at 0, 1, 2, …
    pub(crate) fn of_words(words: &[String], label: &str) -> Self {
        let ticks = words.iter().enumerate();
        Self {
            low: -0.5,
            high: words.len().max(1) as f64 - 0.5,
            scale: Scale::Linear,
            ticks: ticks.map(|(i, word)| (i as f64, word.clone())).collect(),
            minor: Vec::new(),
            label: label.to_owned(),
            words: true,
        }
    }

    fn linear(low: f64, high: f64, name: &str, unit: &str) -> Self {
        let (mut low, mut high) = if low == high {
            let half = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
            (low - half, high + half)
        } else {
            (low, high)
        };
        // An axis that nearly reaches zero shows it.
        if low > 0.0 && low < 0.25 * high {
            low = 0.0;
        } else if high < 0.0 && high > 0.25 * low {
            high = 0.0;
        }
        let room = 0.04 * (high - low);
        low -= if low == 0.0 { 0.0 } else { room };
        high += if high == 0.0 { 0.0 } else { room };
        let ticks = nice_ticks(low, high, 6);
        let (ticks, power) = tick_labels(&ticks);
        Self {
            low,
            high,
            scale: Scale::Linear,
            ticks,
            minor: Vec::new(),
            label: label_with(name, unit, power),
            words: false,
        }
    }

    fn logarithmic(low: f64, high: f64, name: &str, unit: &str) -> Self {
        let (a, b) = (low.log10(), high.log10());
        let room = (0.05 * (b - a)).max(0.02);
        let (a, b) = (a - room, b + room);
        let (low, high) = (10f64.powf(a), 10f64.powf(b));
        let decades = b - a;
        let leads: &[f64] = if decades > 2.5 {
            &[1.0]
        } else if decades > 1.2 {
            &[1.0, 2.0, 5.0]
        } else if decades > 0.6 {
            &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]
        } else {
            &[]
        };
        let inside = |v: &f64| (low..=high).contains(v);
        let powers = (a.floor() as i32)..=(b.ceil() as i32);
        let numbers: Vec<f64> = if leads.is_empty() {
            nice_ticks(low, high, 5)
        } else {
            let every = (decades / 7.0).ceil().max(1.0) as i32;
            (powers.clone())
                .filter(|p| p.rem_euclid(every) == 0 || decades <= 7.0)
                .flat_map(|p| leads.iter().map(move |lead| lead * 10f64.powi(p)))
                .filter(inside)
                .collect()
        };
        let minor = powers
            .flat_map(|p| (1..10).map(move |lead| f64::from(lead) * 10f64.powi(p)))
            .filter(inside)
            .filter(|v| numbers.iter().all(|n| (n / v - 1.0).abs() > 1e-9))
            .collect();
        let as_powers = decades > 2.5 && (low < 1e-3 || high > 1e4);
        let ticks = numbers.iter().map(|&v| {
            let text = if as_powers {
                power_of_ten(v.log10().round() as i32)
            } else {
                trimmed(v)
            };
            (v, text)
        });
        Self {
            low,
            high,
            scale: Scale::Log,
            ticks: ticks.collect(),
            minor,
            label: label_with(name, unit, 0),
            words: false,
        }
    }

    /// Puts the ticks of a logarithmic axis at the values themselves where these are few and lie
    /// apart: a sweep's own values say more than round ones.
    pub(crate) fn tick_at(&mut self, values: impl Iterator<Item = f64>) {
        let mut values: Vec<f64> = values.filter(|v| self.share(*v).is_some()).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let shares: Vec<f64> = values.iter().filter_map(|v| self.share(*v)).collect();
        let apart = shares.windows(2).all(|pair| pair[1] - pair[0] > 0.07);
        if self.scale == Scale::Log && (2..=9).contains(&values.len()) && apart {
            self.ticks = values.iter().map(|&v| (v, trimmed(v))).collect();
            self.minor.clear();
        }
    }

    /// Place of a value between the ends, `0..=1`; `None` where it has none.
    pub(crate) fn share(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        match self.scale {
            Scale::Linear => Some((value - self.low) / (self.high - self.low)),
            Scale::Log if value > 0.0 => {
                Some((value / self.low).ln() / (self.high / self.low).ln())
            }
            Scale::Log => None,
        }
    }
}

/// Round numbers in `low..=high`, about `count` of them.
pub(crate) fn nice_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let raw = (high - low) / count.max(1) as f64;
    if !raw.is_finite() || raw <= 0.0 {
        return vec![low];
    }
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .map(|lead| lead * power)
        .into_iter()
        .find(|step| *step >= raw * 0.999)
        .unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Ticks with labels of equal decimals, and the power of ten taken out of them.
pub(crate) fn tick_labels(ticks: &[f64]) -> (Vec<(f64, String)>, i32) {
    let largest = ticks.iter().map(|v| v.abs()).fold(0.0, f64::max);
    let power = if largest > 0.0 && !(2e-3..1e5).contains(&largest) {
        (largest.log10().floor() as i32).div_euclid(3) * 3
    } else {
        0
    };
    let factor = 10f64.powi(-power);
    let step = match ticks {
        [a, b, ..] => (b - a).abs() * factor,
        _ => largest * factor,
    };
    let decimals = (0..8)
        .find(|&d| {
            let scaled = step * 10f64.powi(d);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
        })
        .unwrap_or(3);
    let label = |&v: &f64| (v, fixed(v * factor, decimals as usize));
    (ticks.iter().map(label).collect(), power)
}

/// `name (10⁻³ unit)`.
pub(crate) fn label_with(name: &str, unit: &str, power: i32) -> String {
    match (power, unit) {
        (0, "") => name.to_owned(),
        (0, unit) => format!("{name} ({unit})"),
        (power, "") => format!("{name} ({})", power_of_ten(power)),
        (power, unit) => format!("{name} ({} {unit})", power_of_ten(power)),
    }
}

fn power_of_ten(power: i32) -> String {
    match power {
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        _ if power < 0 => format!("10^{{{MINUS}{}}}", -power),
        _ => format!("10^{{{power}}}"),
    }
}

/// A number without needless digits.
fn trimmed(value: f64) -> String {
    let rounded = format!("{value:.3e}");
    let value: f64 = rounded.parse().unwrap_or(value);
    value.to_string().replace('-', "\u{2212}")
}
