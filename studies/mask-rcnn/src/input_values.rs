//! What the nets see of a picture: grey values or temperatures, 0 to 1.

use retrial_data::ThermalPicture;

use super::params::{InputKind, Pictures};

/// Which values are seen.
pub(super) struct Input {
    temperature: bool,
    coldest_c: f64,
    hottest_c: f64,
}

impl Input {
    pub(super) fn new(params: &Pictures) -> Self {
        Self {
            temperature: params.input == InputKind::Temperature,
            coldest_c: params.coldest_c,
            hottest_c: params.hottest_c,
        }
    }

    /// What is seen of a picture.
    pub(super) fn values(&self, picture: &ThermalPicture) -> Values {
        match picture {
            ThermalPicture {
                temperature: Some(_),
                ..
            } if self.temperature => Values::Celsius,
            ThermalPicture {
                gray16: Some(_), ..
            } => Values::Deep,
            _ => Values::Luma,
        }
    }

    /// The values that are seen of a picture, rounded to whole ones.
    pub(super) fn raw<'p>(
        &self,
        picture: &'p ThermalPicture,
    ) -> Box<dyn Iterator<Item = i32> + 'p> {
        match (self.values(picture), &picture.temperature, &picture.gray16) {
            (Values::Celsius, Some(raw), _) => Box::new(raw.iter().map(|&raw| i32::from(raw))),
            (Values::Deep, _, Some(values)) => Box::new(values.iter().map(|&v| i32::from(v))),
            _ => Box::new(lumas(&picture.rgb).map(|luma| luma.round() as i32)),
        }
    }

    /// Black and white of such values; `range` is that of its set's 16-bit grey.
    pub(super) fn scale(&self, values: Values, range: Option<[u16; 2]>, stated: bool) -> Scale {
        let tenths = |celsius: f64| (celsius * 10.0).round() as i32;
        let range = match (values, range) {
            (Values::Celsius, _) => [tenths(self.coldest_c), tenths(self.hottest_c)],
            (Values::Deep, Some(range)) => range.map(i32::from),
            _ => [0, 255],
        };
        Scale {
            values,
            range,
            stated,
        }
    }

    /// The values of a picture; `range` is black and white of its set's 16-bit grey.
    pub(super) fn scaled(&self, picture: &ThermalPicture, range: Option<[u16; 2]>) -> Vec<f32> {
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
        lumas(&picture.rgb).map(|luma| luma / 255.0).collect()
    }
}

/// The luma of ITU-R BT.601, as other programs make grey pictures: 0 to 255.
pub(super) fn lumas(rgb: &[u8]) -> impl Iterator<Item = f32> + '_ {
    let luma = |rgb: &[u8]| {
        0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2])
    };
    rgb.chunks_exact(3).map(luma)
}

/// What of a picture is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Temperatures in tenths of a degree, as cameras give them.
    Celsius,
    /// 16-bit grey.
    Deep,
    /// 8-bit grey, or the luma of colours.
    Luma,
}

impl Values {
    pub(super) const ALL: [Self; 3] = [Self::Celsius, Self::Deep, Self::Luma];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Celsius => "temperatures",
            Self::Deep => "16-bit values",
            Self::Luma => "8-bit values",
        }
    }

    /// A value with its unit.
    pub(super) fn shown(self, value: i32) -> String {
        match self {
            Self::Celsius => format!("{:.1} °C", f64::from(value) / 10.0),
            Self::Deep | Self::Luma => value.to_string(),
        }
    }
}

/// In which range values are seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) values: Values,
    /// Black and white.
    pub(super) range: [i32; 2],
    /// Whether the manifest states that of 16-bit grey.
    pub(super) stated: bool,
}

impl Scale {
    /// Where the range comes from.
    pub(super) fn key(&self) -> &'static str {
        match self.values {
            Values::Celsius => "`coldest_c` and `hottest_c`,",
            Values::Deep if self.stated => "`grey_range`,",
            Values::Deep => "the range of the set,",
            Values::Luma => "the range",
        }
    }

    /// How to see the values between two of them.
    pub(super) fn advice(&self, low: i32, high: i32) -> String {
        let celsius = |value: i32| f64::from(value) / 10.0;
        match self.values {
            Values::Celsius => format!(
                "; such as `coldest_c: {:.1}` and `hottest_c: {:.1}` shows them",
                celsius(low),
                celsius(high)
            ),
            Values::Deep => {
                format!("; state `grey_range: [{low}, {high}]` under `pictures` of the manifest")
            }
            Values::Luma => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use retrial_data::Depth;

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
        let seen = gray().scaled(&deep, Some([2850, 3070]));
        assert_eq!((seen[0], seen[110], seen[220]), (0.0, 0.5, 1.0));
        let stated = gray().scaled(&deep, Some([2850, 2960]));
        assert_eq!((stated[55], stated[110], stated[220]), (0.5, 1.0, 1.0));
    }

    #[test]
    fn a_picture_of_one_value_is_black() {
        let seen = gray().scaled(&picture(&[7; 4]), Some([7, 7]));
        assert_eq!(seen.as_slice(), &[0.0; 4][..]);
    }

    #[test]
    fn what_is_seen_has_its_range() {
        let deep = picture(&[2850, 3070]);
        let scale = gray().scale(gray().values(&deep), Some([2850, 3070]), false);
        assert_eq!((scale.values, scale.range), (Values::Deep, [2850, 3070]));
        assert_eq!(gray().raw(&deep).collect::<Vec<_>>(), [2850, 3070]);
        let mut warm = deep;
        warm.temperature = Some(vec![-5, 215]);
        let input = Input {
            temperature: true,
            coldest_c: -20.0,
            hottest_c: 60.0,
        };
        let scale = input.scale(input.values(&warm), Some([2850, 3070]), false);
        assert_eq!((scale.values, scale.range), (Values::Celsius, [-200, 600]));
        assert_eq!(input.raw(&warm).collect::<Vec<_>>(), [-5, 215]);
        assert_eq!(Values::Celsius.shown(-5), "-0.5 °C");
    }
}
