//! What a trial does: throw in a stage, then compare the estimates with π.

use retrial_core::declare::ParamGroup as _;
use retrial_core::plan::StageInput;
use retrial_runner::{Context, TrialError, Work, cpu_seconds, stage, typed};
use retrial_store::{Array, StoreError, Tree};

use crate::metrics::metric;
use crate::needle;
use crate::output::{self, RepeatRow};
use crate::tables::{Settings, Throwing};

/// Repeats between two checkpoints.
const CHECKPOINT_EVERY: usize = 100;

/// The array of the stage: the hits of every repeat.
const HITS: &str = "hits";

pub(crate) fn run(context: &mut Context) -> Result<(), TrialError> {
    let Settings { throwing, judging } = typed(context.params(), Settings::read)?;
    context.resume()?;
    let input = StageInput {
        name: "throw",
        params: throwing.pairs(),
        inputs: &[],
        data: Vec::new(),
        seed: Some(context.seed().0),
    };
    // Measured where it is done: a stage that is found ready does nothing, and one that goes on does the rest.
    let mut speed = None;
    let thrown = stage(context, &input, |work| {
        let before = cpu_seconds();
        let (tree, throws) = throw(work, &throwing)?;
        speed = Some(throws as f64 / (cpu_seconds() - before).max(1e-6));
        Ok(tree)
    })?;
    context.metric_if_any(metric::throws_per_cpu_second, speed)?;
    let rows = output::repeat_rows(&throwing, thrown.tree.values(HITS)?);
    report(context, &throwing, judging.near_error, &rows)?;
    context.rows(&rows)
}

/// The stage: the hits of every repeat, each with a stream of its own, so that no generator is kept in a checkpoint.
/// Beside it the throws since it went on.
fn throw(work: &Work, params: &Throwing) -> Result<(Tree, usize), TrialError> {
    let mut hits = match work.resume()? {
        Some((_, tree)) => tree.values::<u64>(HITS)?.to_vec(),
        None => Vec::new(),
    };
    let begun = hits.len();
    for repeat in begun..params.repeats {
        work.stop_point()?;
        let mut stream = work.seed.stream(&format!("repeat {repeat}"));
        let (ratio, directions) = (params.length_ratio, params.directions);
        hits.push(needle::hits(params.throws, ratio, directions, &mut stream) as u64);
        let done = hits.len();
        work.progress(done as u64, params.repeats as u64, "repeats");
        if done.is_multiple_of(CHECKPOINT_EVERY) && done < params.repeats {
            work.checkpoint(done as u64, tree(hits.clone())?)?;
        }
    }
    let throws = (hits.len() - begun) * params.throws;
    Ok((tree(hits)?, throws))
}

fn tree(hits: Vec<u64>) -> Result<Tree, StoreError> {
    let mut tree = Tree::new();
    tree.insert(HITS, Array::list(hits)?)?;
    Ok(tree)
}

/// Reports the metrics.
fn report(
    context: &mut Context,
    params: &Throwing,
    near_error: f64,
    rows: &[RepeatRow],
) -> Result<(), TrialError> {
    let repeats = rows.len() as f64;
    let hits: usize = rows.iter().map(|row| row.hits).sum();
    let squares: f64 = rows.iter().map(|row| row.error * row.error).sum();
    let near = |row: &&RepeatRow| row.error.abs() <= near_error;
    let near = rows.iter().filter(near).count();
    let rmse = (squares / repeats).sqrt();
    let law = needle::standard_deviation(params.throws, params.length_ratio);
    let throws = params.throws as f64 * repeats;
    context.metric(metric::hit_share, hits as f64 / throws)?;
    context.metric(metric::rmse, rmse)?;
    context.metric(metric::rmse_by_law, law)?;
    context.metric(metric::rmse_over_law, rmse / law)?;
    context.metric(metric::share_as_near, near as f64 / repeats)
}
