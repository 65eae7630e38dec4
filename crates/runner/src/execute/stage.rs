//! Stages: parts of a trial whose results other trials share.
//!
//! A stage's result lies in `results/.stages/<id>/result.h5`. Whoever needs it first takes its
//! lease and builds it; others wait. A killed builder's checkpoints stay in the same folder and
//! the next holder goes on from them. The result is written whole or not at all, so a reader
//! never sees half of one; a damaged one is built again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use retrial_core::declare::StageParams;
use retrial_core::event::Event;
use retrial_core::plan::stage_id;
use retrial_core::record::{StageOrigin, StageUse};
use retrial_seed::Seed;
use retrial_store::{StoreError, Tree, Value};

use super::context::{Context, TrialError, announce, belongs, curve, healed, io};
use super::lease;
use super::reads::{Built, Reads, StageData, StageResults};

/// The stages of `results/`, one folder each.
pub(crate) const STAGES: &str = ".stages";
/// The result of a stage.
pub(crate) const RESULT: &str = "result.h5";
/// Its checkpoints while it is built.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
const WAIT: Duration = Duration::from_millis(100);

/// Attribute of checkpoints and results that names their stage; no part of the content.
const STAGE: &str = "stage";
/// Attribute of results that says what made them, as JSON; no part of the content.
const MADE: &str = "made";

/// A stage being built: all that it may use beside what it reads.
#[derive(Clone)]
pub struct Work {
    id: String,
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    seconds_per_round: Arc<OnceLock<f64>>,
    /// The device as asked for.
    pub device: String,
    /// The seed of the stage.
    pub seed: Seed,
}

impl Work {
    /// The newest readable checkpoint and its round.
    pub fn resume(&self) -> Result<Option<(u64, Tree)>, StoreError> {
        // A file of another stage, copied here, would make numbers that belong to no trial.
        let (loaded, passed_over) =
            retrial_store::load_latest(&self.folder, |tree| belongs(tree, STAGE, &self.id))?;
        for error in passed_over {
            healed(format!("a checkpoint was passed over: {error}"));
        }
        Ok(loaded.map(|loaded| (loaded.round, loaded.tree)))
    }

    /// Saves what the stage needs to go on from here after a kill.
    pub fn checkpoint(&self, round: u64, mut tree: Tree) -> Result<(), StoreError> {
        tree.set_attribute("", STAGE, Value::Text(self.id.clone()))?;
        retrial_store::save_checkpoint(&self.folder, round, &tree)?;
        Ok(())
    }

    /// An error when the trial was asked to stop; call it where stopping loses little.
    pub fn stop_point(&self) -> Result<(), TrialError> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(TrialError::Stopped),
            false => Ok(()),
        }
    }

    /// Reports how far the stage is.
    pub fn progress(&self, done: u64, total: u64, unit: &str) {
        let unit = unit.to_owned();
        announce(&Event::Progress { done, total, unit });
    }

    /// Reports a value by which a person sees how the stage goes, such as a loss, after `done` units. One that is no
    /// finite number is in no curve.
    pub fn curve(&self, name: &str, done: u64, value: f64) {
        curve(name, done, value);
    }

    /// Says what a round took, CPU time. It is no part of what the stage leaves, which must repeat bit by bit.
    pub fn took(&self, seconds_per_round: f64) {
        let _ = self.seconds_per_round.set(seconds_per_round);
    }
}

/// The file with the result of the stage of that id.
#[must_use]
pub fn stage_result(results: &Path, id: &str) -> PathBuf {
    results.join(STAGES).join(id).join(RESULT)
}

/// Makes the tree of a stage. A `fn` captures nothing.
type Build<R> = fn(&Work, &R) -> Result<Tree, TrialError>;
/// Makes a value of that tree.
type Open<R, V> = fn(&Work, &R, &Tree) -> Result<V, TrialError>;

