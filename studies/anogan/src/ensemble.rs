//! Scores by encoders: of one generator, or the mean of an ensemble of several, each with an
//! encoder of its own. Members are the same stages under seeds of their own.

use retrial_net_study::device;
use retrial_nets::anogan::{FrozenDiscriminator, FrozenEncoder, FrozenGenerator, compare, images};
use retrial_runner::{Context, TrialError};

use super::encoders::{self, EncoderMethod};
use super::items::{Items, Part};
use super::maps;
use super::params::All;
use super::residual::{local, per_ink};
use super::score::{PASS, Scored, Scores, TIMED, timed_s};
use super::train;

/// How far the seeds of two members lie apart. Trials whose seeds differ by less than this share
/// no member.
const SEEDS_APART: u64 = 1000;

pub(super) fn by_encoder(
    context: &mut Context,
    params: &All,
    method: EncoderMethod,
    items: &Items,
) -> Result<Scored, TrialError> {
    let members = params.scoring.ensemble_size;
    let mut scored = by_one_encoder(context, params, method, items, 0)?;
    for at in 1..members {
        let other = by_one_encoder(context, params, method, items, at)?;
        scored.test.add(&other.test);
        scored.validation.add(&other.validation);
        scored.evaluations += other.evaluations;
        for (sum, value) in scored.maps.iter_mut().zip(&other.maps) {
            *sum += value;
        }
    }
    for value in &mut scored.maps {
        *value /= members as f32;
    }
    let kind = params.scoring.residual;
    for (scores, part) in [
        (&mut scored.test, &items.test),
        (&mut scored.validation, &items.validation),
    ] {
        scores.divide(members);
        per_ink(kind, items, part, scores);
    }
    Ok(scored)
}

impl Scores {
    fn lists(&mut self) -> [&mut Vec<f64>; 3] {
        [
            &mut self.residual,
            &mut self.discrimination,
            &mut self.score,
        ]
    }

    fn add(&mut self, other: &Self) {
        let others = [&other.residual, &other.discrimination, &other.score];
        for (sums, values) in self.lists().into_iter().zip(others) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        }
    }

    /// The mean over `members`; of one, the very numbers.
    fn divide(&mut self, members: usize) {
        for value in self.lists().into_iter().flatten() {
            *value /= members as f64;
        }
    }
}

/// An encoder and the nets beside it, on the device without differentiation.
struct Encoding {
    encoder: FrozenEncoder,
    generator: FrozenGenerator,
    discriminator: FrozenDiscriminator,
}

/// A generator, an encoder, and the scores by these two, of member `at`, from 0. The first member has the trial's own
/// seed; the stages of a member are those that a trial with its seed would have, and are shared with it.
fn by_one_encoder(
    context: &mut Context,
    params: &All,
    method: EncoderMethod,
    items: &Items,
    at: usize,
) -> Result<Scored, TrialError> {
    let seed = context.seed().0.wrapping_add(SEEDS_APART * at as u64);
    let trained = train::train(context, params.training(), &items.train, seed)?;
    let input = params.encoder(method);
    let (encoder, _) = encoders::encoder(context, input, &items.train, &trained, seed)?;
    let nets = Encoding {
        encoder,
        generator: trained.training.generator().frozen(),
        discriminator: trained.training.discriminator().frozen(),
    };
    let device = device::open(context.device())?;
    let difference = params.scoring.residual.difference();
    let is_local = params.scoring.residual.norm().is_none();
    let kappa = match method {
        EncoderMethod::IziF => params.features.kappa,
        EncoderMethod::Ziz | EncoderMethod::Izi => 0.0,
    };
    let size = items.size;
    let area = size * size;
    let pass = |pixels: &[f32]| {
        let x = images(pixels, size, &device);
        let all = (&nets.encoder, &nets.generator, &nets.discriminator);
        compare(all, x, difference)
    };
    let scores = |part: &Part| {
        let (mut scores, mut nearest) = (Scores::default(), Vec::new());
        for pixels in part.pixels.chunks(PASS * area) {
            let compared = pass(pixels);
            scores.residual.extend(compared.residual);
            scores.discrimination.extend(compared.discrimination);
            nearest.extend(compared.images);
        }
        if is_local {
            scores.residual = local(items, part, &nearest)?;
        }
        // A(x) = A_R(x) + κ A_D(x), means over pixels and features: Schlegl et al. 2019, Eq. (6).
        let pairs = scores.residual.iter().zip(&scores.discrimination);
        scores.score = pairs.map(|(r, d)| r + kappa * d).collect();
        Ok::<_, TrialError>((scores, nearest))
    };
    let (test, nearest) = scores(&items.test)?;
    let (validation, _) = scores(&items.validation)?;
    let timed = TIMED.min(items.test.len());
    let pixels = &items.test.pixels[..timed * area];
    let seconds = timed_s(timed, || {
        let compared = pass(pixels);
        if is_local {
            // Sizes agree, as they did above.
            let _ = local(items, &items.test.first(timed, area), &compared.images);
        }
    });
    Ok(Scored {
        maps: maps::of(params.scoring.residual, items, &items.test, &nearest)?,
        test,
        validation,
        nearest,
        trained: Some(trained),
        searched: None,
        evaluations: 1.0,
        seconds,
    })
}
