//! Temperatures as colours.

/// Colours at equal steps from cold to hot: black, violet, red, orange, yellow, white.
const STOPS: [[f32; 3]; 7] = [
    [4.0, 2.0, 18.0],
    [48.0, 8.0, 108.0],
    [128.0, 18.0, 130.0],
    [204.0, 54.0, 70.0],
    [246.0, 130.0, 20.0],
    [254.0, 212.0, 72.0],
    [255.0, 253.0, 236.0],
];

/// Red, green and blue of every temperature, 8 bits each, in an iron-like palette of our own.
///
/// The lightness grows with the temperature throughout. Outside `window` (coldest, hottest, °C)
/// the first and the last colour are kept; a temperature that is no number is drawn coldest.
///
/// # Shapes
/// - `temperature_c`: `[n]`
/// - result: `[n * 3]`
#[must_use]
pub fn pseudo_colour(temperature_c: &[f32], (coldest, hottest): (f32, f32)) -> Vec<u8> {
    let span = (hottest - coldest).max(f32::MIN_POSITIVE);
    let last = STOPS.len() - 1;
    let mut rgb = Vec::with_capacity(3 * temperature_c.len());
    for &t in temperature_c {
        let share = (t - coldest) / span;
        let share = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        let at = share * last as f32;
        let below = (at as usize).min(last - 1);
        let part = at - below as f32;
        for (from, to) in STOPS[below].iter().zip(STOPS[below + 1]) {
            rgb.push((from + (to - from) * part).round() as u8);
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotter_is_lighter_and_the_ends_are_kept() {
        let degrees: Vec<f32> = (-10..=110_i16).map(f32::from).collect();
        let rgb = pseudo_colour(&degrees, (0.0, 100.0));
        let lightness: Vec<f64> = rgb
            .chunks(3)
            .map(|c| 0.2126 * f64::from(c[0]) + 0.7152 * f64::from(c[1]) + 0.0722 * f64::from(c[2]))
            .collect();
        assert!(lightness[10..=110].windows(2).all(|two| two[0] < two[1]));
        assert_eq!(rgb[..3], [4, 2, 18]);
        assert_eq!(rgb[rgb.len() - 3..], [255, 253, 236]);
        assert_eq!(pseudo_colour(&[f32::NAN], (0.0, 1.0)), [4, 2, 18]);
    }
}
