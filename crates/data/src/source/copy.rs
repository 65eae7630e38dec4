//! How bytes become a file of the cache: hashed on the way, checked, then made final.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::FetchError;
use crate::hashing::Sha256Sum;
use crate::manifest::FileEntry;

/// Called with the bytes of a file that are there so far.
pub(crate) type OnBytes<'a> = &'a mut dyn FnMut(u64);

/// Copies `reader` to `writer` until its end and gives size and sha256; stops one byte after
/// `expected`, since no more can be right.
pub(crate) fn copy_hashed(
    reader: &mut dyn Read,
    writer: &mut File,
    path: &Path,
    mut sum: Sha256Sum,
    (start, expected): (u64, u64),
    on_bytes: OnBytes<'_>,
) -> Result<Copied, FetchError> {
    let mut buffer = vec![0; 1 << 17];
    let mut bytes = start;
    loop {
        if bytes > expected {
            return Ok(Copied {
                bytes,
                sum,
                broken: None,
            });
        }
        let wanted = (expected + 1 - bytes).min(buffer.len() as u64) as usize;
        let count = match reader.read(&mut buffer[..wanted]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Ok(Copied {
                    bytes,
                    sum,
                    broken: Some(error),
                });
            }
        };
        if count == 0 {
            return Ok(Copied {
                bytes,
                sum,
                broken: None,
            });
        }
        sum.update(&buffer[..count]);
        writer
            .write_all(&buffer[..count])
            .map_err(FetchError::write(path, expected))?;
        bytes += count as u64;
        on_bytes(bytes);
    }
}

/// What [`copy_hashed`] copied.
pub(crate) struct Copied {
    pub(crate) bytes: u64,
    pub(crate) sum: Sha256Sum,
    /// The error that ended the reading early.
    pub(crate) broken: Option<io::Error>,
}

impl Copied {
    /// Whether the file is the one the manifest names.
    pub(crate) fn check(self, file: &FileEntry) -> Result<(), FetchError> {
        if let Some(error) = self.broken {
            return Err(FetchError::Truncated {
                expected: file.bytes,
                got: self.bytes,
                reason: error.to_string(),
            });
        }
        check_file(file, self.bytes, self.sum.hex())
    }
}

/// Whether size and sha256 are those of the manifest.
pub(crate) fn check_file(file: &FileEntry, bytes: u64, sha256: String) -> Result<(), FetchError> {
    if bytes != file.bytes {
        return Err(FetchError::Size {
            expected: file.bytes,
            got: bytes,
        });
    }
    if sha256 != file.sha256 {
        return Err(FetchError::Hash {
            expected: file.sha256.clone(),
            got: sha256,
        });
    }
    Ok(())
}

/// Makes a finished part file final: on the disk first, then under its name.
pub(crate) fn publish(part: &Path, target: &Path, bytes: u64) -> Result<(), FetchError> {
    let file = File::options()
        .write(true)
        .open(part)
        .map_err(FetchError::write(part, bytes))?;
    file.sync_all().map_err(FetchError::write(part, bytes))?;
    fs::rename(part, target).map_err(FetchError::write(target, bytes))?;
    // The new name survives a power cut only when the folder is on the disk too.
    if let Some(folder) = target.parent().and_then(|folder| File::open(folder).ok()) {
        folder
            .sync_all()
            .map_err(FetchError::write(target, bytes))?;
    }
    Ok(())
}
