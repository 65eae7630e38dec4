//! Stages: parts of a trial whose results other trials share.
//!
//! A stage's result lies in `results/.stages/<id>/result.h5`. Whoever needs it first takes its
//! lease and builds it; others wait. A killed builder's checkpoints stay in the same folder and
//! the next holder goes on from them. The result is written whole or not at all, so a reader
//! never sees half of one; a damaged one is built again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use retrial_core::event::Event;
use retrial_core::plan::{StageInput, stage_id};
use retrial_core::record::{StageOrigin, StageUse};
use retrial_seed::Seed;
use retrial_store::{StoreError, Tree, Value};

use super::context::{Context, TrialError, announce, belongs, healed, io};
use super::lease;

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

/// A stage being built: all that it may use beside its input and its data.
pub struct Work {
    id: String,
    folder: PathBuf,
    stop: Arc<AtomicBool>,
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
}

/// The result of a stage.
pub struct Built {
    /// Its id, by which it is the input of another.
    pub id: String,
    /// What it holds.
    pub tree: Tree,
}

/// The file with the result of the stage of that id.
#[must_use]
pub fn stage_result(results: &Path, id: &str) -> PathBuf {
    results.join(STAGES).join(id).join(RESULT)
}

/// The result of the stage that reads `input`: built by `build`, or found ready. `build` sees nothing of the trial but
/// what it is given, so that it cannot read what `input` does not name.
pub fn stage(
    context: &mut Context,
    input: &StageInput<'_>,
    build: impl FnOnce(&Work) -> Result<Tree, TrialError>,
) -> Result<Built, TrialError> {
    let device = context.job.device.clone();
    let id = stage_id(context.study, input, context.params(), &device.kind);
    let folder = context.results().join(STAGES).join(&id);
    let lease_path = lease::path(context.results(), &format!("stage.{id}"));
    if let Some(found) = ready(&folder, &id) {
        return used(context, input.name, id, found, true);
    }
    let _lease = wait_for(context, &lease_path, input.name, &id)?;
    // Another process may have finished it while this one waited.
    if let Some(found) = ready(&folder, &id) {
        return used(context, input.name, id, found, true);
    }
    let work = Work {
        id: id.clone(),
        folder: folder.join(CHECKPOINTS),
        stop: context.stopped(),
        device: device.name,
        seed: Seed(input.seed.unwrap_or_default()),
    };
    std::fs::create_dir_all(&work.folder).map_err(|source| io("create", &work.folder, source))?;
    let tree = build(&work)?;
    let made = context.job.host.origin(&work.device);
    let found = keep(&folder, &id, tree, made)?;
    super::folder::remove(&work.folder).map_err(|source| io("remove", &work.folder, source))?;
    lease::discard(&lease_path);
    used(context, input.name, id, found, false)
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
    id: String,
    found: Found,
    reused: bool,
) -> Result<Built, TrialError> {
    let Found {
        tree,
        content,
        made,
    } = found;
    context.emit(&Event::Stage {
        name: name.to_owned(),
        id: id.clone(),
        content: content.clone(),
        reused,
    })?;
    context.stages.push(StageUse {
        name: name.to_owned(),
        id: id.clone(),
        content,
        reused,
        made,
    });
    Ok(Built { id, tree })
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
