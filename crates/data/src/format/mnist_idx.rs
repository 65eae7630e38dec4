//! `mnist-idx`: the IDX files of MNIST, plain or gzipped.
//!
//! # Source
//! Y. LeCun, C. Cortes, C. Burges, "The MNIST database": magic `0 0 8 rank`, then big-endian
//! 32-bit sizes, then bytes.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::Inputs;
use crate::content::{Content, DigitSet, Digits};
use crate::error::DataError;

/// Largest decompressed file, more than ten times MNIST's.
const MAX_BYTES: u64 = 1 << 30;

/// Decodes the four files of their roles.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<Content, DataError> {
    let set = |images: &str, labels: &str| read_set(inputs.role(images)?, inputs.role(labels)?);
    Ok(Content::Digits(Digits {
        train: set("train-images", "train-labels")?,
        test: set("test-images", "test-labels")?,
    }))
}

fn read_set(images_path: &Path, labels_path: &Path) -> Result<DigitSet, DataError> {
    let (sizes, pixels) = read_idx::<3>(images_path)?;
    let [items, height, width] = sizes;
    let ([labels_number], labels) = read_idx::<1>(labels_path)?;
    if labels_number != items {
        let what = format!("{labels_number} labels for {items} pictures");
        return Err(DataError::format(labels_path, what));
    }
    if let Some((i, label)) = labels.iter().enumerate().find(|(_, label)| **label > 9) {
        let what = format!("label {i} is {label}, expected 0 to 9");
        return Err(DataError::format(labels_path, what));
    }
    Ok(DigitSet {
        width,
        height,
        labels,
        pixels,
    })
}

/// The sizes and the bytes of an IDX file of unsigned bytes with `RANK` axes.
fn read_idx<const RANK: usize>(path: &Path) -> Result<([usize; RANK], Vec<u8>), DataError> {
    let mut bytes = read_maybe_gzip(path, MAX_BYTES)?;
    let magic = [0, 0, 8, RANK as u8];
    if !bytes.starts_with(&magic) {
        let found = &bytes[..bytes.len().min(4)];
        let what = format!("an IDX file begins with {magic:?}, found {found:?}");
        return Err(DataError::format(path, what));
    }
    let mut sizes = [0; RANK];
    for (axis, size) in sizes.iter_mut().enumerate() {
        let start = 4 + 4 * axis;
        let field = bytes.get(start..).and_then(|rest| rest.first_chunk::<4>());
        let field = field.ok_or_else(|| DataError::format(path, "the header is truncated"))?;
        *size = u32::from_be_bytes(*field) as usize;
    }
    let header = 4 + 4 * RANK;
    let expected = sizes
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size))
        .and_then(|product| product.checked_add(header));
    if expected != Some(bytes.len()) {
        let what = match expected {
            Some(expected) => format!("{} bytes, the header promises {expected}", bytes.len()),
            None => format!("the header promises {sizes:?} values"),
        };
        return Err(DataError::format(path, what));
    }
    bytes.drain(..header);
    Ok((sizes, bytes))
}

/// The content of a file, decompressed where it is gzipped, up to `limit` bytes.
pub(crate) fn read_maybe_gzip(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let file = File::open(path).map_err(DataError::io("reading", path))?;
    let size = file.metadata().map_or(0, |meta| meta.len());
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut bytes = Vec::new();
    let head = io::BufRead::fill_buf(&mut reader).map_err(DataError::io("reading", path))?;
    let result = if head.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(reader)
            .take(limit + 1)
            .read_to_end(&mut bytes)
    } else {
        bytes.reserve_exact(usize::try_from(size.min(limit)).unwrap_or(0) + 1);
        reader.take(limit + 1).read_to_end(&mut bytes)
    };
    if let Err(error) = result {
        let truncated = error.kind() == io::ErrorKind::UnexpectedEof;
        let what = match truncated {
            true => format!(
                "the gzip file is truncated after {} bytes of content",
                bytes.len()
            ),
            false => format!("not a readable gzip file: {error}"),
        };
        return Err(DataError::format(path, what));
    }
    if bytes.len() as u64 > limit {
        return Err(DataError::format(
            path,
            format!("more than {limit} bytes of content"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    fn read(images: &[u8], labels: &[u8]) -> Result<DigitSet, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (i, l) = (folder.path().join("i"), folder.path().join("l"));
        std::fs::write(&i, images).expect("written");
        std::fs::write(&l, labels).expect("written");
        read_set(&i, &l).map_err(|error| error.to_string())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn plain_and_gzipped_files_are_one() {
        let images = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let labels = idx(&[2], &[7, 9]);
        let plain = read(&images, &labels).expect("valid");
        assert_eq!((plain.width, plain.height, plain.len()), (3, 1, 2));
        assert_eq!(plain.item(1), Some(&[4, 5, 6][..]));
        assert_eq!(read(&gzip(&images), &gzip(&labels)), Ok(plain));
    }

    #[test]
    fn malformed_files_are_named() {
        let images = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let labels = idx(&[2], &[7, 9]);
        let fault = |images: &[u8], labels: &[u8]| read(images, labels).expect_err("a fault");
        assert!(fault(&images[..20], &labels).contains("20 bytes, the header promises 22"));
        assert!(fault(&images, &images).contains("begins with [0, 0, 8, 1]"));
        assert!(fault(&images, &idx(&[1], &[7])).contains("1 labels for 2 pictures"));
        assert!(fault(&images, &idx(&[2], &[7, 10])).contains("label 1 is 10"));
        assert!(fault(&images[..9], &labels).contains("the header is truncated"));
        let zipped = gzip(&images);
        let cut = fault(&zipped[..zipped.len() - 12], &labels);
        assert!(cut.contains("the gzip file is truncated"), "{cut}");
        assert!(fault(&idx(&[u32::MAX; 3], &[]), &labels).contains("header promises"));
    }
}
