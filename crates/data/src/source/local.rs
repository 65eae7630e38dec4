//! Files of this machine: the mirror folder and copies beside the manifest.

use std::fs::File;
use std::io;
use std::path::Path;

use super::{OnBytes, copy_hashed};
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
    // A pipe or a device would never end.
    if from.metadata().is_ok_and(|meta| !meta.is_file()) {
        let error = io::Error::other("it is no regular file");
        return Err(FetchError::read(from)(error));
    }
    let mut reader = File::open(from).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FetchError::Missing {
            path: from.to_owned(),
        },
        _ => FetchError::read(from)(error),
    })?;
    let mut writer = File::create(part).map_err(FetchError::write(part, file.bytes))?;
    let sum = Sha256Sum::default();
    copy_hashed(
        &mut reader,
        &mut writer,
        part,
        sum,
        (0, file.bytes),
        on_bytes,
    )?
    .check(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/dev/full` is a file on a disk without room.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let from = folder.path().join("data");
        std::fs::write(&from, b"0123456789").expect("written");
        let file = FileEntry {
            path: "data".to_owned(),
            origin: "data".to_owned(),
            bytes: 10,
            sha256: String::new(),
            role: String::new(),
        };
        let error = copy(&from, &file, Path::new("/dev/full"), &mut |_| ()).expect_err("full");
        assert!(
            matches!(&error, FetchError::DiskFull { needed: 10, .. }),
            "{error}"
        );
    }
}
