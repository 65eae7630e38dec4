//! Whole scenes: determinism, geometry and temperatures of the truth.
#![cfg(test)]

use std::collections::BTreeSet;

use retrial_core::hash::FieldHasher;

use super::*;

fn scenes(spec: &SceneSpec, count: u64) -> impl Iterator<Item = Scene> {
    (0..count).map(|i| scene(spec, i).expect("a sensible spec"))
}

fn within(inner: [f64; 4], outer: [f64; 4]) -> bool {
    inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3]
}

/// Another hash means other pictures: the revision of every study that uses scenes goes up.
#[test]
fn scenes_are_what_they_were() {
    let mut hasher = FieldHasher::new("infrared scenes");
    for scene in scenes(&SceneSpec::default(), 8) {
        // Tenths of a kelvin, so that the last bit of a sine cannot matter.
        for t in &scene.temperature_c {
            hasher.field(&((t * 10.0).round() as i32).to_le_bytes());
        }
        for instance in &scene.instances {
            hasher.field(instance.class.name().as_bytes());
            for count in instance.visible.runs().counts() {
                hasher.field(&count.to_le_bytes());
            }
        }
    }
    assert_eq!(hasher.short(), "6637bcd16cbe");
}

#[test]
fn a_scene_depends_on_its_index_and_not_on_the_order() {
    let spec = SceneSpec::default();
    let later = scene(&spec, 5).expect("a sensible spec");
    let _ = scene(&spec, 4).expect("a sensible spec");
    assert_eq!(scene(&spec, 5).expect("a sensible spec"), later);
    let other = SceneSpec { seed: 1, ..spec };
    assert_ne!(
        scene(&other, 5).expect("a sensible spec").temperature_c,
        later.temperature_c
    );
}

#[test]
fn more_noise_changes_no_truth() {
    let quiet = SceneSpec::default();
    let loud = SceneSpec {
        noise_k: 1.0,
        blur_px: 2.0,
        ..quiet.clone()
    };
    for (a, b) in scenes(&quiet, 5).zip(scenes(&loud, 5)) {
        assert_eq!(a.instances, b.instances);
        assert_ne!(a.temperature_c, b.temperature_c);
    }
}

#[test]
fn masks_boxes_and_parts_agree() {
    let crowded = SceneSpec {
        objects: (3, 6),
        overlap: 0.7,
        ..SceneSpec::default()
    };
    let mut hidden = 0;
    for scene in scenes(&crowded, 60) {
        assert!(!scene.instances.is_empty());
        let mut owners = vec![0_u8; scene.width * scene.height];
        for instance in &scene.instances {
            for (at, count) in owners.iter_mut().enumerate() {
                let (seen, there) = (instance.visible.inside()[at], instance.whole.inside()[at]);
                assert!(!seen || there, "{}: seen where it is not", scene.name);
                *count += u8::from(seen);
            }
            assert_eq!(instance.visible.bounds(), Some(instance.bbox));
            assert!(!instance.parts.is_empty());
            let mut hull = instance.parts[0].bbox;
            for part in &instance.parts {
                assert_eq!(part.name, instance.class.parts()[part.number]);
                assert!(within(part.bbox, instance.bbox), "{}", scene.name);
                assert!(part.max_c <= instance.max_c && part.mean_c <= part.max_c);
                hull = [
                    hull[0].min(part.bbox[0]),
                    hull[1].min(part.bbox[1]),
                    hull[2].max(part.bbox[2]),
                    hull[3].max(part.bbox[3]),
                ];
            }
            // Every pixel belongs to a part.
            assert_eq!(hull, instance.bbox);
            let share = instance.visible.area() as f64 / instance.whole.area() as f64;
            assert!((1.0 - share - instance.hidden).abs() < 1e-12);
            hidden += usize::from(instance.hidden > 0.1);
        }
        assert!(owners.iter().all(|count| *count <= 1), "{}", scene.name);
    }
    assert!(hidden > 10, "{hidden} occluded objects");
}

#[test]
fn all_classes_appear_whole_and_with_all_parts() {
    let mut seen = BTreeSet::new();
    let spec = SceneSpec {
        crop: 0.0,
        clutter: 0.0,
        overlap: 0.0,
        ..SceneSpec::default()
    };
    for scene in scenes(&spec, 150) {
        for instance in &scene.instances {
            if instance.parts.len() == instance.class.parts().len() {
                seen.insert(instance.class);
            }
            assert_eq!(instance.hidden, 0.0, "{}", scene.name);
            assert_eq!(instance.overlap, 0.0, "{}", scene.name);
            assert_eq!(instance.box_iou, 0.0, "{}", scene.name);
            assert!(instance.cropped < 1e-6);
        }
    }
    assert_eq!(seen.len(), EquipmentClass::ALL.len(), "{seen:?}");
}

#[test]
fn a_class_that_is_not_listed_does_not_appear() {
    let spec = SceneSpec {
        classes: vec![EquipmentClass::Fuse, EquipmentClass::Reactor],
        ..SceneSpec::default()
    };
    for scene in scenes(&spec, 10) {
        let mut classes = scene.instances.iter().map(|instance| instance.class);
        assert!(classes.all(|class| spec.classes.contains(&class)));
    }
}

