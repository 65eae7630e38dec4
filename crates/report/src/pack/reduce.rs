//! A pack with less in it: without some trials, or without what is damaged. What stays keeps its bytes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use retrial_core::file;

use super::read::lines;
use super::{
    ATTEMPTS_FILE, ID, PACK_FOLDERS, PICTURES, PREDICTIONS, Pack, Packed, TABLES, TRIALS_FILE,
    rows, short,
};
use crate::loaded::MAX_BYTES;

/// A file of an experiment's folder with its new bytes, or nothing where it goes.
pub type Change = (PathBuf, Option<Vec<u8>>);

impl Pack {
    /// What changes where these trials are taken out. The table of trials is the first.
    ///
    /// # Errors
    /// What the system says.
    pub fn without(&self, trials: &[&str]) -> io::Result<Vec<Change>> {
        let goes = |row: &Packed| trials.contains(&row.trial.as_str());
        // The id in a damaged row may be that of another trial.
        let own = |trial: &str| [trial.to_owned(), short(trial)];
        let left = self.trials.iter().filter(|row| !goes(row));
        let left: HashSet<String> = left.flat_map(|row| own(&row.trial)).collect();
        let mut gone: HashSet<String> = trials.iter().flat_map(|trial| own(trial)).collect();
        gone.retain(|id| !left.contains(id));
        self.changes(&goes, &|id| gone.contains(id), false)
    }

    /// What changes where damaged rows are taken out, the rows of these trials, whose files are damaged, and all that
    /// no row names. The table of trials is the first.
    ///
    /// # Errors
    /// What the system says.
    pub fn without_damage(&self, trials: &[&str]) -> io::Result<Vec<Change>> {
        let is_bad = |row: &Packed| {
            let is_of = row
                .record
                .as_ref()
                .is_ok_and(retrial_core::record::Record::is_finished);
            row.record.is_err() || is_of && trials.contains(&row.trial.as_str())
        };
        let left = self.ids(&|row| !is_bad(row));
        self.changes(&is_bad, &|id| !left.contains(id), true)
    }

    /// What tables and other files say of trials that have neither a row nor, as `trials`, a folder.
    pub(super) fn strays(&self, trials: &[&str]) -> io::Result<Vec<(String, String)>> {
        let mut known = self.ids(&|_| true);
        known.extend(trials.iter().map(|trial| (*trial).to_owned()));
        known.extend(trials.iter().map(|trial| short(trial)));
        let mut strays = Vec::new();
        for name in self.names(TABLES)? {
            let path = Path::new(TABLES).join(&name);
            let reason = match name.strip_suffix(".csv").map(|table| self.table(table)) {
                None => Some("it is no table".to_owned()),
                Some(Err(error)) if file::is_damage(&error) => Some(error.to_string()),
                Some(Err(error)) => return Err(error),
                Some(Ok(table)) => {
                    let foreign = table.lines.keys().filter(|id| !known.contains(*id)).min();
                    foreign.map(|id| {
                        let id = id.trim_end();
                        format!("it has a row of `{id}`, of which {TRIALS_FILE} has none")
                    })
                }
            };
            strays.extend(reason.map(|reason| (path.display().to_string(), reason)));
        }
        for folder in [PICTURES, PREDICTIONS] {
            for name in self.names(folder)? {
                if !owners(&name).any(|id| known.contains(id)) {
                    let path = Path::new(folder).join(&name).display().to_string();
                    let reason = format!("it is of no trial in {TRIALS_FILE}");
                    strays.push((path, reason));
                }
            }
        }
        Ok(strays)
    }

    /// Everything in the folders of the pack, hidden names aside.
    pub(super) fn inner(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for folder in PACK_FOLDERS {
            let names = self.names(folder)?.into_iter();
            paths.extend(names.map(|name| Path::new(folder).join(name)));
        }
        Ok(paths)
    }

    /// Short ids of the finished trials whose rows are such.
    fn ids(&self, is_such: &dyn Fn(&Packed) -> bool) -> HashSet<String> {
        let rows = self.trials.iter().filter(|row| is_such(row));
        rows.map(|row| row.id.clone()).collect()
    }

    /// What changes where rows go, and what tables and other files have under ids that go; tables that are none go with
    /// all damage.
    fn changes(
        &self,
        goes: &dyn Fn(&Packed) -> bool,
        id_goes: &dyn Fn(&str) -> bool,
        all_damage: bool,
    ) -> io::Result<Vec<Change>> {
        let mut changed = Vec::new();
        for (file, rows) in [(TRIALS_FILE, &self.trials), (ATTEMPTS_FILE, &self.attempts)] {
            let out: Vec<&Packed> = rows.iter().filter(|row| goes(row)).collect();
            if out.is_empty() {
                continue;
            }
            let left = match out.len() == rows.len() {
                true => None,
                false => {
                    let bytes = file::read(&self.folder.join(file), MAX_BYTES)?;
                    let is_left = |(number, _): &(usize, &[u8])| {
                        !out.iter().any(|row| row.lines.contains(number))
                    };
                    let left = lines(&bytes).enumerate().filter(is_left);
                    Some(left.flat_map(|(_, line)| line).copied().collect())
                }
            };
            changed.push((file.into(), left));
        }
        for path in self.inner()? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !path.starts_with(TABLES) {
                let goes = match all_damage {
                    true => owners(&name).all(id_goes),
                    false => owners(&name).any(id_goes),
                };
                if goes {
                    changed.push((path, None));
                }
                continue;
            }
            let text = match file::text(&self.folder.join(&path), MAX_BYTES) {
                Err(error) if file::is_damage(&error) => {
                    if all_damage {
                        changed.push((path, None));
                    }
                    continue;
                }
                text => text?,
            };
            let mut rows = rows(&text);
            let header = rows.next().unwrap_or_default();
            let id = |row: &str| row.split([',', '\n']).next().unwrap_or_default().to_owned();
            let rows: Vec<&str> = rows.collect();
            let left: Vec<&str> = rows
                .iter()
                .copied()
                .filter(|row| !id_goes(&id(row)))
                .collect();
            if all_damage && id(header) != ID || left.is_empty() && !rows.is_empty() {
                changed.push((path, None));
            } else if left.len() < rows.len() {
                let text = format!("{header}{}", left.concat());
                changed.push((path, Some(text.into_bytes())));
            }
        }
        Ok(changed)
    }

    /// Names in a folder of the pack in order, hidden ones not; none where it is missing.
    fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.folder.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        Ok(names)
    }
}

/// The short ids that a picture or prediction of this name may be of: an id may have dots.
fn owners(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(end, _)| &name[..end])
}
