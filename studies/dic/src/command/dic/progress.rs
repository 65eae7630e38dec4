//! How far a series came, so that the same call goes on where an earlier one was stopped.

use std::path::Path;
use std::time::SystemTime;

use retrial_dic::Bookmark;
use retrial_runner::Failure;
use retrial_store::atomic_write;
use serde::{Deserialize, Serialize};

use super::frames::{Frame, Notes};
use super::summary::Summary;

/// The file of a folder that is not finished.
pub(super) const FILE: &str = "resume.json";

/// How far the pictures came.
#[derive(Serialize, Deserialize)]
pub(super) struct Progress {
    /// The next picture, from 0.
    pub(super) next: usize,
    /// The pictures before that could be measured.
    pub(super) taken: Vec<usize>,
    pub(super) rows: Summary,
    pub(super) notes: Notes,
    pub(super) series: Bookmark,
}

/// The same with what was written.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedProgress {
    pub(super) progress: Progress,
    pub(super) written: Vec<String>,
    pub(super) vtk: Vec<(f64, String)>,
    pub(super) lines: Vec<String>,
    /// Of the files written.
    stamps: Vec<Stamp>,
    /// Of the pictures before the next.
    pictures: Vec<Stamp>,
}

/// Size and time of a file; `None` where it cannot be asked.
pub(super) type Stamp = Option<(u64, SystemTime)>;

impl SavedProgress {
    pub(super) fn new(
        progress: Progress,
        frames: &[Frame],
        written: Vec<String>,
        stamps: Vec<Stamp>,
        vtk: Vec<(f64, String)>,
        lines: Vec<String>,
    ) -> Self {
        let pictures = frames.iter().take(progress.next);
        let pictures = pictures.map(|frame| stamp(&frame.path)).collect();
        Self {
            progress,
            written,
            stamps,
            vtk,
            lines,
            pictures,
        }
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Failure::storage(format!("no JSON: {error}")))?;
        atomic_write(folder.join(FILE), &text)?;
        Ok(())
    }

    /// What an earlier call left; an error with the reason where its files are not what they were.
    pub(super) fn read(folder: &Path, frames: &[Frame]) -> Result<Self, String> {
        let text = std::fs::read(folder.join(FILE))
            .map_err(|_| format!("it was interrupted before {FILE} was written"))?;
        let saved: Self =
            serde_json::from_slice(&text).map_err(|error| format!("{FILE} is damaged: {error}"))?;
        let next = saved.progress.next;
        let mut taken = saved.progress.taken.iter();
        if next > frames.len() || saved.pictures.len() != next || taken.any(|index| *index >= next)
        {
            return Err(format!("{FILE} is of another series"));
        }
        let mut written = saved.written.iter().zip(&saved.stamps);
        let is_other = |name: &str, before: &Stamp| {
            let now = stamp(&folder.join(name));
            now.is_none() || now != *before
        };
        match written.find(|(name, before)| is_other(name, before)) {
            Some((name, _)) => Err(format!("{name} is gone or was changed")),
            None => Ok(saved),
        }
    }

    /// The first picture measured that is not what it was.
    pub(super) fn changed_picture<'f>(&self, frames: &'f [Frame]) -> Option<&'f str> {
        let mut pairs = frames.iter().zip(&self.pictures);
        let found = pairs.find(|(frame, before)| stamp(&frame.path) != **before)?;
        Some(&found.0.name)
    }
}

/// Size and time of a file.
pub(super) fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.len(), found.modified().ok()?))
}
