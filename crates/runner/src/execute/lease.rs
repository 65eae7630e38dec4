//! Leases: at most one process works on a trial or a stage, at most one changes the records of an experiment that are in
//! place, and none removes or renames an experiment that others run.
//!
//! A lease is an exclusive lock on a file below `results/.leases/`. The system frees it when its
//! holder ends, however that ends, so there is no stale lease to judge. The file is removed only
//! once the result is in place: two processes may then hold two files of the same name, but both
//! look for the result first and find it. Its text says who holds it, for people only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use retrial_store::StoreError;

use crate::failure::Failure;

/// A held lease; dropping it frees it.
#[derive(Debug)]
pub(crate) struct Lease {
    file: File,
}

/// The lease file of a trial or stage.
pub(crate) fn path(results: &Path, name: &str) -> PathBuf {
    results.join(".leases").join(format!("{name}.lease"))
}

/// The lease file of an experiment, which its runs share.
pub(crate) fn of_runs(results: &Path, study: &str, experiment: &str) -> PathBuf {
    path(results, &format!("run.{study}.{experiment}"))
}

/// Takes the lease, or says `None` when another process holds it.
pub(crate) fn try_take(path: &Path) -> Result<Option<Lease>, StoreError> {
    take(path, File::try_lock)
}

fn take(
    path: &Path,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Option<Lease>, StoreError> {
    let wrong = |action| {
        move |source| StoreError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong("create a folder for"))?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(wrong("open"))?;
    match lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(wrong("lock")(source)),
    }
    let holder = format!("process {}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(wrong("write"))?;
    Ok(Some(Lease { file }))
}

/// Takes part in the runs of an experiment.
///
/// # Errors
/// The folder of the results cannot lock files, or another process removes or renames the experiment.
pub(crate) fn share(results: &Path, study: &str, experiment: &str) -> Result<Lease, Failure> {
    let path = of_runs(results, study, experiment);
    match take(&path, File::try_lock_shared) {
        Ok(Some(lease)) => Ok(lease),
        Ok(None) => Err(Failure::usage(format!(
            "{} removes or renames {study}/{experiment}; run it once that is done",
            holder(&path)
        ))),
        Err(error) if matches!(error, StoreError::Io { action: "lock", .. }) => {
            Err(Failure::storage(format!(
                "the file system of {} cannot lock files, so that two runs could work on one trial: \
                 {error}\nhelp: put the results on a local disk, or mount the file system with locks",
                results.display()
            )))
        }
        Err(error) => Err(error.into()),
    }
}

/// Keeps an experiment from being run.
///
/// # Errors
/// A process runs it.
pub(crate) fn keep_from_runs(
    results: &Path,
    study: &str,
    experiment: &str,
) -> Result<Lease, Failure> {
    let path = of_runs(results, study, experiment);
    try_take(&path)?.ok_or_else(|| {
        Failure::usage(format!(
            "{} runs {study}/{experiment}, so nothing is changed\nhelp: wait until it ends, or stop it \
             with Ctrl-C; its trials then go on from their last checkpoints",
            holder(&path)
        ))
    })
}

/// The lease of whoever changes the records of an experiment that are in place: packs, unpacks, removes or renames
/// them. Dropping it removes its file and frees it.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    _lease: Lease,
}

impl Drop for Writer {
    fn drop(&mut self) {
        discard(&self.path);
    }
}

/// Waits until no other process changes the records of an experiment.
pub(crate) fn to_write(
    results: &Path,
    study: &str,
    experiment: &str,
) -> Result<Writer, StoreError> {
    let path = path(results, &format!("write.{study}.{experiment}"));
    let mut said = false;
    loop {
        let lease = match try_take(&path)? {
            Some(lease) => lease,
            None if said => match take(&path, |file| file.lock().map_err(TryLockError::Error))? {
                Some(lease) => lease,
                None => continue,
            },
            None => {
                let who = holder(&path);
                eprintln!("waiting for {who}, which changes the records of {study}/{experiment}");
                said = true;
                continue;
            }
        };
        // The one before may have removed the file that was waited for.
        let is_same = |there: std::fs::Metadata| {
            let own = lease.file.metadata();
            own.is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
        };
        if std::fs::metadata(&path).is_ok_and(is_same) {
            return Ok(Writer {
                path,
                _lease: lease,
            });
        }
    }
}

/// Who holds a lease, as its text says.
pub(crate) fn holder(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    match text.trim() {
        "" => "another process".to_owned(),
        text => text.to_owned(),
    }
}

/// Removes the file of a lease whose result is in place. What cannot be removed does no harm.
pub(crate) fn discard(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Whether some process holds the lease right now.
///
/// On network file systems only a file that is open for writing can be locked; where it cannot be
/// opened so, as in the results of another user, one open for reading has to do.
pub(crate) fn is_held(path: &Path) -> bool {
    let file = OpenOptions::new().read(true).write(true).open(path);
    file.or_else(|_| File::open(path))
        .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Removes the lease of a result that is in place, unless someone holds it.
pub(crate) fn tidy(path: &Path) {
    let file = OpenOptions::new().read(true).write(true).open(path);
    if file.is_ok_and(|file| file.try_lock().is_ok()) {
        discard(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_has_one_holder_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = path(folder.path(), "trial");
        assert!(!is_held(&path));
        let first = try_take(&path).expect("writable");
        assert!(first.is_some() && is_held(&path));
        assert!(try_take(&path).expect("writable").is_none());
        drop(first);
        assert!(!is_held(&path));
        assert!(try_take(&path).expect("writable").is_some());
    }

    #[test]
    fn who_changes_records_waits_for_who_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = folder.path();
        let count = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let _alone = to_write(results, "fake", "a").expect("a lease");
                    let before = count.load(std::sync::atomic::Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    count.store(before + 1, std::sync::atomic::Ordering::SeqCst);
                });
            }
        });
        assert_eq!(count.into_inner(), 4);
        let left = std::fs::read_dir(results.join(".leases")).expect("a folder");
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn runs_share_an_experiment_that_is_then_kept_from_nobody_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = folder.path();
        let shared = || share(results, "fake", "a");
        let (first, second) = (shared().expect("shared"), shared().expect("shared"));
        let own = format!("process {}", std::process::id());
        let refused = |result: Result<Lease, Failure>| match result {
            Err(Failure::Usage(message)) => message,
            other => format!("{other:?}"),
        };
        for lease in [first, second] {
            let message = refused(keep_from_runs(results, "fake", "a"));
            assert!(
                message.starts_with(&format!("{own} runs fake/a")),
                "{message}"
            );
            drop(lease);
        }
        let alone = keep_from_runs(results, "fake", "a").expect("alone");
        let message = refused(shared());
        assert!(
            message.starts_with(&format!("{own} removes or renames")),
            "{message}"
        );
        drop(alone);
        assert!(shared().is_ok());
    }
}