/// What the stage `name` left: found ready, or made by `build`; `open` makes a value of its tree.
///
/// A stage is a function of `reads`, its seed and nothing else. A change of any of these is another stage:
///
/// ```
/// use retrial_runner::{Built, Context, Reads, TrialError, stage};
/// use retrial_store::{Array, Tree};
///
/// retrial_core::params! {
///     /// What is thrown.
///     struct Throwing {
///         /// How often it is thrown.
///         throws: int(1..=1000) = 10,
///     }
/// }
///
/// fn thrown(context: &mut Context, params: &Throwing) -> Result<Built<Vec<f64>>, TrialError> {
///     let seed = context.seed().0;
///     let reads = Reads { params, stages: (), data: () };
///     stage(context, "throw", Some(seed), &reads, |work, reads| {
///         let mut stream = work.seed.stream("throws");
///         let values = (0..reads.params.throws).map(|_| stream.uniform());
///         let mut tree = Tree::new();
///         tree.insert("values", Array::list(values.collect::<Vec<f64>>())?)?;
///         Ok(tree)
///     }, |_, _, tree| Ok(tree.values("values")?.to_vec()))
/// }
/// ```
///
/// The compiler refuses a `build` that captures what `reads` does not hold, here `bias`:
///
/// ```compile_fail,E0308
/// use retrial_runner::{Built, Context, Reads, TrialError, stage};
/// use retrial_store::{Array, Tree};
///
/// fn thrown(context: &mut Context, bias: f64) -> Result<Built<Vec<f64>>, TrialError> {
///     let seed = context.seed().0;
///     let reads = Reads { params: (), stages: (), data: () };
///     stage(context, "throw", Some(seed), &reads, |work, _| {
///         let mut stream = work.seed.stream("throws");
///         let mut tree = Tree::new();
///         tree.insert("values", Array::list(vec![stream.uniform() + bias])?)?;
///         Ok(tree)
///     }, |_, _, tree| Ok(tree.values("values")?.to_vec()))
/// }
/// ```
pub fn stage<P: StageParams, S: StageResults, D: StageData, V>(
    context: &mut Context,
    name: &'static str,
    seed: Option<u64>,
    reads: &Reads<P, S, D>,
    build: Build<Reads<P, S, D>>,
    open: Open<Reads<P, S, D>, V>,
) -> Result<Built<V>, TrialError> {
    let device = context.job.device.clone();
    let input = reads.input(name, seed)?;
    let id = stage_id(context.study, &input, context.params(), &device.kind);
    let folder = context.results().join(STAGES).join(&id);
    let work = Work {
        id,
        folder: folder.join(CHECKPOINTS),
        stop: context.stopped(),
        seconds_per_round: Arc::default(),
        device: device.name,
        seed: Seed(seed.unwrap_or_default()),
    };
    let tree = result(context, name, &folder, &work, || build(&work, reads))?;
    Ok(Built {
        value: open(&work, reads, &tree)?,
        seconds_per_round: work.seconds_per_round.get().copied(),
        id: work.id,
    })
}

impl Context {
    /// CPU time of a round of a stage, where this trial built it and it measured that. A stage cannot ask for it.
    #[must_use]
    pub fn seconds_per_round<V>(&self, of: &Built<V>) -> Option<f64> {
        of.seconds_per_round
    }
}

/// The result of a stage, which lies in `folder` or is made by `build`.
fn result(
    context: &mut Context,
    name: &str,
    folder: &Path,
    work: &Work,
    build: impl FnOnce() -> Result<Tree, TrialError>,
) -> Result<Tree, TrialError> {
    let id = &work.id;
    let lease_path = lease::path(context.results(), &format!("stage.{id}"));
    if let Some(found) = ready(folder, id) {
        return used(context, name, id, found, true);
    }
    let _lease = wait_for(context, &lease_path, name, id)?;
    // Another process may have finished it while this one waited.
    if let Some(found) = ready(folder, id) {
        return used(context, name, id, found, true);
    }
    std::fs::create_dir_all(&work.folder).map_err(|source| io("create", &work.folder, source))?;
    let tree = build()?;
    let made = context.job.host.origin(&work.device);
    let found = keep(folder, id, tree, made)?;
    super::trial_folders::remove(&work.folder)
        .map_err(|source| io("remove", &work.folder, source))?;
    lease::discard(&lease_path);
    used(context, name, id, found, false)
}

