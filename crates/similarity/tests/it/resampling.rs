//! What the similarity does to a source domain, on two families of generated textures.

use retrial_seed::{Seed, Stream};
use retrial_similarity::{
    Angles, FeatureKind, FeatureSettings, GlcmSettings, Levels, Moments, Property, Reduction,
    SimilaritySettings, Targets, Weights, count, features, log_similarities, quantise_u8,
};

const SIZE: usize = 64;

/// `roughness` of a random walk along the rows, pulled to `middle`.
fn texture(stream: &mut Stream, middle: f64, roughness: f64) -> Levels {
    let mut value = middle;
    let pixel = |_| {
        value += roughness * stream.normal() + 0.05 * (middle - value);
        value.clamp(0.0, 255.0) as u8
    };
    let pixels: Vec<u8> = (0..SIZE * SIZE).map(pixel).collect();
    quantise_u8(SIZE, SIZE, &pixels, 32).expect("a valid picture")
}

fn domain(name: &str, n: usize, roughness: std::ops::Range<f64>) -> Vec<Levels> {
    let mut stream = Seed(5).stream(name);
    let mut draw = || {
        let roughness = roughness.start + stream.uniform() * (roughness.end - roughness.start);
        let middle = 60.0 + 120.0 * stream.uniform();
        texture(&mut stream, middle, roughness)
    };
    (0..n).map(|_| draw()).collect()
}

/// Share of the source that the weights leave, `ESS / n`, and the weights.
pub(crate) fn share(
    source: &[Levels],
    target: &[Levels],
    kind: FeatureKind,
    reduction: Reduction,
) -> (f64, Weights) {
    let standardised = matches!(kind, FeatureKind::Properties(_));
    let settings = FeatureSettings::new(kind, Angles::Averaged);
    let rows = |domain: &[Levels]| -> Vec<Vec<f64>> {
        let row = |picture| {
            let counted = count(picture, &GlcmSettings::default()).expect("large pictures");
            features(&counted, &settings).expect("features")
        };
        domain.iter().map(row).collect()
    };
    let (source, target) = (rows(source), rows(target));
    let dimension = source[0].len();
    let (mut flat_source, mut flat_target) = (source.concat(), target.concat());
    if standardised {
        let mut moments = Moments::new(dimension);
        for row in source.iter().chain(&target) {
            moments.push(row).expect("finite features");
        }
        let scale = moments.standardiser().expect("some pictures");
        scale.apply(&mut flat_source).expect("full rows");
        scale.apply(&mut flat_target).expect("full rows");
    }
    let targets = Targets::new(dimension, flat_target).expect("full rows");
    let settings = SimilaritySettings::default().with_reduction(reduction);
    let log = log_similarities(&flat_source, &targets, &settings).expect("full rows");
    let weights = Weights::from_log(log).expect("finite weights");
    (
        weights.effective_sample_size() / source.len() as f64,
        weights,
    )
}

#[test]
fn the_literal_reading_resamples_nothing() {
    let source = domain("source", 120, 2.0..40.0);
    let target = domain("target", 20, 2.0..8.0);
    let six = || FeatureKind::Properties(Property::SIX.to_vec());
    let (literal, _) = share(&source, &target, FeatureKind::Matrix, Reduction::Mean);
    assert!(literal > 0.98, "{literal}");
    let (scaled, weights) = share(&source, &target, six(), Reduction::Mean);
    assert!(scaled < 0.7, "{scaled}");
    let (to_mean, _) = share(&source, &target, six(), Reduction::ToMean);
    assert!(to_mean < scaled, "{to_mean} {scaled}");
    // Counts differ by thousands: one picture takes all, and nothing underflows to no weight.
    let (counts, _) = share(&source, &target, FeatureKind::Counts, Reduction::Mean);
    assert!((counts * 120.0 - 1.0).abs() < 1e-3, "{counts}");

    // The heaviest pictures are as smooth as the target, the lightest as rough as none of it.
    let contrast = |picture: &Levels| {
        let counted = count(picture, &GlcmSettings::default()).expect("a large picture");
        retrial_similarity::properties(&counted, 0).contrast
    };
    let (most, least) = retrial_similarity::extremes(&weights, 10);
    let roughest = target.iter().map(contrast).fold(0.0, f64::max);
    assert!(
        most.iter()
            .all(|&at| contrast(&source[at]) < 2.0 * roughest)
    );
    assert!(
        least
            .iter()
            .all(|&at| contrast(&source[at]) > 2.0 * roughest)
    );
}
