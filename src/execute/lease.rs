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
    let wrong = |source| StoreError::Io {
        action: "lock",
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(wrong)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(wrong(source)),
    }
    let holder = format!("process {}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(wrong)?;
    Ok(Some(Lease { _file: file }))
}

/// Removes the file of a lease whose result is in place. What cannot be removed does no harm.
pub(crate) fn discard(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Whether some process holds the lease right now.
pub(crate) fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
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
