//! The shapes of the twenty kinds of equipment, each with drawn proportions.
//!
//! One function a kind; parts are numbered as [`EquipmentClass::parts`] lists them.

mod columns;
mod conductors;
mod hung;
mod switchgear;
mod vessels;

use retrial_seed::Stream;

use super::class::EquipmentClass;
use super::solid::Model;

/// A piece of equipment of that kind with proportions of its own.
pub(super) fn model(class: EquipmentClass, draw: &mut Stream) -> Model {
    let build = match class {
        EquipmentClass::Disconnector => switchgear::disconnector,
        EquipmentClass::Arrester => columns::arrester,
        EquipmentClass::Breaker => switchgear::breaker,
        EquipmentClass::CurrentTransformer => columns::current_transformer,
        EquipmentClass::PotentialTransformer => columns::potential_transformer,
        EquipmentClass::Bushing => columns::bushing,
        EquipmentClass::GisBushing => columns::gis_bushing,
        EquipmentClass::Reactor => vessels::reactor,
        EquipmentClass::MainTransformer => vessels::main_transformer,
        EquipmentClass::Conservator => vessels::conservator,
        EquipmentClass::Capacitor => switchgear::capacitor,
        EquipmentClass::Fuse => switchgear::fuse,
        EquipmentClass::PostInsulator => columns::post_insulator,
        EquipmentClass::LineClamp => conductors::line_clamp,
        EquipmentClass::WaveTrap => hung::wave_trap,
        EquipmentClass::Busbar => conductors::busbar,
        EquipmentClass::Radiator => vessels::radiator,
        EquipmentClass::SuspensionString => hung::suspension_string,
        EquipmentClass::LatticeTower => hung::lattice_tower,
        EquipmentClass::CableTermination => conductors::cable_termination,
    };
    build(draw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrial_seed::Seed;

    #[test]
    fn every_part_is_built_and_joints_lie_on_the_equipment() {
        for &class in EquipmentClass::ALL {
            for seed in 0..20 {
                let model = model(class, &mut Seed(seed).stream("model"));
                let mut parts: Vec<_> = model.solids.iter().map(|s| s.part).collect();
                parts.sort_unstable();
                parts.dedup();
                let all: Vec<_> = (0..class.parts().len() as u8).collect();
                assert_eq!(parts, all, "{class:?}");
                assert!(!model.joints.is_empty(), "{class:?}");
                let [x0, y0, x1, y1] = model.bounds();
                for [x, y] in &model.joints {
                    assert!((x0..=x1).contains(x) && (y0..=y1).contains(y), "{class:?}");
                }
            }
        }
    }

    #[test]
    fn proportions_differ_between_draws() {
        for &class in EquipmentClass::ALL {
            let bounds = |seed| model(class, &mut Seed(seed).stream("model")).bounds();
            assert_ne!(bounds(0), bounds(1), "{class:?}");
        }
    }
}