#[test]
fn objects_may_repeat_as_phases_do() {
    let kinds = |alike: f64| {
        let spec = SceneSpec {
            objects: (3, 3),
            alike,
            crop: 0.0,
            ..SceneSpec::default()
        };
        let all = scenes(&spec, 30);
        let repeats = all.flat_map(|scene| {
            let classes: Vec<_> = scene.instances.iter().map(|i| i.class).collect();
            classes
                .windows(2)
                .map(|two| two[0] == two[1])
                .collect::<Vec<_>>()
        });
        let repeats: Vec<bool> = repeats.collect();
        repeats.iter().filter(|same| **same).count() as f64 / repeats.len() as f64
    };
    let (never, half, always) = (kinds(0.0), kinds(0.5), kinds(1.0));
    assert_eq!(always, 1.0);
    assert!(
        never < 0.2 && (0.35..0.75).contains(&half),
        "{never} {half}"
    );
}

#[test]
fn overlap_grows_with_what_is_allowed() {
    let mean = |overlap: f64| {
        let spec = SceneSpec {
            objects: (3, 3),
            overlap,
            crop: 0.0,
            ..SceneSpec::default()
        };
        let all: Vec<f64> = scenes(&spec, 40)
            .flat_map(|scene| scene.instances)
            .map(|instance| instance.overlap)
            .collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let (none, some, much) = (mean(0.0), mean(0.3), mean(0.9));
    assert_eq!(none, 0.0);
    assert!(some > 0.01 && much > 2.0 * some, "{some} {much}");
}

#[test]
fn a_cropped_scene_shows_a_part_of_one_object() {
    let spec = SceneSpec {
        crop: 1.0,
        objects: (4, 4),
        ..SceneSpec::default()
    };
    for scene in scenes(&spec, 20) {
        assert_eq!(scene.instances.len(), 1);
        assert!(scene.instances[0].cropped > 0.2, "{}", scene.name);
    }
}

/// A black, sharp and quiet picture shows the surface itself.
#[test]
fn the_hot_spot_is_read_where_it_is() {
    let spec = SceneSpec {
        hot_spots: 1.0,
        hot_spot_rise_k: (30.0, 60.0),
        emissivity: Emissivity::Black,
        noise_k: 0.0,
        column_k: 0.0,
        blur_px: 0.0,
        clutter: 0.0,
        ..SceneSpec::default()
    };
    let (mut spots, mut sharp) = (0, 0);
    for scene in scenes(&spec, 40) {
        for instance in &scene.instances {
            let Some(spot) = &instance.hot_spot else {
                continue;
            };
            spots += 1;
            assert!(spot.peak_c <= instance.max_c + 1e-6);
            let (x, y) = (spot.centre[0] as usize, spot.centre[1] as usize);
            let read = f64::from(scene.temperature_c[y * scene.width + x]);
            // A pixel averages over its area, and one at a border over what lies behind too.
            let at = y * scene.width + x;
            let around = [at, at - 1, at + 1, at - scene.width, at + scene.width];
            let inner = (1..scene.width - 1).contains(&x)
                && (1..scene.height - 1).contains(&y)
                && around.iter().all(|other| instance.visible.inside()[*other]);
            if inner {
                sharp += 1;
                assert!(
                    (read - spot.peak_c).abs() < 0.35 * spot.rise_k,
                    "{}: {read} {spot:?}",
                    scene.name
                );
                assert!(read > scene.ambient_c + 0.4 * spot.rise_k, "{}", scene.name);
            }
        }
    }
    assert!(spots > 40 && sharp > 20, "{spots} spots, {sharp} inside");
}

/// Where surfaces are not black, a cold sky lowers what the camera reads.
#[test]
fn emissivity_lowers_what_is_read() {
    let black = SceneSpec {
        emissivity: Emissivity::Black,
        noise_k: 0.0,
        column_k: 0.0,
        ..SceneSpec::default()
    };
    let real = SceneSpec {
        emissivity: Emissivity::Real,
        ..black.clone()
    };
    for (a, b) in scenes(&black, 10).zip(scenes(&real, 10)) {
        assert_eq!(a.instances, b.instances);
        let mean = |scene: &Scene| {
            let inside = scene.instances[0].visible.inside();
            let pixels = scene.temperature_c.iter().zip(inside).filter(|p| *p.1);
            let (sum, count) = pixels.fold((0.0, 0), |(s, n), (t, _)| (s + t, n + 1));
            sum / count as f32
        };
        assert!(mean(&b) < mean(&a) - 0.3, "{}", a.name);
    }
}

#[test]
fn a_bad_spec_is_refused_and_a_tiny_picture_is_not_a_panic() {
    let bad = SceneSpec {
        overlap: -0.1,
        ..SceneSpec::default()
    };
    assert!(matches!(scene(&bad, 0), Err(SceneError::Spec { .. })));
    let tiny = SceneSpec {
        width: 16,
        height: 16,
        size: (0.05, 0.1),
        ..SceneSpec::default()
    };
    assert!(matches!(
        scene(&tiny, 0),
        Err(SceneError::Nothing { index: 0, .. })
    ));
}
