//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{StoreError, io};

/// Writes `bytes` to `path` so that a reader, even after a power cut, finds the old file or the
/// whole new one.
///
/// # Errors
/// [`StoreError::Io`] with the path; the old file is then untouched.
pub fn atomic_write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path.as_ref(), |temporary| {
        std::fs::write(temporary, bytes).map_err(io("write", temporary))
    })
}

/// As [`atomic_write`], for what need not be in memory at once.
///
/// # Errors
/// As [`atomic_write`], with whatever `fill` gives.
pub fn atomic_stream(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let path = path.as_ref();
    replace(path, |temporary| {
        let written = File::create(temporary).and_then(|file| {
            let mut file = BufWriter::new(file);
            fill(&mut file)?;
            file.flush()
        });
        written.map_err(io("write", path))
    })
}

/// Waits until the entries of `folder` (names, not contents) are on the disk.
///
/// # Errors
/// [`StoreError::Io`] with the folder.
pub fn sync_folder(folder: impl AsRef<Path>) -> Result<(), StoreError> {
    let folder = folder.as_ref();
    // Only Unix lets a folder be opened and synced; elsewhere the rename is all there is.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|handle| handle.sync_all())
            .map_err(io("sync", folder))?;
    }
    Ok(())
}

/// Lets `fill` write a temporary file in the folder of `path`, syncs it, renames it to `path` and
/// syncs the folder. On an error the temporary file is removed.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let prefix = temporary_prefix(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(TEMPORARY_SUFFIX);
    #[cfg(unix)]
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(everyone); // The umask applies; the default of `tempfile` is 0o600.
    let (temporary, _alive) = loop {
        let temporary = builder
            .tempfile_in(folder)
            .map_err(io("create a file in", folder))?;
        let (file, temporary) = temporary.into_parts();
        // The lock says that its writer lives. One who tidies may have been faster.
        let locked = file.lock().is_ok();
        if !locked || temporary.exists() {
            break (temporary, file);
        }
    };
    fill(&temporary)?;
    File::options()
        .write(true)
        .open(&temporary)
        .and_then(|file| file.sync_all())
        .map_err(io("sync", path))?;
    temporary
        .persist(path)
        .map_err(|error| io("replace", path)(error.error))?;
    sync_folder(folder)
}

/// Removes the temporary files in `folder`, not below it, whose writers are dead.
///
/// What cannot be removed is left; so is everything where files cannot be locked.
pub fn remove_leftovers(folder: impl AsRef<Path>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') || !name.ends_with(TEMPORARY_SUFFIX) || !path.is_file() {
            continue;
        }
        // Held until the file is gone: its writer, should it just begin, then sees that it is.
        if let Ok(file) = File::options().write(true).open(&path)
            && file.try_lock().is_ok()
        {
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// What the names of the temporary files for `path` start with.
pub(crate) fn temporary_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

/// What the names of all temporary files end with.
pub(crate) const TEMPORARY_SUFFIX: &str = ".tmp";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a table.csv");
        atomic_write(&path, b"old").unwrap();
        let error = replace(&path, |temporary| {
            std::fs::write(temporary, b"half").unwrap();
            Err(StoreError::Missing { name: "x".into() })
        });
        assert!(error.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a table.csv"]);
        atomic_write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a table.csv"]);
    }

    #[test]
    fn a_stream_that_breaks_off_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        atomic_stream(&path, |file| writeln!(file, "whole")).unwrap();
        let error = atomic_stream(&path, |file| {
            write!(file, "half")?;
            Err(std::io::Error::other("no more"))
        });
        assert!(error.unwrap_err().to_string().contains("no more"));
        assert_eq!(std::fs::read(&path).unwrap(), b"whole\n");
        assert_eq!(names(folder.path()), ["list"]);
    }

    #[test]
    fn leftovers_of_the_dead_go_and_those_of_the_living_stay() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        std::fs::write(folder.join(".result.h5.abc.tmp"), b"half").unwrap();
        std::fs::write(folder.join("data.tmp"), b"not ours").unwrap();
        let path = folder.join("result.h5");
        replace(&path, |temporary| {
            remove_leftovers(folder);
            assert!(temporary.exists());
            std::fs::write(temporary, b"whole").map_err(io("write", temporary))
        })
        .unwrap();
        assert_eq!(names(folder), ["data.tmp", "result.h5"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, b"").unwrap();
        let atomic = folder.path().join("atomic");
        atomic_write(&atomic, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&atomic), mode(&plain));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = atomic_write("/no such folder/file", b"").unwrap_err();
        assert!(error.to_string().contains("/no such folder"), "{error}");
    }
}