/// A result, with the hash of its content and what made it.
struct Found {
    tree: Tree,
    content: String,
    made: Option<StageOrigin>,
}

/// Writes the result of stage `id`.
fn keep(folder: &Path, id: &str, tree: Tree, made: StageOrigin) -> Result<Found, StoreError> {
    let content = tree.content_hash();
    let mut marked = tree.clone();
    marked.set_attribute("", STAGE, Value::Text(id.to_owned()))?;
    let text = serde_json::to_string(&made).unwrap_or_default();
    marked.set_attribute("", MADE, Value::Text(text))?;
    retrial_store::write(folder.join(RESULT), &marked)?;
    Ok(Found {
        tree,
        content,
        made: Some(made),
    })
}

/// The finished result of stage `id` with the hash of its content.
///
/// A damaged one and one of another stage count as absent. They are left where they are, since
/// the next result replaces them and removing one here could remove a new one.
fn ready(folder: &Path, id: &str) -> Option<Found> {
    let path = folder.join(RESULT);
    if !path.exists() {
        return None;
    }
    let mut tree = match retrial_store::read(&path) {
        Ok(tree) => tree,
        Err(error) => {
            healed(format!("a stage is built again: {error}"));
            return None;
        }
    };
    let made = match tree.remove_attribute("", MADE) {
        Some(Value::Text(text)) => serde_json::from_str(&text).ok(),
        _ => None,
    };
    match tree.remove_attribute("", STAGE) {
        Some(Value::Text(of)) if of == id => Some(Found {
            content: tree.content_hash(),
            tree,
            made,
        }),
        other => {
            let path = path.display();
            healed(format!(
                "a stage is built again: {path} is of {other:?}, not of {id}"
            ));
            None
        }
    }
}

fn wait_for(
    context: &Context,
    path: &Path,
    stage: &str,
    id: &str,
) -> Result<lease::Lease, TrialError> {
    let mut announced = false;
    loop {
        if let Some(lease) = lease::try_take(path)? {
            if announced {
                context.announce(&Event::Waited {
                    stage: stage.to_owned(),
                });
            }
            return Ok(lease);
        }
        if !announced {
            announced = true;
            context.announce(&Event::Waiting {
                stage: stage.to_owned(),
                id: id.to_owned(),
            });
        }
        context.stop_point()?;
        std::thread::sleep(WAIT);
    }
}

fn used(
    context: &mut Context,
    name: &str,
    id: &str,
    found: Found,
    reused: bool,
) -> Result<Tree, TrialError> {
    let Found {
        tree,
        content,
        made,
    } = found;
    context.emit(&Event::Stage {
        name: name.to_owned(),
        id: id.to_owned(),
        content: content.clone(),
        reused,
    })?;
    context.stages.push(StageUse {
        name: name.to_owned(),
        id: id.to_owned(),
        content,
        reused,
        made,
    });
    Ok(tree)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::super::provenance::Host;
    use super::*;

    #[test]
    fn a_checkpoint_of_another_stage_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let of = |id: &str| Work {
            id: id.to_owned(),
            folder: folder.path().to_owned(),
            stop: Arc::default(),
            seconds_per_round: Arc::default(),
            device: "cpu".to_owned(),
            seed: Seed(0),
        };
        of("train-1").checkpoint(7, Tree::new()).unwrap();
        let (round, _) = of("train-1").resume().unwrap().unwrap();
        assert_eq!(round, 7);
        assert!(of("train-2").resume().unwrap().is_none());
    }

    #[test]
    fn a_result_of_another_stage_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new();
        let made = Host::default().origin("cpu");
        let kept = keep(folder.path(), "train-1", tree.clone(), made.clone()).unwrap();
        let again = ready(folder.path(), "train-1").unwrap();
        let hash = tree.content_hash();
        assert_eq!((&again.content, &kept.content), (&hash, &hash));
        assert_eq!((again.tree.content_hash(), again.made), (hash, Some(made)));
        assert!(ready(folder.path(), "train-2").is_none());
        retrial_store::write(folder.path().join(RESULT), &tree).unwrap();
        assert!(ready(folder.path(), "train-1").is_none());
    }
}
