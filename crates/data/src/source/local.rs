//! Files of this machine: the mirror folder and copies beside the manifest.

use std::fs::File;
use std::path::Path;

use super::copy::{OnBytes, copy_hashed};
use crate::error::FetchError;
use crate::hashing::Sha256Sum;
use crate::manifest::FileEntry;

/// Copies `from` to `part` and checks it on the way.
pub(crate) fn copy(
    from: &Path,
    file: &FileEntry,
    part: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<(), FetchError> {
    if !from.metadata().map_err(FetchError::open(from))?.is_file() {
        return Err(FetchError::no_file(from));
    }
    let mut reader = File::open(from).map_err(FetchError::open(from))?;
    let mut writer = File::create(part).map_err(FetchError::write(part, file.bytes))?;
    let sum = Sha256Sum::default();
    let mut copied = copy_hashed(
        &mut reader,
        &mut writer,
        part,
        sum,
        (0, file.bytes),
        on_bytes,
    )?;
    match copied.broken.take() {
        Some(error) => Err(FetchError::read(from)(error)),
        None => copied.check(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten_bytes() -> FileEntry {
        FileEntry {
            path: "data".to_owned(),
            origin: "data".to_owned(),
            bytes: 10,
            sha256: String::new(),
            role: String::new(),
        }
    }

    /// The first page of a process is nobody's, so that the system refuses to read it.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_cannot_be_read_is_no_absence() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let part = folder.path().join("part");
        let from = Path::new("/proc/self/mem");
        let error = copy(from, &ten_bytes(), &part, &mut |_| ()).expect_err("not read");
        assert!(matches!(&error, FetchError::Io { .. }), "{error}");
        assert!(!error.is_absence());
        let error = copy(&part.join("x"), &ten_bytes(), &part, &mut |_| ()).expect_err("not there");
        assert!(error.is_absence(), "{error}");
    }

    /// `/dev/full` is a file on a disk without room.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let from = folder.path().join("data");
        std::fs::write(&from, b"0123456789").expect("written");
        let file = ten_bytes();
        let error = copy(&from, &file, Path::new("/dev/full"), &mut |_| ()).expect_err("full");
        assert!(
            matches!(&error, FetchError::DiskFull { needed: 10, .. }),
            "{error}"
        );
    }
}
