//! The twenty kinds of equipment that a scene may show, and their parts.

use std::str::FromStr;

/// How many rules it takes to say where the parts of a kind of equipment lie.
///
/// The publication speaks of simple and of complex partition rules without listing the classes.
/// Here a kind is simple when its parts follow one another along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Partition {
    /// The parts follow one another along one axis.
    Simple,
    /// Parts lie side by side or repeat.
    Complex,
}

macro_rules! equipment {
    ($($(#[$doc:meta])* $class:ident $name:literal $partition:ident [$($part:literal),+];)+) => {
        /// A kind of equipment.
        ///
        /// The first twelve are those of the publication's Table 2, in its order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EquipmentClass {
            $($(#[$doc])* $class,)+
        }

        impl EquipmentClass {
            /// Every kind, in the order of the declaration.
            pub const ALL: &[Self] = &[$(Self::$class),+];

            /// The written name, `kebab-case`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$class => $name,)+ }
            }

            /// Whether its parts follow one axis.
            #[must_use]
            pub fn partition(self) -> Partition {
                match self { $(Self::$class => Partition::$partition,)+ }
            }

            /// The names of its parts; the order is the number of a part.
            #[must_use]
            pub fn parts(self) -> &'static [&'static str] {
                match self { $(Self::$class => &[$($part),+],)+ }
            }
        }
    };
}

equipment! {
    /// Two columns and a blade between their tops.
    Disconnector "disconnector" Complex ["left-column", "right-column", "blade", "base"];
    /// A slender stack of one to three units under a grading ring.
    Arrester "arrester" Simple ["ring", "housing", "pedestal"];
    /// A live-tank breaker: two interrupters across a column.
    Breaker "breaker" Complex ["left-interrupter", "right-interrupter", "column", "mechanism"];
    /// A head with primary terminals on a column.
    CurrentTransformer "current-transformer" Simple ["head", "column", "base"];
    /// A column on a large tank.
    PotentialTransformer "potential-transformer" Simple ["cap", "column", "tank"];
    /// A tapered transformer bushing on its turret.
    Bushing "bushing" Simple ["terminal", "housing", "turret"];
    /// A tall tapered bushing on a horizontal gas tank, a wide ring on top.
    GisBushing "gis-bushing" Simple ["ring", "housing", "gas-tank"];
    /// A dry air-core reactor: a squat winding on supports.
    Reactor "reactor" Complex ["spider", "winding", "supports"];
    /// A tank with bushings, radiators and a conservator.
    MainTransformer "main-transformer" Complex ["tank", "radiators", "bushings", "conservator"];
    /// A lying oil vessel on two supports.
    Conservator "conservator" Simple ["vessel", "supports", "pipe"];
    /// A rack of capacitor cans.
    Capacitor "capacitor" Complex ["cans", "rack", "insulators"];
    /// A drop-out fuse: an oblique tube in front of an insulator.
    Fuse "fuse" Complex ["upper-contact", "tube", "lower-contact", "insulator"];
    /// A plain post insulator.
    PostInsulator "post-insulator" Simple ["cap", "body", "foot"];
    /// A bolted clamp where a branch leaves a conductor.
    LineClamp "line-clamp" Complex ["clamp", "conductor", "branch"];
    /// A line trap: a barrel coil hanging between two crosses.
    WaveTrap "wave-trap" Simple ["suspension", "coil", "lower-cross"];
    /// A tube with a flexible link over the joint of its two halves.
    Busbar "busbar" Complex ["left-tube", "right-tube", "link"];
    /// A bank of radiator fins between two headers.
    Radiator "radiator" Complex ["upper-header", "fins", "lower-header"];
    /// A string of cap-and-pin discs.
    SuspensionString "suspension-string" Simple ["upper-fitting", "discs", "clamp"];
    /// A tapering tower of lattice with cross-arms.
    LatticeTower "lattice-tower" Complex ["peak", "cross-arms", "body"];
    /// An outdoor cable termination with its bent cable.
    CableTermination "cable-termination" Simple ["lug", "skirts", "cable"];
}

impl EquipmentClass {
    /// Position in [`EquipmentClass::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// A name that no kind of equipment has.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{name}` is no kind of equipment")]
pub struct UnknownClass {
    /// The name given.
    pub name: String,
}

impl FromStr for EquipmentClass {
    type Err = UnknownClass;

    fn from_str(name: &str) -> Result<Self, UnknownClass> {
        let known = Self::ALL.iter().find(|class| class.name() == name);
        known.copied().ok_or_else(|| UnknownClass {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        assert_eq!(EquipmentClass::ALL.len(), 20);
        for (i, class) in EquipmentClass::ALL.iter().enumerate() {
            assert_eq!(class.index(), i);
            assert_eq!(class.name().parse(), Ok(*class));
            assert!((2..=4).contains(&class.parts().len()), "{class:?}");
        }
        let error = "teapot"
            .parse::<EquipmentClass>()
            .expect_err("no equipment");
        assert_eq!(error.to_string(), "`teapot` is no kind of equipment");
    }

    #[test]
    fn both_groups_of_partition_are_there() {
        let simple = EquipmentClass::ALL
            .iter()
            .filter(|class| class.partition() == Partition::Simple);
        assert_eq!(simple.count(), 10);
    }
}
