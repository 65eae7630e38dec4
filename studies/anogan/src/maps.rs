//! Where every judged item differs from the image that it is compared with: maps of the residual.

use retrial_core::metric::FileDef;
use retrial_detect::Norm;
use retrial_runner::{Context, TrialError};
use retrial_store::{Array, Tree};

use super::items::{Items, Part};
use super::params::{All, Method, Residual};
use super::residual::{LEAST_INK, local_maps};

pub(super) const MAPS: FileDef = FileDef {
    name: "maps.h5",
    doc: "Where every judged item differs from the image that it is compared with.",
};

/// How the residual of an item follows from its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reduction {
    Sum,
    Mean,
    RootOfSum,
    Largest,
    /// The map is a mean over the members of an ensemble, each of which has a largest value of its own.
    Nothing,
}

impl Reduction {
    fn of(params: &All) -> Self {
        let scoring = &params.scoring;
        let alone = scoring.ensemble_size == 1;
        match scoring.method {
            Method::Ziz | Method::Izi | Method::IziF => match scoring.residual.norm() {
                Some(_) => Self::Mean,
                None if alone => Self::Largest,
                None => Self::Nothing,
            },
            Method::MeanImage | Method::NearestNeighbour | Method::Pca => {
                match scoring.residual.norm() {
                    Some(Norm::L1) => Self::Sum,
                    Some(Norm::L2) => Self::RootOfSum,
                    None => Self::Largest,
                }
            }
            Method::Anogan | Method::Ganomaly | Method::Ink => match scoring.residual.norm() {
                Some(_) => Self::Sum,
                None => Self::Largest,
            },
        }
    }

    /// As an attribute of the maps.
    fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::RootOfSum => "root of sum",
            Self::Largest => "largest",
            Self::Nothing => "none",
        }
    }
}

/// The map of every item of a part: absolute or squared differences from the image found for it, or the windowed ones
/// of a local residual, over the ink where the residual is.
///
/// # Shapes
/// - `found`, returns: `[item, size, size]`; both empty where nothing is found
pub(super) fn of(
    residual: Residual,
    items: &Items,
    part: &Part,
    found: &[f32],
) -> Result<Vec<f32>, TrialError> {
    let apart = part.pixels.iter().zip(found).map(|(x, y)| x - y);
    match residual {
        Residual::L1 => Ok(apart.map(f32::abs).collect()),
        Residual::L2 => Ok(apart.map(|d| d * d).collect()),
        Residual::Local => local_maps(items, part, found),
        Residual::LocalPerInk => {
            let mut maps = local_maps(items, part, found)?;
            let area = items.size * items.size;
            for (map, ink) in maps.chunks_mut(area).zip(items.ink(part)) {
                let ink = ink.max(LEAST_INK) as f32;
                map.iter_mut().for_each(|value| *value /= ink);
            }
            Ok(maps)
        }
    }
}

/// Leaves the maps of the judged items.
///
/// # Shapes
/// - `maps`: `[item, size, size]`, or empty
pub(super) fn write(
    context: &mut Context,
    params: &All,
    items: &Items,
    maps: Vec<f32>,
) -> Result<(), TrialError> {
    if maps.is_empty() {
        return Ok(());
    }
    let judged = &items.test;
    let maps = Array::new([judged.len(), items.size, items.size], maps)?
        .with_attribute("reduction", Reduction::of(params).name())?;
    let mut tree = Tree::new();
    tree.insert("residual", maps)?;
    let numbers: Vec<u64> = (1..=judged.len() as u64).collect();
    tree.insert("item", Array::list(numbers)?)?;
    tree.insert("label", Array::list(judged.labels.clone())?)?;
    let anomalous: Vec<u8> = judged.anomalous.iter().copied().map(u8::from).collect();
    tree.insert("anomalous", Array::list(anomalous)?)?;
    context.arrays(MAPS, &tree)
}

#[cfg(test)]
mod tests {
    use retrial_core::params::defaults;
    use retrial_detect::Scaling;
    use retrial_detect::baseline::principal_components;
    use retrial_seed::Seed;

