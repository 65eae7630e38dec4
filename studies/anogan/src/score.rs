//! Scores of all items by the method of the trial.

use retrial_detect::baseline::{self, Components};
use retrial_detect::{DetectError, Items as Rows, Norm};
use retrial_net_study::device;
use retrial_nets::anogan::{images, weighted_loss};
use retrial_runner::{Context, TrialError, cpu_seconds};

use super::encoders::{self, EncoderMethod};
use super::ensemble::by_encoder;
use super::items::{Items, Part};
use super::maps;
use super::params::{All, Method, Residual, Scoring, Search, Start};
use super::residual::{local, per_ink};
use super::search::{self, FILMED, Searched};
use super::train::{self, Trained};

/// Scores of a part.
#[derive(Default)]
pub(super) struct Scores {
    pub(super) residual: Vec<f64>,
    /// Empty where the method has none.
    pub(super) discrimination: Vec<f64>,
    pub(super) score: Vec<f64>,
}

/// Everything that a method leaves.
#[derive(Default)]
pub(super) struct Scored {
    pub(super) test: Scores,
    pub(super) validation: Scores,
    /// The image found for each judged item by a net, in the nets' scaling.
    pub(super) nearest: Vec<f32>,
    /// Where each judged item differs from the image that it is compared with, by [`maps::of`]; empty where a method
    /// compares no images.
    pub(super) maps: Vec<f32>,
    pub(super) trained: Option<Trained>,
    pub(super) searched: Option<Searched>,
    /// Evaluations per item.
    pub(super) evaluations: f64,
    /// CPU seconds per evaluation of an item.
    pub(super) seconds: f64,
}

/// Items in a pass of an encoder.
pub(super) const PASS: usize = 64;
/// Items that are timed together.
pub(super) const TIMED: usize = 32;
/// Shortest CPU time that is trusted, s.
const TIMED_S: f64 = 0.5;

pub(super) fn score(
    context: &mut Context,
    params: &All,
    items: &Items,
) -> Result<Scored, TrialError> {
    let scoring = &params.scoring;
    match scoring.method {
        Method::Anogan => by_search(context, params, items),
        Method::Ganomaly => by_ganomaly(context, params, items),
        Method::Ziz => by_encoder(context, params, EncoderMethod::Ziz, items),
        Method::Izi => by_encoder(context, params, EncoderMethod::Izi, items),
        Method::IziF => by_encoder(context, params, EncoderMethod::IziF, items),
        Method::Ink => by_baseline(scoring, items, |_| Ok(Baseline::Ink)),
        Method::MeanImage => by_baseline(scoring, items, |normal| Ok(Baseline::MeanImage(normal))),
        Method::NearestNeighbour => by_baseline(scoring, items, |normal| {
            Ok(Baseline::NearestNeighbour(normal))
        }),
        Method::Pca => by_baseline(scoring, items, |normal| {
            baseline::principal_components(normal, scoring.components).map(Baseline::Pca)
        }),
    }
}

