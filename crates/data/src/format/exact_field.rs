//! Exact displacements as manifests state them.

use retrial_core::declare::WordDef;
use retrial_core::displacement::Displacement;
use retrial_core::fault::Faults;
use retrial_core::keys::{At, Form, Key, KeyType, MapDef, value_at};
use retrial_core::yaml::{Node, Value};
use serde_json::{Map, Value as Json, json};

use crate::words::unknown_word;

/// The key that says which truth it is.
pub(super) const KIND: &str = "kind";

/// An exact displacement.
#[derive(Clone, Debug)]
pub struct ExactField(pub Displacement);

retrial_core::words! {
    /// The kind of a truth that is read from a file.
    pub enum TableWord {
        /// Columns of a CSV file.
        Table = "table",
    }
}

/// A field by its word: what it is, and its numbers.
macro_rules! field {
    ($word:literal, $doc:literal, $($name:literal: $about:literal),+ $(,)?) => {
        (
            $word,
            &MapDef {
                doc: $doc,
                keys: &[
                    Key::new(KIND, || Form::Word(vec![WordDef { word: $word, was: &[], doc: "" }]), "Which field.")
                        .needed(),
                    $(Key::new($name, <f64 as KeyType>::form, $about).needed()),+
                ],
            },
        )
    };
}

/// Every [`Displacement`], with its numbers as its serde derive names them.
const FIELDS: &[(&str, &MapDef)] = &[
    field!(
        "translation",
        "The same displacement everywhere.",
        "u": "Displacement to the right, px.",
        "v": "Displacement downwards, px.",
    ),
    field!(
        "affine",
        "`u = u0 + ux (x − cx) + uy (y − cy)`, `v = v0 + vx (x − cx) + vy (y − cy)`.",
        "u0": "Displacement to the right at the centre, px.",
        "v0": "Displacement downwards at the centre, px.",
        "ux": "∂u/∂x.",
        "uy": "∂u/∂y.",
        "vx": "∂v/∂x.",
        "vy": "∂v/∂y.",
        "cx": "Column of the centre, px.",
        "cy": "Row of the centre, px.",
    ),
    field!(
        "rotation",
        "A rotation about a point.",
        "angle_deg": "Angle in degrees; positive is clockwise on the screen.",
        "cx": "Column of the centre, px.",
        "cy": "Row of the centre, px.",
    ),
    field!(
        "sinusoid",
        "`u = au sin(2π x / period_px + phase)`, `v = av sin(2π y / period_px + phase)`.",
        "au": "Amplitude of `u`, px.",
        "av": "Amplitude of `v`, px.",
        "period_px": "Wave length, px.",
        "phase": "Phase at the origin, radians.",
    ),
    field!(
        "star",
        "The wave of the DIC Challenge 2.0: `u = 0`, `v = amplitude cos(2π (y − cy) / T)` with \
         `T = period_left + period_slope x`.",
        "amplitude": "Amplitude of `v`, px.",
        "cy": "Row of the crest, px.",
        "period_left": "Wave length at the left edge, px.",
        "period_slope": "Growth of the wave length with `x`, px a px.",
    ),
    field!(
        "step",
        "A displacement at and below a row, none above.",
        "u": "Displacement to the right at and below `y0`, px.",
        "v": "Displacement downwards at and below `y0`, px.",
        "y0": "First displaced row, px.",
    ),
    field!(
        "crack",
        "Two halves parted by a straight crack along `t = (cos a, sin a)`: the half on the side of \
         `n = (−sin a, cos a)` moves by `opening n + sliding t`, the other one stays.",
        "angle_deg": "Direction `a` in degrees; 0 lies along a row, positive turns `x` towards `y`.",
        "cx": "Column of a point of the crack, px.",
        "cy": "Row of that point, px.",
        "opening": "Width of the gap, px.",
        "sliding": "Displacement along the crack, px.",
    ),
];

/// What a field may be.
pub(super) fn fields() -> Vec<Form> {
    FIELDS.iter().map(|(_, map)| Form::Keys(map)).collect()
}

impl KeyType for ExactField {
    fn form() -> Form {
        Form::Either(fields())
    }

    fn read(node: &Node, path: &str, faults: &mut Faults) -> Option<Self> {
        let Value::Map(_) = node.value else {
            let message = format!("expected a mapping, found {}", node.describe());
            faults.add(&node.place, path, message);
            return None;
        };
        let Some(kind) = value_at::<At<String>>(node, path, KIND, faults) else {
            if node.get(KIND).is_none_or(|kind| kind.value == Value::Null) {
                faults.add(
                    &node.place,
                    &format!("{path}.{KIND}"),
                    "this key is missing",
                );
            }
            return None;
        };
        let Some((word, map)) = FIELDS.iter().find(|(word, _)| *word == kind.value) else {
            let known = FIELDS.iter().map(|(word, _)| *word);
            let known = known.chain([TableWord::Table.name()]);
            unknown_word(&kind, known, faults);
            return None;
        };
        map.site(node, path, faults)?;
        let mut field = Map::from_iter([(KIND.to_owned(), json!(word))]);
        for key in map.keys.iter().filter(|key| key.name != KIND) {
            let number = value_at::<f64>(node, path, key.name, faults);
            field.insert(key.name.to_owned(), json!(number));
        }
        // A number that is missing or wrong is null here, and has its fault.
        serde_json::from_value(Json::Object(field)).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema, the reader and the engine know the same fields: a field of ones is read of each word.
    #[test]
    fn every_field_is_a_displacement() {
        for (word, map) in FIELDS {
            let numbers = map.keys.iter().filter(|key| key.name != KIND);
            let numbers: Vec<String> = numbers.map(|key| format!("{}: 1", key.name)).collect();
            let text = format!("{{kind: {word}, {}}}", numbers.join(", "));
            let node = retrial_core::yaml::parse("t.yaml", &text).expect("YAML");
            let mut faults = Faults::default();
            let field = ExactField::read(&node, "truth", &mut faults).expect("a field");
            assert_eq!(json!(field.0)[KIND], *word);
            assert!(faults.is_empty());
        }
    }
}
