//! `retrial rename`: another name for an experiment, its spec and its records, which are sealed again.
//!
//! The records are made under the new name beside the old ones, and put in place at once. A command that was
//! interrupted is ended by giving it again.

use std::fs;
use std::path::{Path, PathBuf};

use retrial_core::experiment::SHEET_FILE;
use retrial_core::record::{ATTEMPT_FILE, RECORD_FILE, Record};
use retrial_core::seal::{sealed, unsealed};
use retrial_core::spec;
use retrial_core::yaml::{self, Value};
use retrial_report::Experiment;

use super::held::keep_from_runs;
use super::records::{drop_page, trials_of};
use super::report;
use crate::cli::RenameArgs;
use crate::execute::{folder, lease};
use crate::failure::Failure;
use crate::integrity;
use crate::packing::{self, storage, text_of};
use crate::selected::spec_files;
use crate::workspace::Workspace;

/// The file of a renamed experiment that says its old name until the old folder is gone.
const RENAMED: &str = ".renamed";

pub(crate) fn run(workspace: &Workspace, args: &RenameArgs) -> Result<(), Failure> {
    let new = args.new.as_str();
    if !spec::is_name(new) {
        let help = "use small letters, digits and hyphens, such as subset-size";
        let message = format!("`{new}` is no name of an experiment: {help}");
        return Err(Failure::usage(message));
    }
    let Some((study, old)) = args
        .old
        .split_once('/')
        .filter(|(_, old)| !old.contains('/'))
    else {
        let message = format!("`{}` is no experiment: name STUDY/EXPERIMENT", args.old);
        return Err(Failure::usage(message));
    };
    let results = workspace.results();
    let mut both = [old, new];
    both.sort_unstable();
    let [one, two] = both;
    if one == two {
        return Err(Failure::usage(format!("{study}/{old} has that name")));
    }
    let _alone = (
        lease::to_write(&results, study, one)?,
        lease::to_write(&results, study, two)?,
    );
    let (from, to) = (results.join(study).join(old), results.join(study).join(new));
    let begun = fs::read_to_string(to.join(RENAMED)).is_ok_and(|own| own.trim_end() == old);
    if !begun {
        begin(workspace, (study, old, new), &to)?;
    }
    let gone = from.with_file_name(format!(".renamed-{old}"));
    if from.exists() {
        folder::remove(&gone).map_err(|error| storage(&gone, &error))?;
        fs::rename(&from, &gone).map_err(|error| storage(&from, &error))?;
    }
    folder::remove(&gone).map_err(|error| storage(&gone, &error))?;
    drop_page(workspace, study)?;
    let mark = to.join(RENAMED);
    fs::remove_file(&mark).map_err(|error| storage(&mark, &error))?;
    report::refresh(workspace)?;
    say!(
        "{study}/{old} is {study}/{new} now; links and quotations of the old name stay as they are"
    );
    Ok(())
}

/// Makes the experiment of the new name, with its spec. Nothing is changed where it cannot be made.
fn begin(
    workspace: &Workspace,
    (study, old, new): (&str, &str, &str),
    to: &Path,
) -> Result<(), Failure> {
    let taken = |path: &Path| Failure::usage(format!("{} is there already", path.display()));
    if to.exists() {
        return Err(taken(to));
    }
    let results = workspace.results();
    let loaded = integrity::load_named(workspace.program, &results, study, old)?;
    let Some(experiment) = loaded else {
        return Err(Failure::usage(format!("no records of `{study}/{old}`")));
    };
    integrity::sound([&experiment])?;
    let spec = spec_of(workspace, study, old)?;
    let own = spec_of(workspace, study, new)?;
    let mut moves = Vec::new();
    if let Some(spec) = &spec {
        let end = spec.extension().unwrap_or_default();
        let target = spec.with_file_name(new).with_extension(end);
        if let Some(there) = own.or_else(|| target.exists().then(|| target.clone())) {
            return Err(taken(&there));
        }
        moves = extending(workspace, spec, &target)?;
        moves.push(Change::Move(spec.clone(), target));
    }
    let _alone = keep_from_runs(workspace, &experiment, &trials_of(&experiment))?;
    let hidden = to.with_file_name(format!(".rename-{new}"));
    folder::remove(&hidden).map_err(|error| storage(&hidden, &error))?;
    let made = renamed(&experiment, new, &hidden, old).and_then(|()| {
        let mut done = 0;
        let all = moves.iter().try_for_each(|change| {
            change.make()?;
            done += 1;
            Ok(())
        });
        let all = all.and_then(|()| {
            fs::rename(&hidden, to).map_err(|error| storage(to, &error))?;
            Ok(retrial_store::sync_folder(results.join(study))?)
        });
        if all.is_err() && !to.exists() {
            for change in moves[..done].iter().rev() {
                change.undo()?;
            }
        }
        all
    });
    if made.is_err() {
        let _ = folder::remove(&hidden);
    }
    lease::discard(&lease::of_runs(&results, study, old));
    made
}

