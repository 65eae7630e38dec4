//! What a trial does: throw in a stage, then compare the estimates with π.

use retrial_core::declare::ParamGroup as _;
use retrial_core::plan::StageInput;
use retrial_runner::{Context, TrialError, Work, stage, typed};
use retrial_store::{Array, StoreError, Tree};

use crate::metrics::metric;
use crate::needle;
use crate::output::{self, RepeatRow};
use crate::tables::Throwing;

/// Repeats between two checkpoints.
const CHECKPOINT_EVERY: usize = 100;

/// The array of the stage: the hits of every repeat.
const HITS: &str = "hits";

/// 355/113 less π, rounded up.
const ERROR_OF_LAZZARINI: f64 = 3e-7;

pub(crate) fn run(context: &mut Context) -> Result<(), TrialError> {
    let params = typed(context.params(), Throwing::read)?;
    context.resume()?;
    let input = StageInput {
        name: "throw",
        params: params.pairs(),
        inputs: &[],
        data: Vec::new(),
        seed: Some(context.seed().0),
    };
    let thrown = stage(context, &input, |work| throw(work, &params))?;
    let rows = output::repeat_rows(&params, thrown.tree.values(HITS)?);
    report(context, &params, &rows)?;
    context.rows(&rows)
}

/// The stage: the hits of every repeat, each with a stream of its own, so that no generator is kept in a checkpoint.
fn throw(work: &Work, params: &Throwing) -> Result<Tree, TrialError> {
    let mut hits = match work.resume()? {
        Some((_, tree)) => tree.values::<u64>(HITS)?.to_vec(),
        None => Vec::new(),
    };
    for repeat in hits.len()..params.repeats {
        work.stop_point()?;
        let mut stream = work.seed.stream(&format!("repeat {repeat}"));
        hits.push(needle::hits(params.throws, params.length_ratio, &mut stream) as u64);
        let done = hits.len();
        work.progress(done as u64, params.repeats as u64, "repeats");
        if done.is_multiple_of(CHECKPOINT_EVERY) && done < params.repeats {
            work.checkpoint(done as u64, tree(hits.clone())?)?;
        }
    }
    Ok(tree(hits)?)
}

fn tree(hits: Vec<u64>) -> Result<Tree, StoreError> {
    let mut tree = Tree::new();
    tree.insert(HITS, Array::list(hits)?)?;
    Ok(tree)
}

/// Reports the metrics.
fn report(context: &mut Context, params: &Throwing, rows: &[RepeatRow]) -> Result<(), TrialError> {
    let repeats = rows.len() as f64;
    let hits: usize = rows.iter().map(|row| row.hits).sum();
    let squares: f64 = rows.iter().map(|row| row.error * row.error).sum();
    let near = |row: &&RepeatRow| row.error.abs() <= ERROR_OF_LAZZARINI;
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
