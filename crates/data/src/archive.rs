//! One member of a zip or a gzipped tar, under limits: archives come from elsewhere.
//!
//! Nothing is unpacked by its own name, so no entry can write where it wants; an archive with an
//! entry that would is refused all the same, because it is not what it should be.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;

use crate::error::FetchError;

/// Most entries of an archive.
const MAX_ENTRIES: usize = 200_000;
/// Most bytes of content per byte of the archive; deflate itself ends near 1030.
const MAX_RATIO: u64 = 400;
/// Content that is allowed at any ratio.
const FREE_BYTES: u64 = 64 << 20;

/// Writes the member `name` of the archive at `path` to `out`, at most `limit` bytes; gives the
/// number written.
///
/// # Errors
/// [`FetchError::Archive`] for an archive that is damaged, beyond the limits or without that
/// member, [`FetchError::Io`] for a file that cannot be read.
pub fn extract_member(
    path: &Path,
    name: &str,
    limit: u64,
    out: &mut dyn Write,
) -> Result<u64, FetchError> {
    let file = File::open(path).map_err(FetchError::read(path))?;
    let size = file.metadata().map_err(FetchError::read(path))?.len();
    let mut head = [0; 4];
    let mut reader = BufReader::new(file);
    let zip = io::BufRead::fill_buf(&mut reader)
        .map_err(FetchError::read(path))?
        .first_chunk::<4>()
        .is_some_and(|chunk| {
            head = *chunk;
            head == *b"PK\x03\x04"
        });
    let archive = Archive { path, name, limit };
    if zip {
        archive.from_zip(reader, size, out)
    } else if head.starts_with(&[0x1f, 0x8b]) {
        archive.from_tar(reader, size, out)
    } else {
        Err(archive.fault("neither a zip nor a gzipped tar"))
    }
}

struct Archive<'a> {
    path: &'a Path,
    name: &'a str,
    limit: u64,
}

