//! The program of the workers: the one that runs now, whatever becomes of its file.
//!
//! A build replaces the file while a run goes on. All trials of a run are to have one code, so
//! workers are started from what was opened when the run began.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Linux shows the running program, also when its file was replaced or removed.
const RUNNING: &str = "/proc/self/exe";

/// A program that stays as it is while this lives.
#[derive(Debug)]
pub(crate) struct Executable {
    path: PathBuf,
    /// A folder of our own to remove at the end.
    folder: Option<PathBuf>,
}

impl Executable {
    /// The program that runs now.
    pub(crate) fn running() -> std::io::Result<Self> {
        let running = Path::new(RUNNING);
        if running.exists() {
            return Ok(Self {
                path: running.to_owned(),
                folder: None,
            });
        }
        Self::kept(&std::env::current_exe()?, &std::env::temp_dir())
    }

    /// A second name for the file `original`, or a copy where another name cannot be had.
    fn kept(original: &Path, folder: &Path) -> std::io::Result<Self> {
        let folder = folder.join(format!("retrial-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let path = folder.join("retrial");
        let kept = Self {
            path,
            folder: Some(folder),
        };
        let _ = std::fs::remove_file(&kept.path);
        if std::fs::hard_link(original, &kept.path).is_err() {
            std::fs::copy(original, &kept.path)?;
        }
        Ok(kept)
    }

    /// A command that starts it.
    pub(crate) fn command(&self) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(&self.path);
        command.arg0("retrial");
        command
    }
}

/// The bytes of the program that runs now.
pub(crate) fn bytes() -> std::io::Result<Vec<u8>> {
    std::fs::read(RUNNING).or_else(|_| std::fs::read(std::env::current_exe()?))
}

impl Drop for Executable {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_kept_program_outlives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("program");
        std::fs::copy("/bin/sh", &original).unwrap();
        let kept = Executable::kept(&original, folder.path()).unwrap();
        std::fs::remove_file(&original).unwrap();
        std::fs::write(&original, "another build").unwrap();
        let status = kept.command().args(["-c", "exit 7"]).status().unwrap();
        assert_eq!(status.code(), Some(7));
        let place = kept.path.clone();
        drop(kept);
        assert!(!place.exists());
    }
}
