//! What the nets see of a picture: grey values or temperatures, 0 to 1.

use std::collections::HashSet;

use retrial_core::params::{ParamValue, Params};
use retrial_data::ThermalPicture;

use super::choose::is;
use crate::execute::context::TrialError;

/// Which values are seen.
pub(super) struct Input {
    temperature: bool,
    coldest_c: f64,
    hottest_c: f64,
}

impl Input {
    pub(super) fn new(params: &Params) -> Result<Self, TrialError> {
        let number = |name: &str| {
            let value = params.get(name).and_then(ParamValue::as_f64);
            value.ok_or_else(|| TrialError::Other(format!("the param `{name}` is no number")))
        };
        Ok(Self {
            temperature: is(params, "input", "temperature"),
            coldest_c: number("coldest_c")?,
            hottest_c: number("hottest_c")?,
        })
    }

    /// The values of a picture; `range` is black and white of its set's 16-bit grey.
    pub(super) fn seen(&self, picture: &ThermalPicture, range: Option<[u16; 2]>) -> Vec<f32> {
        if let (true, Some(raw)) = (self.temperature, &picture.temperature) {
            let (cold, hot) = (self.coldest_c, self.hottest_c);
            // Cameras give tenths of a degree.
            let share =
                |&raw: &i16| ((f64::from(raw) / 10.0 - cold) / (hot - cold)).clamp(0.0, 1.0);
            return raw.iter().map(|raw| share(raw) as f32).collect();
        }
        if let (Some(values), Some([black, white])) = (&picture.gray16, range) {
            let (black, width) = (f64::from(black), f64::from(white) - f64::from(black));
            // Pictures of one value only are black.
            let share =
                |&value: &u16| ((f64::from(value) - black) / width.max(1.0)).clamp(0.0, 1.0);
            return values.iter().map(|value| share(value) as f32).collect();
        }
        // The luma of ITU-R BT.601, as other programs make grey pictures.
        let luma = |rgb: &[u8]| {
            0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2])
        };
        let pixels = picture.rgb.chunks_exact(3);
        pixels.map(|rgb| luma(rgb) / 255.0).collect()
    }
}

/// How many different values there are, counted up to `most`.
pub(super) fn grey_levels(values: &[f32], most: usize) -> usize {
    let mut seen = HashSet::with_capacity(most);
    for value in values {
        seen.insert(value.to_bits());
        if seen.len() >= most {
            break;
        }
    }
    seen.len()
}

#[cfg(test)]
mod tests {
    use retrial_data::format::thermal::Depth;

    use super::*;

    fn picture(values: &[u16]) -> ThermalPicture {
        ThermalPicture {
            name: "deep.png".to_owned(),
            width: values.len(),
            height: 1,
            rgb: values.iter().flat_map(|&v| [(v >> 8) as u8; 3]).collect(),
            temperature: None,
            encoded: String::new(),
            depth: Depth::Gray16,
            gray16: Some(values.to_vec()),
        }
    }

    fn gray() -> Input {
        Input {
            temperature: false,
            coldest_c: 0.0,
            hottest_c: 1.0,
        }
    }

    #[test]
    fn sixteen_bits_keep_every_value_of_their_range() {
        // Tenths of kelvin from 12 to 34 °C: all within one value of the upper byte.
        let values: Vec<u16> = (2850..=3070).collect();
        let deep = picture(&values);
        let seen = gray().seen(&deep, Some([2850, 3070]));
        assert_eq!((seen[0], seen[110], seen[220]), (0.0, 0.5, 1.0));
        assert_eq!(grey_levels(&seen, 1000), 221);
        let stated = gray().seen(&deep, Some([2850, 2960]));
        assert_eq!((stated[55], stated[110], stated[220]), (0.5, 1.0, 1.0));
    }

    #[test]
    fn a_picture_of_one_value_is_black_and_has_one_level() {
        let seen = gray().seen(&picture(&[7; 4]), Some([7, 7]));
        assert_eq!(
            (seen.as_slice(), grey_levels(&seen, 16)),
            (&[0.0; 4][..], 1)
        );
    }
}