    use super::super::score::{Baseline, Scored, by_baseline};
    use super::*;

    const SIDE: usize = 6;

    fn part(count: usize, name: &str) -> Part {
        let mut stream = Seed(3).stream(name);
        let pixels = (0..count * SIDE * SIDE).map(|_| stream.uniform() as f32);
        Part {
            rows: (0..count).collect(),
            labels: vec![7; count],
            anomalous: vec![false; count],
            pixels: pixels.collect(),
        }
    }

    fn reduced(reduction: Reduction, map: &[f32]) -> f64 {
        let each = map.iter().copied().map(f64::from);
        match reduction {
            Reduction::Sum => each.sum(),
            Reduction::Mean => each.sum::<f64>() / map.len() as f64,
            Reduction::RootOfSum => each.sum::<f64>().sqrt(),
            Reduction::Largest | Reduction::Nothing => each.fold(0.0, f64::max),
        }
    }

    #[test]
    fn a_map_becomes_the_residual_of_its_item() {
        let mut items = Items::of_one(SIDE, vec![0.0; SIDE * SIDE], Scaling::Raw255);
        (items.train.part, items.test) = (part(9, "normal"), part(5, "judged"));
        let mut params = All::read(&defaults(All::PARAMS)).expect("all there");
        let mut seen = Vec::new();
        for residual in [
            Residual::L1,
            Residual::L2,
            Residual::Local,
            Residual::LocalPerInk,
        ] {
            params.scoring.residual = residual;
            for method in [Method::MeanImage, Method::NearestNeighbour, Method::Pca] {
                params.scoring.method = method;
                let scored: Scored = by_baseline(&params.scoring, &items, |normal| match method {
                    Method::MeanImage => Ok(Baseline::MeanImage(normal)),
                    Method::Pca => principal_components(normal, 3).map(Baseline::Pca),
                    _ => Ok(Baseline::NearestNeighbour(normal)),
                })
                .expect("equal sizes");
                assert_eq!(scored.maps.len(), items.test.pixels.len());
                let reduction = Reduction::of(&params);
                seen.push(reduction);
                let maps = scored.maps.chunks(SIDE * SIDE);
                for (map, expected) in maps.zip(&scored.test.residual) {
                    let found = reduced(reduction, map);
                    let what = format!("{method}, {residual}: {found} {expected}");
                    assert!((found / expected - 1.0).abs() < 1e-5, "{what}");
                }
            }
        }
        for reduction in [Reduction::Sum, Reduction::RootOfSum, Reduction::Largest] {
            assert!(seen.contains(&reduction), "{reduction:?}");
        }
    }

    #[test]
    fn the_ink_compares_no_images() {
        let items = Items::of_one(2, vec![1.0; 4], Scaling::Raw255);
        let params = All::read(&defaults(All::PARAMS)).expect("all there");
        let maps = of(params.scoring.residual, &items, &items.test, &[]);
        assert!(maps.expect("nothing").is_empty());
    }

    #[test]
    fn a_net_sums_and_an_encoder_takes_the_mean() {
        let mut params = All::read(&defaults(All::PARAMS)).expect("all there");
        let mut of = |method, residual, members| {
            params.scoring.method = method;
            params.scoring.residual = residual;
            params.scoring.ensemble_size = members;
            Reduction::of(&params)
        };
        assert_eq!(of(Method::Anogan, Residual::L2, 4), Reduction::Sum);
        assert_eq!(of(Method::Ganomaly, Residual::L1, 1), Reduction::Sum);
        assert_eq!(of(Method::Anogan, Residual::Local, 4), Reduction::Largest);
        for method in [Method::Ziz, Method::Izi, Method::IziF] {
            assert_eq!(of(method, Residual::L2, 3), Reduction::Mean);
            assert_eq!(of(method, Residual::Local, 1), Reduction::Largest);
            assert_eq!(of(method, Residual::Local, 3), Reduction::Nothing);
        }
    }
}