/// Makes a folder with all that an experiment's folder has, under another name of the experiment.
fn renamed(experiment: &Experiment, new: &str, target: &Path, old: &str) -> Result<(), Failure> {
    link_all(&experiment.folder, target)?;
    let mut renamed = experiment.clone();
    let records = [
        &mut renamed.finished,
        &mut renamed.earlier,
        &mut renamed.attempts,
    ];
    for record in records.into_iter().flatten() {
        new.clone_into(&mut record.experiment);
        let text = text_of(record)?;
        let (body, _) = unsealed(&text).unwrap_or_default();
        let seal = text[body.len()..].trim_start_matches("seal: ").trim_end();
        seal.clone_into(&mut record.seal);
        let own = target.join(place(record));
        if own.exists() {
            retrial_store::atomic_write(&own, text.as_bytes())?;
        }
    }
    // What was not packed before stays so.
    let is_packed = |record: &Record| experiment.pack.record(record).is_some();
    renamed.finished.append(&mut renamed.earlier);
    renamed.finished.retain(is_packed);
    renamed.attempts.retain(is_packed);
    packing::put(target, &retrial_report::pack(&renamed)?.changes)?;
    let mut sheet = experiment.sheet.clone();
    new.clone_into(&mut sheet.experiment);
    let text = crate::experiment::text_of(&sheet)?;
    retrial_store::atomic_write(target.join(SHEET_FILE), sealed(&text).as_bytes())?;
    retrial_store::atomic_write(target.join(RENAMED), old.as_bytes())?;
    Ok(retrial_store::sync_folder(target)?)
}

/// Where the record of a trial or attempt lies in the folder of its experiment.
fn place(record: &Record) -> PathBuf {
    match record.is_finished() {
        true => Path::new(&record.trial).join(RECORD_FILE),
        false => Path::new(&format!("{}.attempts", record.trial))
            .join(record.attempt.to_string())
            .join(ATTEMPT_FILE),
    }
}

/// A folder with the same files: other names of the same bytes where the system has these, copies elsewhere.
fn link_all(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|error| storage(to, &error))?;
    let entries = fs::read_dir(from).map_err(|error| storage(from, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| storage(from, &error))?;
        let (own, target) = (entry.path(), to.join(entry.file_name()));
        if own.is_dir() {
            link_all(&own, &target)?;
            continue;
        }
        fs::hard_link(&own, &target)
            .or_else(|_| fs::copy(&own, &target).map(|_| ()))
            .map_err(|error| storage(&own, &error))?;
    }
    Ok(())
}

/// A change of specs.
enum Change {
    /// A file gets another name.
    Move(PathBuf, PathBuf),
    /// A file gets the second text in place of the first.
    Text(PathBuf, String, String),
}

impl Change {
    fn make(&self) -> Result<(), Failure> {
        match self {
            Self::Move(from, to) => fs::rename(from, to).map_err(|error| storage(from, &error)),
            Self::Text(path, _, new) => Ok(retrial_store::atomic_write(path, new.as_bytes())?),
        }
    }

    fn undo(&self) -> Result<(), Failure> {
        match self {
            Self::Move(from, to) => Self::Move(to.clone(), from.clone()).make(),
            Self::Text(path, old, _) => Ok(retrial_store::atomic_write(path, old.as_bytes())?),
        }
    }
}

/// The spec of an experiment, as far as texts of specs say.
fn spec_of(workspace: &Workspace, study: &str, name: &str) -> Result<Option<PathBuf>, Failure> {
    let mut files = spec_files(&workspace.experiments())?;
    files.retain(|file| file.file_stem().is_some_and(|stem| stem == name));
    let is_of = |file: &PathBuf| match spec::read(file, &[], &workspace.root) {
        Ok(written) => (written.root.get("study"))
            .is_some_and(|own| own.value == Value::Text(study.to_owned())),
        // A faulty one is of the study whose folder it lies in.
        Err(_) => file.parent().is_some_and(|folder| folder.ends_with(study)),
    };
    Ok(files.into_iter().find(is_of))
}

/// What changes in the specs that extend one which gets another name.
fn extending(workspace: &Workspace, from: &Path, to: &Path) -> Result<Vec<Change>, Failure> {
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let real = from.canonicalize().map_err(|error| storage(from, &error))?;
    let mut changes = Vec::new();
    for file in spec_files(&workspace.experiments())? {
        let Ok(text) = yaml::read_file(&file) else {
            continue;
        };
        let parsed = yaml::parse(&file.display().to_string(), &text).ok();
        let parent = parsed.as_ref().and_then(|node| node.get("extends"));
        let Some((parent, Value::Text(said))) = parent.map(|node| (node, &node.value)) else {
            continue;
        };
        let path = file.parent().unwrap_or(Path::new("")).join(said);
        if !path.canonicalize().is_ok_and(|path| path == real) {
            continue;
        }
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let line = lines.get_mut(parent.place.line.saturating_sub(1));
        let at = line.as_ref().and_then(|line| {
            let start = line.find("extends")?;
            Some(start + line[start..].find(&name(from))?)
        });
        let (Some(line), Some(at)) = (line, at) else {
            let (file, own) = (file.display(), name(from));
            let message = format!("{file} extends {own} in a way that is not changed here");
            return Err(Failure::usage(message));
        };
        line.replace_range(at..at + name(from).len(), &name(to));
        changes.push(Change::Text(file, text, lines.concat()));
    }
    Ok(changes)
}