fn by_search(context: &mut Context, params: &All, items: &Items) -> Result<Scored, TrialError> {
    let seed = context.seed().0;
    let trained = train::train(context, params.training(), &items.train, seed)?;
    let encoder = match params.scoring.search_start {
        Start::Normal => None,
        // Its stage is shared with the method izi_f.
        Start::Encoder => {
            let input = params.encoder(EncoderMethod::IziF);
            Some(encoders::encoder(
                context,
                input,
                &items.train,
                &trained,
                seed,
            )?)
        }
    };
    let input = search::Input {
        judged: &params.judged,
        search: &params.search,
        trained: &trained,
        encoder: encoder.as_ref().map(|(encoder, id)| (encoder, id.as_str())),
    };
    let [mut test, mut validation] = search::search(context, input, items)?;
    let Search {
        search_restarts: restarts,
        lambda,
        search_batch_size: batch,
        search_batch_norm,
        ..
    } = params.search;
    let latent_size = params.normal.latent_size;
    for searched in [&mut test, &mut validation] {
        keep_best(searched, restarts, lambda, latent_size);
    }
    let mut nets = search::nets(search_batch_norm, &trained, context.device())?;
    let mut drawn = |searched: &Searched| -> Vec<f32> {
        let batches = searched.latents.chunks(batch * latent_size);
        batches.flat_map(|z| nets.draw(z, latent_size)).collect()
    };
    let kind = params.scoring.residual;
    let nearest = drawn(&test);
    let scores = |part: &Part, searched: &Searched, drawn: &[f32]| {
        let residual = match (searched.residual.last(), kind.norm()) {
            (None, _) => Vec::new(),
            (Some(last), Some(Norm::L1)) => last.clone(),
            (_, Some(norm)) => distances(&part.pixels, drawn, items.size, norm),
            (_, None) => local(items, part, drawn)?,
        };
        let discrimination = searched.discrimination.last().cloned().unwrap_or_default();
        let mut scores = Scores {
            score: weighted(params.score_lambda(), &residual, &discrimination),
            residual,
            discrimination,
        };
        per_ink(kind, items, part, &mut scores);
        Ok::<_, TrialError>(scores)
    };
    let (test_scores, validation_scores) = (
        scores(&items.test, &test, &nearest)?,
        scores(&items.validation, &validation, &drawn(&validation))?,
    );
    let count = items.test.len() + items.validation.len();
    let evaluations = (test.evaluations + validation.evaluations) as f64 / count as f64;
    let timed = TIMED.min(items.test.len());
    let pixels = &items.test.pixels[..timed * items.size * items.size];
    let x = nets.images(pixels, items.size);
    let features = nets.features(x.clone());
    let z = test.latents[..timed * latent_size].to_vec();
    let seconds = timed_s(timed, || {
        nets.evaluate(&z, &x, &features, lambda);
    });
    Ok(Scored {
        test: test_scores,
        validation: validation_scores,
        maps: maps::of(kind, items, &items.test, &nearest)?,
        nearest,
        trained: Some(trained),
        searched: Some(test),
        evaluations,
        seconds,
    })
}

/// Of an item's restarts, the one whose search loss is least at the end.
fn keep_best(searched: &mut Searched, restarts: usize, lambda: f64, latent_size: usize) {
    let (Some(residual), Some(discrimination)) =
        (searched.residual.last(), searched.discrimination.last())
    else {
        return;
    };
    if restarts == 1 {
        return;
    }
    let losses = weighted(lambda, residual, discrimination);
    let loss = |at: usize| losses[at];
    let best: Vec<usize> = (0..residual.len() / restarts)
        .filter_map(|item| {
            (item * restarts..(item + 1) * restarts).min_by(|&a, &b| loss(a).total_cmp(&loss(b)))
        })
        .collect();
    let pick = |rows: &mut Vec<Vec<f64>>| {
        for row in rows {
            *row = best.iter().map(|&at| row[at]).collect();
        }
    };
    pick(&mut searched.residual);
    pick(&mut searched.discrimination);
    let latents = best
        .iter()
        .flat_map(|&at| searched.latents[at * latent_size..(at + 1) * latent_size].to_vec());
    searched.latents = latents.collect();
    for film in &mut searched.film {
        let filmed = FILMED.min(best.len());
        let area = film.len() / (filmed * restarts).max(1);
        let kept = best[..filmed].iter();
        *film = kept
            .flat_map(|&at| film[at * area..(at + 1) * area].to_vec())
            .collect();
    }
}

/// [`weighted_loss`] of every item; nothing where there is no `D`.
pub(super) fn weighted(lambda: f64, residual: &[f64], discrimination: &[f64]) -> Vec<f64> {
    let pairs = residual.iter().zip(discrimination);
    pairs.map(|(r, d)| weighted_loss(lambda, *r, *d)).collect()
}

fn by_ganomaly(context: &mut Context, params: &All, items: &Items) -> Result<Scored, TrialError> {
    let nets = (&params.normal, params.gan.discriminator_norm);
    let nets = encoders::ganomaly(context, nets, &params.encoding, &items.train)?;
    let difference = params.scoring.residual.difference();
    let device = device::open(context.device())?;
    let area = items.size * items.size;
    let scores = |part: &Part| {
        let (mut scores, mut nearest) = (Scores::default(), Vec::new());
        for pixels in part.pixels.chunks(PASS * area) {
            let (image, latent, again) =
                nets.score(images(pixels, items.size, &device), difference);
            scores.residual.extend(image);
            scores.discrimination.extend(&latent);
            scores.score.extend(latent);
            nearest.extend(again);
        }
        (scores, nearest)
    };
    let (test, nearest) = scores(&items.test);
    let (validation, _) = scores(&items.validation);
    let timed = TIMED.min(items.test.len());
    let pixels = &items.test.pixels[..timed * area];
    let seconds = timed_s(timed, || {
        let _ = nets.score(images(pixels, items.size, &device), difference);
    });
    Ok(Scored {
        maps: maps::of(params.scoring.residual, items, &items.test, &nearest)?,
        test,
        validation,
        nearest,
        evaluations: 1.0,
        seconds,
        ..Scored::default()
    })
}

