//! What scenes are made of, and whether that makes sense.

use thiserror::Error;

use super::class::EquipmentClass;

/// Columns or rows that a scene may have at most.
const LARGEST_PX: usize = 4096;
/// Objects that a scene may hold at most; a sample names its object in 13 bits.
const MOST_OBJECTS: usize = 64;

retrial_core::words! {
    /// Whether surfaces radiate less than a black body of their temperature.
    pub enum Emissivity {
        /// Every surface is black: apparent and surface temperature are the same.
        Black = "black",
        /// Metal, porcelain and paint radiate as they do and reflect the sky.
        Real = "real",
    }
}

/// What lies behind the equipment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sky {
    /// How much colder the clear zenith looks than the ambient air, K; drawn from this range.
    pub depression_k: (f64, f64),
    /// Probability of clouds.
    pub clouds: f64,
    /// Probability that the ground is seen below a skyline.
    pub ground: f64,
    /// Probability that a wall of a building takes one side.
    pub wall: f64,
}

/// What a set of scenes is made of; scene `i` follows from this and `i` alone.
///
/// Probabilities and shares are in `0..=1`, ranges are `(least, most)`.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSpec {
    /// Root seed of the set.
    pub seed: u64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Kinds of equipment that may appear, all as often as they are listed.
    pub classes: Vec<EquipmentClass>,
    /// Objects in a scene. Where no room is left under `overlap`, fewer are drawn, at least one.
    pub objects: (usize, usize),
    /// Probability that an object is of the kind of the one placed before it, as the phases of a
    /// substation repeat.
    pub alike: f64,
    /// Size of an object: its box as a share of the picture, the larger of width and height. It
    /// shrinks with the number of objects.
    pub size: (f64, f64),
    /// Largest share of the smaller box that two boxes may have in common. `0` keeps objects
    /// isolated; above it, objects are placed beside one another on purpose.
    pub overlap: f64,
    /// Probability that a scene shows one object alone that is larger than the picture, so that
    /// only a part of it is seen.
    pub crop: f64,
    /// Largest tilt of upright equipment either way, degrees. What hangs or is clamped to a
    /// conductor tilts up to four times as far.
    pub tilt_deg: f64,
    /// Probability that an object has a hot joint.
    pub hot_spots: f64,
    /// How much hotter that joint is, K.
    pub hot_spot_rise_k: (f64, f64),
    /// Density of girders and wires around the equipment; none is labelled.
    pub clutter: f64,
    /// Sky, ground and walls.
    pub sky: Sky,
    /// Temperature of the air, °C.
    pub ambient_c: (f64, f64),
    /// How surfaces radiate.
    pub emissivity: Emissivity,
    /// Noise of a pixel (NETD), standard deviation, K.
    pub noise_k: f64,
    /// Fixed offset of a column of the sensor, standard deviation, K.
    pub column_k: f64,
    /// Blur of the optics: standard deviation of a Gaussian, px.
    pub blur_px: f64,
}

impl Default for SceneSpec {
    fn default() -> Self {
        Self {
            seed: 0,
            width: 160,
            height: 128,
            classes: EquipmentClass::ALL.to_vec(),
            objects: (1, 4),
            alike: 0.0,
            size: (0.45, 0.95),
            overlap: 0.25,
            crop: 0.05,
            tilt_deg: 12.0,
            hot_spots: 0.3,
            hot_spot_rise_k: (5.0, 60.0),
            clutter: 0.5,
            sky: Sky {
                depression_k: (20.0, 55.0),
                clouds: 0.5,
                ground: 0.35,
                wall: 0.25,
            },
            ambient_c: (-5.0, 32.0),
            emissivity: Emissivity::Real,
            noise_k: 0.08,
            column_k: 0.05,
            blur_px: 0.6,
        }
    }
}

