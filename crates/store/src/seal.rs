//! The seal of an HDF5 file: a line after its end with the hash of all bytes before it.
//!
//! The HDF5 library trusts lengths that it finds in a file; one flipped bit can keep it busy for
//! ever. So no byte reaches it before the seal was compared. HDF5 knows where its data end and does
//! not look beyond, so every other program reads a sealed file as if the line were not there.
//!
//! Files of the first format have no seal. Of what HDF5 writes for us only the global heap, which
//! holds texts, has no checksum of its own; its lengths are looked at before the library does.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::{StoreError, io};

const OPENING: &[u8] = b"\nretrial seal blake3:";
const HASH_DIGITS: usize = 64;
/// Bytes of a seal: the opening, the hash, the end of the line.
const SEAL_BYTES: usize = OPENING.len() + HASH_DIGITS + 1;

/// What the bytes of a file say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// The seal is there and right.
    Yes,
    /// No seal, as in files of the first format; the lengths in it lead nowhere bad.
    No,
}

/// Adds the seal to a file that has none.
pub(crate) fn append_seal(path: &Path) -> Result<(), StoreError> {
    let sealed = || {
        let mut file = File::options().read(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        let hash = hash(&mut file, length)?;
        file.write_all(OPENING)?;
        writeln!(file, "{hash}")
    };
    sealed().map_err(io("seal", path))
}

/// Compares the seal of a file with its bytes, before anything else reads it.
pub(crate) fn check(path: &Path) -> Result<Sealed, StoreError> {
    let mut file = File::open(path).map_err(io("read", path))?;
    let length = file.metadata().map_err(io("read", path))?.len();
    let stated = stated(&mut file, length).map_err(io("read", path))?;
    let Some(stated) = stated else {
        let mut bytes = Vec::new();
        file.rewind()
            .and_then(|()| file.read_to_end(&mut bytes))
            .map_err(io("read", path))?;
        return match heap_fault(&bytes) {
            Some(at) => Err(StoreError::Broken {
                path: path.to_owned(),
                at,
            }),
            None => Ok(Sealed::No),
        };
    };
    file.rewind().map_err(io("read", path))?;
    let found = hash(&mut file, length - SEAL_BYTES as u64).map_err(io("read", path))?;
    if found != stated {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            stated: format!("blake3:{stated}"),
            found: format!("blake3:{found}"),
        });
    }
    Ok(Sealed::Yes)
}

/// The hash that the seal at the end of a file states, if there is a seal.
fn stated(file: &mut File, length: u64) -> std::io::Result<Option<String>> {
    let Some(start) = length.checked_sub(SEAL_BYTES as u64) else {
        return Ok(None);
    };
    let mut line = [0; SEAL_BYTES];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut line)?;
    let digits = line
        .strip_prefix(OPENING)
        .and_then(|rest| rest.strip_suffix(b"\n"));
    Ok(digits.map(|digits| String::from_utf8_lossy(digits).into_owned()))
}

/// The hash of the first `length` bytes from here on, in hex digits.
fn hash(file: &mut File, length: u64) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut file.take(length), &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Where the lengths in a global heap of a file lead nowhere, if they do.
///
/// A heap collection is `GCOL`, its version, and its size; then objects of 16 bytes of head, whose
/// last 8 are the size of what follows, filled up to a multiple of 8. Object 0 is the free space
/// that ends the collection; its size counts its own head.
///
/// # Source
/// The HDF Group, HDF5 File Format Specification, version 3.0, section III.E.
fn heap_fault(bytes: &[u8]) -> Option<usize> {
    const HEAD: usize = 16;
    let number = |at: usize, length: usize| {
        let digits = bytes.get(at..at + length)?;
        let value = digits
            .iter()
            .rev()
            .fold(0_u64, |sum, &b| sum << 8 | u64::from(b));
        usize::try_from(value).ok()
    };
    // Every object of HDF5 begins at a multiple of 8.
    for start in (0..bytes.len()).step_by(8) {
        if !bytes[start..].starts_with(b"GCOL\x01\0\0\0") {
            continue;
        }
        let end = number(start + 8, 8).and_then(|size| start.checked_add(size));
        let Some(end) = end.filter(|&end| end >= start + HEAD && end <= bytes.len()) else {
            return Some(start);
        };
        let mut at = start + HEAD;
        while at + HEAD <= end {
            let (Some(index), Some(size)) = (number(at, 2), number(at + 8, 8)) else {
                return Some(at);
            };
            let length = match index {
                0 => Some(size).filter(|size| *size >= HEAD),
                _ => size
                    .checked_next_multiple_of(8)
                    .and_then(|size| size.checked_add(HEAD)),
            };
            let next = length.and_then(|length| at.checked_add(length));
            let Some(next) = next.filter(|&next| next <= end) else {
                return Some(at);
            };
            at = next;
        }
    }
    None
}
