//! Stages: parts of a trial whose results other trials share.
//!
//! A stage's result lies in `results/.stages/<id>/result.h5`. Whoever needs it first takes its
//! lease and builds it; others wait. A killed builder's checkpoints stay in the same folder and
//! the next holder goes on from them. The result is written whole or not at all, so a reader
//! never sees half of one; a damaged one is built again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use retrial_core::event::Event;
use retrial_core::plan::stage_id;
use retrial_core::record::StageUse;
use retrial_core::study::StageDef;
use retrial_store::{StoreError, Tree, Value};

use super::context::{Context, TrialError, belongs, healed, io};
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

/// A stage being built: its checkpoints.
pub(crate) struct StageFolder {
    id: String,
    folder: PathBuf,
}

impl StageFolder {
    /// The newest readable checkpoint and its round.
    pub(crate) fn resume(&self) -> Result<Option<(u64, Tree)>, StoreError> {
        // A file of another stage, copied here, would make numbers that belong to no trial.
        let (loaded, passed_over) =
            retrial_store::load_latest(&self.folder, |tree| belongs(tree, STAGE, &self.id))?;
        for error in passed_over {
            healed(format!("a checkpoint was passed over: {error}"));
        }
        Ok(loaded.map(|loaded| (loaded.round, loaded.tree)))
    }

    /// Saves what the stage needs to go on from here after a kill.
    pub(crate) fn checkpoint(&self, round: u64, mut tree: Tree) -> Result<(), StoreError> {
        tree.set_attribute("", STAGE, Value::Text(self.id.clone()))?;
        retrial_store::save_checkpoint(&self.folder, round, &tree)?;
        Ok(())
    }
}

/// The result of stage `name`: built by `build`, or found ready.
pub(crate) fn stage(
    context: &mut Context,
    name: &'static str,
    build: impl FnOnce(&mut Context, &StageFolder) -> Result<Tree, TrialError>,
) -> Result<Tree, TrialError> {
    let Some(definition) = context.study.stages.iter().find(|stage| stage.name == name) else {
        let study = context.study.name;
        return Err(TrialError::Other(format!(
            "the study `{study}` declares no stage `{name}`"
        )));
    };
    let id = id_of(context, definition)?;
    let folder = context.results().join(STAGES).join(&id);
    let lease_path = lease::path(context.results(), &format!("stage.{id}"));
    if let Some((tree, content)) = ready(&folder, &id) {
        return used(context, name, id, tree, content, true);
    }
    let _lease = wait_for(context, &lease_path, name, &id)?;
    // Another process may have finished it while this one waited.
    if let Some((tree, content)) = ready(&folder, &id) {
        return used(context, name, id, tree, content, true);
    }
    let checkpoints = StageFolder {
        id: id.clone(),
        folder: folder.join(CHECKPOINTS),
    };
    std::fs::create_dir_all(&checkpoints.folder)
        .map_err(|source| io("create", &checkpoints.folder, source))?;
    let tree = build(context, &checkpoints)?;
    let content = keep(&folder, &id, tree.clone())?;
    super::folder::remove(&checkpoints.folder)
        .map_err(|source| io("remove", &checkpoints.folder, source))?;
    lease::discard(&lease_path);
    used(context, name, id, tree, content, false)
}

fn id_of(context: &Context, definition: &StageDef) -> Result<String, TrialError> {
    let inputs = definition
        .inputs
        .iter()
        .map(|input| {
            let used = context.stages.iter().find(|stage| stage.name == *input);
            used.map(|stage| stage.id.clone()).ok_or_else(|| {
                let name = definition.name;
                TrialError::Other(format!("stage `{name}` came before its input `{input}`"))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let digest = context.job.data.as_ref().map(|data| data.content.as_str());
    let device = super::worker::device_kind(&context.job.device);
    Ok(stage_id(
        context.study,
        definition,
        context.params(),
        &inputs,
        context.job.seed,
        digest,
        device,
    ))
}

/// Writes the result of stage `id`; returns the hash of its content.
fn keep(folder: &Path, id: &str, mut tree: Tree) -> Result<String, StoreError> {
    let content = tree.content_hash();
    tree.set_attribute("", STAGE, Value::Text(id.to_owned()))?;
    retrial_store::write(folder.join(RESULT), &tree)?;
    Ok(content)
}

/// The finished result of stage `id` with the hash of its content.
///
/// A damaged one and one of another stage count as absent. They are left where they are, since
/// the next result replaces them and removing one here could remove a new one.
fn ready(folder: &Path, id: &str) -> Option<(Tree, String)> {
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
    match tree.remove_attribute("", STAGE) {
        Some(Value::Text(of)) if of == id => {
            let content = tree.content_hash();
            Some((tree, content))
        }
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
    tree: Tree,
    content: String,
    reused: bool,
) -> Result<Tree, TrialError> {
    context.emit(&Event::Stage {
        name: name.to_owned(),
        id: id.clone(),
        content: content.clone(),
        reused,
    })?;
    context.stages.push(StageUse {
        name: name.to_owned(),
        id,
        content,
        reused,
    });
    Ok(tree)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_checkpoint_of_another_stage_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let of = |id: &str| StageFolder {
            id: id.to_owned(),
            folder: folder.path().to_owned(),
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
        let content = keep(folder.path(), "train-1", tree.clone()).unwrap();
        let (again, same) = ready(folder.path(), "train-1").unwrap();
        assert_eq!((again.content_hash(), same), (tree.content_hash(), content));
        assert!(ready(folder.path(), "train-2").is_none());
        retrial_store::write(folder.path().join(RESULT), &tree).unwrap();
        assert!(ready(folder.path(), "train-1").is_none());
    }
}