/// One number of a spec that makes no sense.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Fault {
    /// A number outside its range.
    #[error("`{name}` is {value}, outside {least}..={most}")]
    Outside {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Least value allowed.
        least: f64,
        /// Largest value allowed.
        most: f64,
    },
    /// A range whose ends are exchanged.
    #[error("`{name}` goes from {least} down to {most}")]
    Reversed {
        /// Which range.
        name: &'static str,
        /// Its first number.
        least: f64,
        /// Its second number.
        most: f64,
    },
    /// A list of classes without an entry.
    #[error("`classes` is empty: a scene needs a kind of equipment to show")]
    NoClass,
}

/// Why no scene was drawn.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SceneError {
    /// The spec makes no sense; every fault at once.
    #[error("a scene cannot be drawn: {}", listed(.faults))]
    Spec {
        /// What is wrong.
        faults: Vec<Fault>,
    },
    /// Nothing of any object is seen.
    #[error("scene {index} of seed {seed} shows none of its {objects} objects")]
    Nothing {
        /// Root seed.
        seed: u64,
        /// The scene.
        index: u64,
        /// Objects laid out.
        objects: usize,
    },
}

fn listed(faults: &[Fault]) -> String {
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl SceneSpec {
    /// Whether scenes can be drawn.
    ///
    /// # Errors
    /// [`SceneError::Spec`] with every fault.
    pub fn check(&self) -> Result<(), SceneError> {
        let mut faults = Vec::new();
        if self.classes.is_empty() {
            faults.push(Fault::NoClass);
        }
        let most_px = LARGEST_PX as f64;
        let share = (0.0, 1.0);
        let single = [
            ("width", self.width as f64, (16.0, most_px)),
            ("height", self.height as f64, (16.0, most_px)),
            ("alike", self.alike, share),
            ("overlap", self.overlap, share),
            ("crop", self.crop, share),
            ("tilt_deg", self.tilt_deg, (0.0, 45.0)),
            ("hot_spots", self.hot_spots, share),
            ("clutter", self.clutter, share),
            ("sky.clouds", self.sky.clouds, share),
            ("sky.ground", self.sky.ground, share),
            ("sky.wall", self.sky.wall, share),
            ("noise_k", self.noise_k, (0.0, 10.0)),
            ("column_k", self.column_k, (0.0, 10.0)),
            ("blur_px", self.blur_px, (0.0, 20.0)),
        ];
        for (name, value, allowed) in single {
            outside(&mut faults, name, value, allowed);
        }
        let (fewest, most) = self.objects;
        let ranges = [
            (
                "objects",
                (fewest as f64, most as f64),
                (1.0, MOST_OBJECTS as f64),
            ),
            ("size", self.size, (0.05, 1.0)),
            ("hot_spot_rise_k", self.hot_spot_rise_k, (0.1, 500.0)),
            ("sky.depression_k", self.sky.depression_k, (0.0, 80.0)),
            ("ambient_c", self.ambient_c, (-60.0, 60.0)),
        ];
        for (name, (least, most), allowed) in ranges {
            let before = faults.len();
            outside(&mut faults, name, least, allowed);
            outside(&mut faults, name, most, allowed);
            if faults.len() == before && least > most {
                faults.push(Fault::Reversed { name, least, most });
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(SceneError::Spec { faults })
        }
    }
}

/// NaN is outside every range.
fn outside(faults: &mut Vec<Fault>, name: &'static str, value: f64, (least, most): (f64, f64)) {
    if !(least..=most).contains(&value) {
        faults.push(Fault::Outside {
            name,
            value,
            least,
            most,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let spec = SceneSpec {
            classes: Vec::new(),
            width: 0,
            overlap: 1.5,
            noise_k: f64::NAN,
            objects: (3, 2),
            ambient_c: (10.0, -10.0),
            ..SceneSpec::default()
        };
        let Err(SceneError::Spec { faults }) = spec.check() else {
            panic!("a bad spec was taken");
        };
        assert_eq!(faults.len(), 6, "{faults:?}");
        assert_eq!(
            faults[5].to_string(),
            "`ambient_c` goes from 10 down to -10"
        );
        assert_eq!(faults[2].to_string(), "`overlap` is 1.5, outside 0..=1");
        assert_eq!(SceneSpec::default().check(), Ok(()));
    }
}
