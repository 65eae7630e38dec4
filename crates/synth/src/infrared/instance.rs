//! What is true about one piece of equipment of a scene.

use retrial_image::InstanceMask;

use super::class::EquipmentClass;

/// One piece of equipment.
///
/// A pixel is inside a mask when more than half of its area is. Temperatures are those of the
/// surface itself, over what is seen of it; emissivity, blur and noise change what the camera
/// reads, not these.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneInstance {
    /// What it is.
    pub class: EquipmentClass,
    /// The pixels where it is seen. No two instances share one.
    pub visible: InstanceMask,
    /// The pixels where it is, seen or hidden; cut at the border of the picture.
    pub whole: InstanceMask,
    /// The tight box around `visible`, `[x0, y0, x1, y1]` px.
    pub bbox: [f64; 4],
    /// Its parts in the order of the class; a part of which nothing is seen is left out.
    pub parts: Vec<ScenePart>,
    /// A joint that runs hot, if it has one and it is seen.
    pub hot_spot: Option<HotSpot>,
    /// Hottest, °C.
    pub max_c: f64,
    /// Mean, °C.
    pub mean_c: f64,
    /// Share of `whole` where another instance is as well, before it or behind it.
    pub overlap: f64,
    /// Share of `whole` that is not seen: behind other instances or wires.
    pub hidden: f64,
    /// Largest intersection over union of `bbox` with the box of another instance.
    pub box_iou: f64,
    /// Share of the box of the entire object that lies outside the picture.
    pub cropped: f64,
}

/// One part of a piece of equipment, as far as it is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenePart {
    /// Position in [`EquipmentClass::parts`].
    pub number: usize,
    /// Name of the part.
    pub name: &'static str,
    /// Middle of `bbox`, `[x, y]` px.
    pub centre: [f64; 2],
    /// The tight box around its pixels, `[x0, y0, x1, y1]` px.
    pub bbox: [f64; 4],
    /// Hottest, °C.
    pub max_c: f64,
    /// Mean, °C.
    pub mean_c: f64,
}

/// A joint that runs hot.
#[derive(Clone, Debug, PartialEq)]
pub struct HotSpot {
    /// Number of the part on which the hottest point is seen.
    pub part: usize,
    /// The hottest point that is seen, `[x, y]` px.
    pub centre: [f64; 2],
    /// Standard deviation of its Gaussian profile, px.
    pub radius_px: f64,
    /// How much hotter its middle is than without the fault, K.
    pub rise_k: f64,
    /// Surface temperature of the hottest point that is seen, °C.
    pub peak_c: f64,
}
