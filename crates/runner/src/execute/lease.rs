//! Leases: at most one process works on a trial or a stage.
//!
//! A lease is an exclusive lock on a file below `results/.leases/`. The system frees it when its
//! holder ends, however that ends, so there is no stale lease to judge. The file is removed only
//! once the result is in place: two processes may then hold two files of the same name, but both
//! look for the result first and find it. Its text says who holds it, for people only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use retrial_store::StoreError;

use crate::failure::Failure;

/// A held lease; dropping it frees it.
#[derive(Debug)]
pub(crate) struct Lease {
    _file: File,
}

/// The lease file of a trial or stage.
pub(crate) fn path(results: &Path, name: &str) -> PathBuf {
    results.join(".leases").join(format!("{name}.lease"))
}

/// Takes the lease, or says `None` when another process holds it.
pub(crate) fn try_take(path: &Path) -> Result<Option<Lease>, StoreError> {
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
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(wrong("lock")(source)),
    }
    let holder = format!("process {}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(wrong("write"))?;
    Ok(Some(Lease { _file: file }))
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

/// An error where the folder of the results cannot lock files: said once, before any trial.
pub(crate) fn probe(results: &Path) -> Result<(), Failure> {
    let path = path(results, &format!("probe-{}", std::process::id()));
    let taken = try_take(&path);
    discard(&path);
    match taken {
        Ok(_) => Ok(()),
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
}