impl Archive<'_> {
    fn fault(&self, what: impl Into<String>) -> FetchError {
        FetchError::Archive {
            path: self.path.to_owned(),
            what: what.into(),
        }
    }

    fn check_entry(&self, name: &str, number: usize) -> Result<(), FetchError> {
        if number > MAX_ENTRIES {
            return Err(self.fault(format!("more than {MAX_ENTRIES} entries")));
        }
        let outside = name.starts_with(['/', '\\'])
            || name.split(['/', '\\']).any(|part| part == "..")
            || name.as_bytes().get(1) == Some(&b':');
        if outside {
            return Err(self.fault(format!("the entry {name:?} leads out of the archive")));
        }
        Ok(())
    }

    fn copy(&self, reader: &mut dyn Read, out: &mut dyn Write) -> Result<u64, FetchError> {
        let mut bounded = reader.take(self.limit + 1);
        let copied = io::copy(&mut bounded, out).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FetchError::DiskFull {
                path: self.path.to_owned(),
                needed: self.limit,
            },
            _ => self.fault(format!("{} cannot be unpacked: {error}", self.name)),
        })?;
        if copied > self.limit {
            return Err(self.fault(format!("{} has more than {} bytes", self.name, self.limit)));
        }
        Ok(copied)
    }

    #[expect(
        clippy::wrong_self_convention,
        reason = "the archive is what is converted"
    )]
    fn from_zip(
        &self,
        reader: BufReader<File>,
        size: u64,
        out: &mut dyn Write,
    ) -> Result<u64, FetchError> {
        let damaged = |error: zip::result::ZipError| self.fault(format!("a damaged zip: {error}"));
        let mut zip = zip::ZipArchive::new(reader).map_err(damaged)?;
        for (i, name) in zip.file_names().enumerate() {
            self.check_entry(&name.map_err(damaged)?, i + 1)?;
        }
        let mut member = match zip.by_name(self.name) {
            Ok(member) => member,
            Err(zip::result::ZipError::FileNotFound) => {
                return Err(self.fault(format!("no member {}", self.name)));
            }
            Err(error) => return Err(damaged(error)),
        };
        if !member.is_file() {
            return Err(self.fault(format!("{} is a link or a folder", self.name)));
        }
        let (packed, content) = (member.compressed_size(), member.size());
        if content > FREE_BYTES && content / packed.max(1) > MAX_RATIO || packed > size {
            return Err(self.fault(format!("{packed} bytes claim to hold {content}")));
        }
        self.copy(&mut member, out)
    }

    #[expect(
        clippy::wrong_self_convention,
        reason = "the archive is what is converted"
    )]
    fn from_tar(
        &self,
        reader: BufReader<File>,
        size: u64,
        out: &mut dyn Write,
    ) -> Result<u64, FetchError> {
        let damaged = |error: io::Error| self.fault(format!("a damaged tar: {error}"));
        let bound = size.saturating_mul(MAX_RATIO).max(FREE_BYTES);
        let mut tar = tar::Archive::new(GzDecoder::new(reader).take(bound));
        for (i, entry) in tar.entries().map_err(damaged)?.enumerate() {
            let mut entry = entry.map_err(damaged)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            self.check_entry(&name, i + 1)?;
            if name != self.name {
                continue;
            }
            if !entry.header().entry_type().is_file() {
                return Err(self.fault(format!("{} is a link or a folder", self.name)));
            }
            return self.copy(&mut entry, out);
        }
        Err(self.fault(format!("no member {}", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// A gzipped tar with one entry whose name and type are written as they are.
    fn tar_with(name: &str, kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_entry_type(kind);
        header.set_cksum();
        let gzip = GzEncoder::new(Vec::new(), Compression::best());
        let mut builder = tar::Builder::new(gzip);
        builder.append(&header, content).expect("in memory");
        let gzip = builder.into_inner().expect("in memory");
        gzip.finish().expect("in memory")
    }

    fn zip_with(name: &str, content: &[u8]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).expect("in memory");
        zip.write_all(content).expect("in memory");
        zip.finish().expect("in memory").into_inner()
    }

    fn extract(archive: &[u8], name: &str, limit: u64) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("archive");
        std::fs::write(&path, archive).expect("written");
        let mut out = Vec::new();
        extract_member(&path, name, limit, &mut out).map_err(|error| error.to_string())?;
        Ok(out)
    }

    #[test]
    fn a_member_comes_out_of_both_kinds() {
        let file = tar::EntryType::Regular;
        for archive in [tar_with("a/b", file, b"data"), zip_with("a/b", b"data")] {
            assert_eq!(extract(&archive, "a/b", 4), Ok(b"data".to_vec()));
            let fault = extract(&archive, "a/c", 4).expect_err("absent");
            assert!(fault.contains("no member a/c"), "{fault}");
            let fault = extract(&archive, "a/b", 3).expect_err("too large");
            assert!(fault.contains("more than 3 bytes"), "{fault}");
        }
    }

    #[test]
    fn archives_that_lead_outside_are_refused() {
        let file = tar::EntryType::Regular;
        for name in ["../b", "/b", "a/../../b"] {
            let fault = extract(&tar_with(name, file, b"x"), "b", 9).expect_err("refused");
            assert!(fault.contains("leads out"), "{fault}");
        }
        let fault = extract(&zip_with("..\\b", b"x"), "b", 9).expect_err("refused");
        assert!(fault.contains("leads out"), "{fault}");
        let link = tar_with("b", tar::EntryType::Symlink, b"");
        let fault = extract(&link, "b", 9).expect_err("refused");
        assert!(fault.contains("is a link"), "{fault}");
    }

    #[test]
    fn bombs_and_damage_are_refused() {
        let zeros = vec![0; 80 << 20];
        let bomb = tar_with("b", tar::EntryType::Regular, &zeros);
        let fault = extract(&bomb, "c", 9).expect_err("refused");
        assert!(
            fault.contains("damaged") || fault.contains("no member"),
            "{fault}"
        );
        let bomb = zip_with("b", &zeros);
        let fault = extract(&bomb, "b", u64::MAX - 1).expect_err("refused");
        assert!(fault.contains("claim to hold"), "{fault}");
        let whole = tar_with("b", tar::EntryType::Regular, &[7; 5000]);
        let fault = extract(&whole[..whole.len() / 2], "b", 9999).expect_err("cut");
        assert!(
            fault.contains("b cannot be unpacked") || fault.contains("damaged"),
            "{fault}"
        );
        let fault = extract(b"<html>", "b", 9).expect_err("no archive");
        assert!(fault.contains("neither"), "{fault}");
    }
}
