//! Which objects a scene holds and where they stand.

use retrial_seed::Stream;

use super::backdrop::Weather;
use super::class::EquipmentClass;
use super::draw::{between, happens, whole};
use super::equipment::model;
use super::pose::Pose;
use super::raster::{Heat, Hot};
use super::solid::Model;
use super::spec::SceneSpec;

/// Places that are tried for an object before it shrinks, and how often it may shrink.
const TRIES: (usize, usize) = (16, 5);

/// An object where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) class: EquipmentClass,
    pub(super) model: Model,
    pub(super) pose: Pose,
    pub(super) heat: Heat,
    /// Box around all of it, also where it leaves the picture, `[x0, y0, x1, y1]` px.
    pub(super) bounds: [f64; 4],
}

/// The objects of a scene, the farthest first.
pub(super) fn layout(spec: &SceneSpec, weather: &Weather, draw: &mut Stream) -> Vec<Placed> {
    if happens(draw, spec.crop) {
        let share = between(draw, (1.3, 2.4));
        let mut only = stand(spec, weather, share, None, draw);
        aim(&mut only, spec, draw);
        return vec![only];
    }
    let wanted = whole(draw, spec.objects);
    let crowd = (wanted as f64).powf(-0.45);
    let mut placed: Vec<Placed> = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        let share = between(draw, spec.size) * crowd;
        // A draw that is not wanted is not made: sets without it stay as they are.
        let again = spec.alike > 0.0 && !placed.is_empty() && happens(draw, spec.alike);
        let before = placed.last().filter(|_| again).map(|one| one.class);
        let candidate = stand(spec, weather, share, before, draw);
        if let Some(found) = room(candidate, &placed, spec, draw) {
            placed.push(found);
        }
    }
    placed
}

/// An object in the middle of the picture, of a drawn kind unless one is given; `share` of the
/// picture is its box.
fn stand(
    spec: &SceneSpec,
    weather: &Weather,
    share: f64,
    class: Option<EquipmentClass>,
    draw: &mut Stream,
) -> Placed {
    let class = class.unwrap_or_else(|| spec.classes[whole(draw, (0, spec.classes.len() - 1))]);
    let model = model(class, draw);
    let [x0, y0, x1, y1] = model.bounds();
    let farther = match class {
        EquipmentClass::SuspensionString | EquipmentClass::LineClamp => 4.0,
        EquipmentClass::Fuse | EquipmentClass::Busbar => 2.0,
        _ => 1.0,
    };
    let tilt = spec.tilt_deg.to_radians() * farther * between(draw, (-1.0, 1.0));
    let mirrored = if happens(draw, 0.5) { -1.0 } else { 1.0 };
    let pose = Pose {
        middle: [(x0 + x1) / 2.0, (y0 + y1) / 2.0],
        centre: [spec.width as f64 / 2.0, spec.height as f64 / 2.0],
        scale: 1.0,
        aspect: mirrored * between(draw, (0.87, 1.13)),
        keystone: between(draw, (-0.18, 0.18)),
        tilt,
    };
    let loaded = if happens(draw, 0.35) {
        between(draw, (1.0, 9.0))
    } else {
        0.0
    };
    let base = weather.ambient_c + between(draw, (-2.0, 2.5)) + loaded;
    let mut placed = Placed {
        class,
        model,
        pose,
        heat: weather.heat(base),
        bounds: [0.0; 4],
    };
    for solid in &mut placed.model.solids {
        // Surfaces age: no two of them radiate alike.
        let aged = solid.material.emissivity + between(draw, (-0.06, 0.04));
        solid.material.emissivity = aged.clamp(0.2, 0.98);
    }
    placed.rescale(1.0);
    let [x0, y0, x1, y1] = placed.bounds;
    let taken = ((x1 - x0) / spec.width as f64).max((y1 - y0) / spec.height as f64);
    placed.rescale(share / taken);
    if happens(draw, spec.hot_spots) {
        let joints = &placed.model.joints;
        let at = joints[whole(draw, (0, joints.len() - 1))];
        let [x0, y0, x1, y1] = placed.bounds;
        let radius_px = (between(draw, (0.015, 0.05)) * (x1 - x0).hypot(y1 - y0)).max(1.2);
        placed.heat.hot = Some(Hot {
            at,
            radius: radius_px / placed.pose.scale,
            rise_k: between(draw, spec.hot_spot_rise_k),
        });
    }
    placed
}

impl Placed {
    fn rescale(&mut self, factor: f64) {
        self.pose.scale *= factor;
        self.measure();
    }