/// A method without a net, fitted to the normal items.
pub(super) enum Baseline<'i> {
    Ink,
    MeanImage(Rows<'i>),
    NearestNeighbour(Rows<'i>),
    Pca(Components),
}

impl Baseline<'_> {
    /// The residual of every item of a part.
    fn residuals(
        &self,
        items: &Items,
        part: &Part,
        kind: Residual,
    ) -> Result<Vec<f64>, TrialError> {
        if part.len() == 0 {
            return Ok(Vec::new());
        }
        let judged = Rows::new(&part.pixels, items.size * items.size).map_err(TrialError::of)?;
        let Some(norm) = kind.norm() else {
            return local(items, part, &self.images(judged, Norm::L2)?);
        };
        match self {
            Self::Ink => Ok(items.ink(part)),
            Self::MeanImage(normal) => {
                baseline::mean_image(*normal, judged, norm).map_err(TrialError::of)
            }
            Self::NearestNeighbour(normal) => {
                baseline::nearest_neighbour(*normal, judged, norm).map_err(TrialError::of)
            }
            Self::Pca(components) => components.residuals(judged, norm).map_err(TrialError::of),
        }
    }

    /// The images that items are compared with, one after the other; none for the ink.
    fn images(&self, judged: Rows<'_>, norm: Norm) -> Result<Vec<f32>, TrialError> {
        match self {
            Self::Ink => Ok(Vec::new()),
            Self::MeanImage(normal) => Ok(baseline::mean_item(*normal).repeat(judged.len())),
            Self::NearestNeighbour(normal) => {
                baseline::nearest_items(*normal, judged, norm).map_err(TrialError::of)
            }
            Self::Pca(components) => components.projections(judged).map_err(TrialError::of),
        }
    }
}

pub(super) fn by_baseline<'i>(
    scoring: &Scoring,
    items: &'i Items,
    fit: impl FnOnce(Rows<'i>) -> Result<Baseline<'i>, DetectError>,
) -> Result<Scored, TrialError> {
    let area = items.size * items.size;
    let kind = scoring.residual;
    let before = cpu_seconds();
    let normal = Rows::new(&items.train.part.pixels, area).map_err(TrialError::of)?;
    let fitted = fit(normal).map_err(TrialError::of)?;
    let test = fitted.residuals(items, &items.test, kind)?;
    let seconds = (cpu_seconds() - before) / items.test.len() as f64;
    let validation = fitted.residuals(items, &items.validation, kind)?;
    let judged = Rows::new(&items.test.pixels, area).map_err(TrialError::of)?;
    let images = fitted.images(judged, kind.norm().unwrap_or(Norm::L2))?;
    let scores = |part: &Part, residual: Vec<f64>| {
        let mut scores = Scores {
            score: residual.clone(),
            residual,
            discrimination: Vec::new(),
        };
        per_ink(kind, items, part, &mut scores);
        scores
    };
    Ok(Scored {
        test: scores(&items.test, test),
        validation: scores(&items.validation, validation),
        maps: maps::of(kind, items, &items.test, &images)?,
        evaluations: 1.0,
        seconds,
        ..Scored::default()
    })
}

/// Distance of every image to the one drawn for it.
fn distances(pixels: &[f32], drawn: &[f32], size: usize, norm: Norm) -> Vec<f64> {
    let of_item = |(x, y): (&[f32], &[f32])| {
        let each = x.iter().zip(y).map(|(a, b)| f64::from(a - b));
        match norm {
            Norm::L1 => each.map(f64::abs).sum(),
            Norm::L2 => each.map(|d| d * d).sum::<f64>(),
        }
    };
    let area = size * size;
    pixels
        .chunks(area)
        .zip(drawn.chunks(area))
        .map(of_item)
        .collect()
}

/// CPU seconds of `work` per item, over enough rounds.
pub(super) fn timed_s(items: usize, mut work: impl FnMut()) -> f64 {
    work();
    let (before, mut rounds) = (cpu_seconds(), 0);
    loop {
        work();
        rounds += 1;
        let spent = cpu_seconds() - before;
        if spent >= TIMED_S {
            return spent / (f64::from(rounds) * items as f64);
        }
    }
}
