//! Scores by encoders: of one generator, or the mean of a committee of several, each with an
//! encoder of its own. Members are the same stages under seeds of their own.

use retrial_nets::anogan::{FrozenDiscriminator, FrozenEncoder, FrozenGenerator, compare, images};

use super::encoders;
use super::items::{Items, Part};
use super::residual::{Residual, local, relative};
use super::score::{PASS, Scored, Scores, TIMED, difference, timed_s};
use super::settings;
use super::train;
use crate::execute::context::{Context, TrialError};

/// How far the seeds of two members lie apart. Trials whose seeds differ by less than this share
/// no member.
const SEEDS_APART: u64 = 1000;

pub(super) fn by_encoder(context: &mut Context, items: &Items) -> Result<Scored, TrialError> {
    let members = settings::size(context, "restarts")?;
    let mut scored = member(context, 0, |context| by_one_encoder(context, items))?;
    for at in 1..members {
        let other = member(context, at, |context| by_one_encoder(context, items))?;
        scored.test.add(&other.test);
        scored.validation.add(&other.validation);
        scored.evaluations += other.evaluations;
    }
    let kind = Residual::of(context)?;
    for (scores, part) in [
        (&mut scored.test, &items.test),
        (&mut scored.validation, &items.validation),
    ] {
        scores.divide(members);
        relative(kind, items, part, scores);
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

/// A generator, an encoder, and the scores by these two.
fn by_one_encoder(context: &mut Context, items: &Items) -> Result<Scored, TrialError> {
    let trained = train::train(context, items)?;
    let nets = Encoding {
        encoder: encoders::encoder(context, items, &trained)?,
        generator: trained.training.generator().frozen(),
        discriminator: trained.training.discriminator().frozen(),
    };
    let device = settings::device(context)?;
    let difference = difference(context)?;
    let kind = Residual::of(context)?;
    let kappa = match context.word("method")? {
        "izi_f" => context.float("kappa")?,
        _ => 0.0,
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
        if kind.is_local() {
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
        if kind.is_local() {
            // Sizes agree, as they did above.
            let _ = local(items, &items.test.first(timed, area), &compared.images);
        }
    });
    Ok(Scored {
        test,
        validation,
        nearest,
        trained: Some(trained),
        searched: None,
        evaluations: 1.0,
        seconds,
    })
}

/// Does `work` under the seed of member `at`, from 0; the first member has the trial's own seed.
///
/// Its stages are those that a trial with that seed would have, and are shared with it.
fn member<T>(
    context: &mut Context,
    at: usize,
    work: impl FnOnce(&mut Context) -> Result<T, TrialError>,
) -> Result<T, TrialError> {
    let seed = context.job.seed;
    // The inputs of a stage are looked up among those before it: another member's must not be
    // found.
    let before = std::mem::take(&mut context.stages);
    context.job.seed = seed.wrapping_add(SEEDS_APART * at as u64);
    let done = work(context);
    context.job.seed = seed;
    let own = std::mem::replace(&mut context.stages, before);
    context.stages.extend(own);
    done
}