    fn move_to(&mut self, centre: [f64; 2]) {
        self.pose.centre = centre;
        self.measure();
    }

    fn measure(&mut self) {
        let points = self.model.solids.iter().flat_map(|s| &s.form.outline);
        self.bounds = self.pose.bounds(points);
    }
}

/// Moves an object so that a drawn corner of it lies well inside the picture.
fn aim(object: &mut Placed, spec: &SceneSpec, draw: &mut Stream) {
    let solids = &object.model.solids;
    let outline = &solids[whole(draw, (0, solids.len() - 1))].form.outline;
    let [x, y] = object
        .pose
        .seen(outline[whole(draw, (0, outline.len() - 1))]);
    let target = [spec.width as f64, spec.height as f64].map(|l| l * between(draw, (0.3, 0.7)));
    let centre = object.pose.centre;
    object.move_to([centre[0] + target[0] - x, centre[1] + target[1] - y]);
}

/// The object at a place where it keeps the rule of overlap, smaller if need be.
fn room(
    mut object: Placed,
    others: &[Placed],
    spec: &SceneSpec,
    draw: &mut Stream,
) -> Option<Placed> {
    let (width, height) = (spec.width as f64, spec.height as f64);
    let close = !others.is_empty() && happens(draw, 0.5 + 0.5 * spec.overlap);
    for _ in 0..TRIES.1 {
        for _ in 0..TRIES.0 {
            let [x0, y0, x1, y1] = object.bounds;
            let centre = object.pose.centre;
            // The box need not be symmetric about the centre.
            let (left, right) = (centre[0] - x0, width - (x1 - centre[0]));
            let (top, bottom) = (centre[1] - y0, height - (y1 - centre[1]));
            if left > right || top > bottom {
                break;
            }
            let mut at = [between(draw, (left, right)), between(draw, (top, bottom))];
            if close && spec.overlap > 0.0 {
                let anchor = others[whole(draw, (0, others.len() - 1))].bounds;
                at = beside(
                    &object,
                    anchor,
                    at,
                    spec.overlap * between(draw, (0.3, 1.0)),
                );
            }
            object.move_to(at);
            let [x0, y0, x1, y1] = object.bounds;
            // Rounding may push a box that fills the picture over its border.
            let inside = x0 > -1e-6 && y0 > -1e-6 && x1 < width + 1e-6 && y1 < height + 1e-6;
            let kept = |other: &Placed| {
                let common = common_share(object.bounds, other.bounds);
                if spec.overlap > 0.0 {
                    common <= spec.overlap + 1e-9
                } else {
                    // A pixel of air keeps isolated objects apart in the masks too.
                    let [x0, y0, x1, y1] = object.bounds;
                    common_share([x0 - 1.0, y0 - 1.0, x1 + 1.0, y1 + 1.0], other.bounds) <= 0.0
                }
            };
            if inside && others.iter().all(kept) {
                return Some(object);
            }
        }
        object.rescale(0.8);
    }
    None
}

/// The point between `far` and the anchor's middle at which boxes have `target` in common.
fn beside(object: &Placed, anchor: [f64; 4], far: [f64; 2], target: f64) -> [f64; 2] {
    let middle = [(anchor[0] + anchor[2]) / 2.0, (anchor[1] + anchor[3]) / 2.0];
    let at = |t: f64| [0, 1].map(|i| middle[i] + (far[i] - middle[i]) * t);
    let common = |t: f64| {
        let moved = at(t);
        let (dx, dy) = (
            moved[0] - object.pose.centre[0],
            moved[1] - object.pose.centre[1],
        );
        let [x0, y0, x1, y1] = object.bounds;
        common_share([x0 + dx, y0 + dy, x1 + dx, y1 + dy], anchor)
    };
    let (mut near, mut away) = (0.0, 1.0);
    if common(away) > target {
        return far;
    }
    for _ in 0..12 {
        let half = (near + away) / 2.0;
        if common(half) > target {
            near = half;
        } else {
            away = half;
        }
    }
    at(away)
}

/// Area that two boxes have in common as a share of the smaller one.
pub(super) fn common_share(a: [f64; 4], b: [f64; 4]) -> f64 {
    let side = |i: usize| (a[i + 2].min(b[i + 2]) - a[i].max(b[i])).max(0.0);
    let area = |b: [f64; 4]| (b[2] - b[0]) * (b[3] - b[1]);
    side(0) * side(1) / area(a).min(area(b)).max(1e-9)
}
