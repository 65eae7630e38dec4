//! Files that may be gzipped, unpacked up to a limit.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use crate::error::DataError;

/// A gzip file may hold this many times its own size; MNIST's hold five times theirs.
const MOST_DENSE: u64 = 100;
/// What a gzip file may hold however small it is.
const ALWAYS_READ: u64 = 16 << 20;

/// The content of a file, decompressed where it is gzipped, up to `limit` bytes.
pub(crate) fn read_maybe_gzip(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    open_maybe_gzip(path, limit)?.read(u64::MAX)
}

/// A file that is read piece by piece, decompressed where it is gzipped.
pub(crate) struct MaybeGzip<'p> {
    path: &'p Path,
    reader: Box<dyn Read>,
    /// Bytes that may still come.
    left: u64,
    limit: u64,
    done: u64,
    /// Bytes on disk of a gzip file; nothing for a plain one.
    packed: Option<u64>,
}

/// Opens a file of which at most `limit` bytes of content are read.
pub(crate) fn open_maybe_gzip(path: &Path, limit: u64) -> Result<MaybeGzip<'_>, DataError> {
    let file = File::open(path).map_err(DataError::io("reading", path))?;
    let size = file.metadata().map_or(0, |meta| meta.len());
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let head = reader.fill_buf().map_err(DataError::io("reading", path))?;
    let packed = head.starts_with(&[0x1f, 0x8b]).then_some(size);
    let limit = packed.map_or(limit, |size| {
        limit.min(size.saturating_mul(MOST_DENSE).max(ALWAYS_READ))
    });
    Ok(MaybeGzip {
        path,
        reader: match packed {
            Some(_) => Box::new(GzipMembers(Some(GzDecoder::new(reader)))),
            None => Box::new(reader),
        },
        left: limit,
        limit,
        done: 0,
        packed,
    })
}

/// The gzip members of a file, one after the other; nothing else may follow them but zeros.
struct GzipMembers<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let rest = member.get_mut();
            let next = loop {
                let ahead = rest.fill_buf()?;
                // Tapes pad with zeros, which gzip passes over.
                let zeros = ahead.iter().take_while(|&&byte| byte == 0).count();
                match ahead.get(zeros) {
                    Some(&byte) => break Some(byte),
                    None if zeros == 0 => break None,
                    None => rest.consume(zeros),
                }
            };
            self.0 = match (next, self.0.take()) {
                (Some(0x1f), Some(ended)) => Some(GzDecoder::new(ended.into_inner())),
                (Some(_), _) => {
                    let what = "other bytes follow the end of its content; remove them";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
                (None, _) => None,
            };
        }
        Ok(0)
    }
}

impl MaybeGzip<'_> {
    /// At most the next `most` bytes; an error where the file holds more than its limit.
    pub(crate) fn read(&mut self, most: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let most = most.min(self.left.saturating_add(1));
        let result = self.reader.by_ref().take(most).read_to_end(&mut bytes);
        self.done += bytes.len() as u64;
        if let Err(error) = result {
            let truncated = error.kind() == io::ErrorKind::UnexpectedEof;
            let what = match truncated {
                true => format!(
                    "the gzip file is truncated after {} bytes of content",
                    self.done
                ),
                false => format!("no whole gzip file: {error}"),
            };
            return Err(DataError::format(self.path, what));
        }
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            let limit = self.limit;
            let what = match self.packed {
                Some(size) => format!(
                    "more than {limit} bytes of content in a gzip file of {size}; no more are unpacked"
                ),
                None => format!("more than {limit} bytes of content"),
            };
            return Err(DataError::format(self.path, what));
        };
        self.left = left;
        Ok(bytes)
    }
}
