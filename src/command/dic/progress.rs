//! How far a series came, so that the same call goes on where an earlier one was stopped.

use std::path::Path;
use std::time::SystemTime;

use retrial_dic::Bookmark;
use retrial_store::atomic_write;
use serde::{Deserialize, Serialize};

use super::frames::{Frame, Notes};
use super::summary::Summary;
use crate::failure::Failure;

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
pub(super) struct Kept {
    pub(super) progress: Progress,
    pub(super) written: Vec<String>,
    pub(super) vtk: Vec<(f64, String)>,
    pub(super) lines: Vec<String>,
    /// Sizes and times of the pictures before the next.
    pictures: Vec<Option<(u64, SystemTime)>>,
}

impl Kept {
    pub(super) fn new(
        progress: Progress,
        frames: &[Frame],
        written: Vec<String>,
        vtk: Vec<(f64, String)>,
        lines: Vec<String>,
    ) -> Self {
        let pictures = frames.iter().take(progress.next).map(stamp).collect();
        Self {
            progress,
            written,
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

    /// What an earlier call left; an error with the reason where its files are not there, or its pictures are not
    /// what they were.
    pub(super) fn read(folder: &Path, frames: &[Frame]) -> Result<Self, String> {
        let text = std::fs::read(folder.join(FILE))
            .map_err(|_| format!("it was interrupted before {FILE} was written"))?;
        let kept: Self =
            serde_json::from_slice(&text).map_err(|error| format!("{FILE} is damaged: {error}"))?;
        let next = kept.progress.next;
        let mut taken = kept.progress.taken.iter();
        if next > frames.len() || kept.pictures.len() != next || taken.any(|index| *index >= next) {
            return Err(format!("{FILE} is of another series"));
        }
        let mut pairs = frames.iter().zip(&kept.pictures);
        if let Some((frame, _)) = pairs.find(|(frame, before)| stamp(frame) != **before) {
            return Err(format!("{} was changed since", frame.name));
        }
        let mut written = kept.written.iter();
        match written.find(|name| !folder.join(name).is_file()) {
            Some(name) => Err(format!("{name} is gone")),
            None => Ok(kept),
        }
    }
}

fn stamp(frame: &Frame) -> Option<(u64, SystemTime)> {
    let found = std::fs::metadata(&frame.path).ok()?;
    Some((found.len(), found.modified().ok()?))
}
