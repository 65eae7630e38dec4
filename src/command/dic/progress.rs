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

    /// What an earlier call left, if its files are there and its pictures are what they were.
    pub(super) fn read(folder: &Path, frames: &[Frame]) -> Option<Self> {
        let text = std::fs::read(folder.join(FILE)).ok()?;
        let kept: Self = serde_json::from_slice(&text).ok()?;
        let next = kept.progress.next;
        let is_same = next <= frames.len()
            && frames
                .iter()
                .take(next)
                .map(stamp)
                .eq(kept.pictures.iter().copied())
            && kept.progress.taken.iter().all(|index| *index < next);
        let is_there = |name: &String| folder.join(name).is_file();
        (is_same && kept.written.iter().all(is_there)).then_some(kept)
    }
}

fn stamp(frame: &Frame) -> Option<(u64, SystemTime)> {
    let found = std::fs::metadata(&frame.path).ok()?;
    Some((found.len(), found.modified().ok()?))
}
