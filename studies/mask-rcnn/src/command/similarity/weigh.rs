//! From features to weights and a draw, a block of pictures at a time.

use retrial_core::hash::FieldHasher;
use retrial_runner::Failure;
use retrial_seed::Seed;
use retrial_similarity::{
    Moments, Scan, SimilarityError, SimilaritySettings, Standardiser, Targets, Weights, draw,
    log_similarities, tally,
};

use super::cache::Cache;
use super::domain::{Domain, block, progress};
use crate::cli::SimilarityArgs;

/// What is known of the source pictures, in the order of [`Domain::pictures`].
pub(super) struct Weighed {
    pub(super) weights: Weights,
    /// Logarithm of the sum of the weights before they were normalised.
    log_total: f64,
    /// How often each was drawn.
    pub(super) draws: Vec<u32>,
    /// Pictures drawn at least once with their number, the most drawn first.
    pub(super) most_drawn: Vec<(usize, usize)>,
    /// Hashes of names and features.
    pub(super) target_digest: String,
    pub(super) source_digest: String,
}

impl Weighed {
    /// How many times more likely than in a uniform draw.
    pub(super) fn times_uniform(&self, picture: usize) -> f64 {
        self.weights.normalised()[picture] * self.draws.len() as f64
    }

    /// Its decimal logarithm, which is there where the number itself is zero in `f64`.
    pub(super) fn log10_times_uniform(&self, picture: usize) -> f64 {
        let log = self.weights.log()[picture] - self.log_total + (self.draws.len() as f64).ln();
        log / std::f64::consts::LN_10
    }

    /// Kish's effective sample size over the number of pictures.
    pub(super) fn effective_share(&self) -> f64 {
        self.weights.effective_sample_size() / self.draws.len() as f64
    }
}

pub(super) fn weigh(
    args: &SimilarityArgs,
    dimension: usize,
    (target, source): (&Domain, &Domain),
    cache: &Cache,
) -> Result<Weighed, Failure> {
    let mut targets = Vec::with_capacity(target.pictures.len() * dimension);
    cache.rows(target.places(), usize::MAX, |rows| {
        targets.append(rows);
        Ok(())
    })?;
    let target_digest = {
        let mut digest = Digest::new(target, dimension);
        digest.add(&targets);
        digest.hasher.tagged()
    };
    let (standard, source_digest) = first_pass(args, dimension, source, &targets, cache)?;
    if let Some(standard) = &standard {
        standard.apply(&mut targets).map_err(refused)?;
    }
    let targets = Targets::new(dimension, targets).map_err(refused)?;
    let settings = SimilaritySettings::default()
        .with_bandwidth(args.bandwidth)
        .with_reduction(args.reduction);
    let mut log = Vec::with_capacity(source.pictures.len());
    let mut scan = Scan::default();
    let bar = progress(source.pictures.len(), "similarities");
    cache.rows(source.places(), block(dimension), |rows| {
        if let Some(standard) = &standard {
            standard.apply(rows).map_err(refused)?;
        }
        for value in log_similarities(rows, &targets, &settings).map_err(refused)? {
            scan.push(value).map_err(refused)?;
            log.push(value);
        }
        bar.set_position(log.len() as u64);
        Ok(())
    })?;
    bar.finish_and_clear();
    let weights = Weights::from_log(log).map_err(refused)?;
    // The stream of the study, so that equal weights and seeds give equal draws.
    let mut stream = Seed(args.seed).stream("source draw");
    let drawn = draw(&weights, args.draws as usize, &mut stream);
    let mut draws = vec![0; source.pictures.len()];
    for &picture in &drawn {
        draws[picture] += 1;
    }
    Ok(Weighed {
        weights,
        log_total: scan.log_total(),
        draws,
        most_drawn: tally(drawn).most_drawn,
        target_digest,
        source_digest,
    })
}

/// Looks at every source row once: for the scaling and for the digest.
fn first_pass(
    args: &SimilarityArgs,
    dimension: usize,
    source: &Domain,
    targets: &[f64],
    cache: &Cache,
) -> Result<(Option<Standardiser>, String), Failure> {
    let mut moments = Moments::new(dimension);
    let mut digest = Digest::new(source, dimension);
    cache.rows(source.places(), block(dimension), |rows| {
        digest.add(rows);
        if args.texture_standardised {
            for row in rows.chunks_exact(dimension) {
                moments.push(row).map_err(refused)?;
            }
        }
        Ok(())
    })?;
    let digest = digest.hasher.tagged();
    if !args.texture_standardised {
        return Ok((None, digest));
    }
    for row in targets.chunks_exact(dimension) {
        moments.push(row).map_err(refused)?;
    }
    Ok((Some(moments.standardiser().map_err(refused)?), digest))
}

/// A hash over names and features, which says what was compared, whoever kept the features where.
struct Digest<'d> {
    hasher: FieldHasher,
    domain: &'d Domain,
    dimension: usize,
    done: usize,
}

impl<'d> Digest<'d> {
    fn new(domain: &'d Domain, dimension: usize) -> Self {
        Self {
            hasher: FieldHasher::new("retrial similarity domain v1"),
            domain,
            dimension,
            done: 0,
        }
    }

    fn add(&mut self, rows: &[f64]) {
        let mut bytes = Vec::with_capacity(8 * self.dimension);
        for row in rows.chunks_exact(self.dimension) {
            bytes.clear();
            bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
            let name = self.domain.name(self.done).as_bytes();
            self.hasher.field(name).field(&bytes);
            self.done += 1;
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn refused(error: SimilarityError) -> Failure {
    Failure::usage(format!("cannot compare the textures: {error}"))
}
