//! `mnist-idx`: the IDX files of MNIST, plain or gzipped.
//!
//! # Source
//! Y. LeCun, C. Cortes, C. Burges, "The MNIST database": magic `0 0 8 rank`, then big-endian
//! 32-bit sizes, then bytes.

use std::path::Path;

use retrial_core::census::count;

use super::{Format, Inputs};
use crate::content::digits::{DigitSet, Digits};
use crate::error::DataError;
use crate::gzip::open_maybe_gzip;

/// The format.
pub(super) const FORMAT: Format = Format {
    name: "mnist-idx",
    settings: None,
    roles: &["train-images", "train-labels", "test-images", "test-labels"],
    generates: false,
};

/// Largest decompressed file, more than ten times MNIST's.
const MAX_BYTES: u64 = 1 << 30;

/// Decodes the four files of their roles.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<Digits, DataError> {
    let roles = [
        ["train-images", "train-labels"],
        ["test-images", "test-labels"],
    ];
    let mut paths = [[Path::new(""); 2]; 2];
    for (paths, roles) in paths.iter_mut().zip(roles) {
        *paths = [inputs.role(roles[0])?, inputs.role(roles[1])?];
    }
    let (train, test) = read_sets(paths[0], paths[1])?;
    Ok(Digits {
        train,
        test,
        repairs: Vec::new(),
    })
}

/// Two sets of one size from their files of pictures and labels.
fn read_sets(train: [&Path; 2], test: [&Path; 2]) -> Result<(DigitSet, DigitSet), DataError> {
    let sets = (read_set(train[0], train[1])?, read_set(test[0], test[1])?);
    let size = |set: &DigitSet| format!("{} × {} px", set.width, set.height);
    let (own, other) = (size(&sets.1), size(&sets.0));
    if own != other {
        let file = train[0].file_name().unwrap_or_default().to_string_lossy();
        let what = format!("pictures of {own}, those of {file} are {other}; one size is needed");
        return Err(DataError::format(test[0], what));
    }
    Ok(sets)
}

fn read_set(images_path: &Path, labels_path: &Path) -> Result<DigitSet, DataError> {
    let (sizes, pixels) = read_idx::<3>(images_path)?;
    let [items, height, width] = sizes;
    if pixels.is_empty() {
        let what = format!(
            "{} of {width} × {height} px; it holds no pixel",
            count(items, "picture")
        );
        return Err(DataError::format(images_path, what));
    }
    let ([labels_number], labels) = read_idx::<1>(labels_path)?;
    if labels_number != items {
        let what = format!(
            "{} for {}",
            count(labels_number, "label"),
            count(items, "picture")
        );
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
    let header = 4 + 4 * RANK;
    let mut reader = open_maybe_gzip(path, MAX_BYTES)?;
    let mut bytes = reader.read(header as u64)?;
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
    let expected = sizes
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size))
        .and_then(|product| product.checked_add(header));
    // What the header does not promise is never unpacked, but for one byte that shows it is there.
    let promised = expected.map_or(0, |expected| (expected - header) as u64);
    bytes.extend(reader.read(promised.saturating_add(1))?);
    if expected != Some(bytes.len()) {
        let what = match expected {
            Some(expected) if expected < bytes.len() => {
                format!("more bytes than the {expected} that the header promises")
            }
            Some(expected) => format!(
                "{}, the header promises {expected}",
                count(bytes.len(), "byte")
            ),
            None => format!("the header promises {sizes:?} values"),
        };
        return Err(DataError::format(path, what));
    }
    bytes.drain(..header);
    Ok((sizes, bytes))
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
    fn members_and_padding_are_read_and_other_bytes_behind_them_refused() {
        let images = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let labels = idx(&[2], &[7, 9]);
        let plain = read(&images, &labels);
        let (head, tail) = images.split_at(18);
        let zipped = [gzip(head), gzip(tail)].concat();
        assert_eq!(read(&zipped, &labels), plain);
        assert_eq!(read(&[&zipped[..], &[0; 700]].concat(), &labels), plain);
        for junk in [&b"junkjunk"[..], b"j", &[b'j'; 200], &[0, b'j']] {
            let error = read(&[&zipped[..], junk].concat(), &labels).expect_err("junk");
            let expected = "i: no whole gzip file: other bytes follow the end of its content";
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn sizes_that_differ_or_hold_nothing_are_named_with_their_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        let labels = file("labels", &idx(&[2], &[7, 9]));
        let wide = file("wide", &idx(&[2, 1, 3], &[0; 6]));
        let high = file("high", &idx(&[2, 3, 1], &[0; 6]));
        let sets = |train: &Path, test: &Path| {
            let sets = read_sets([train, &labels], [test, &labels]);
            sets.map_err(|error| error.to_string())
        };
        assert!(sets(&wide, &wide).is_ok());
        let error = sets(&wide, &high).expect_err("two sizes");
        let expected = "high: pictures of 1 × 3 px, those of wide are 3 × 1 px; one size is needed";
        assert!(error.ends_with(expected), "{error}");
        for (size, said) in [
            ([0, 3, 4], "none: 0 pictures of 4 × 3 px; it holds no pixel"),
            ([2, 3, 0], "none: 2 pictures of 0 × 3 px; it holds no pixel"),
        ] {
            let none = file("none", &idx(&size, &[]));
            let error = sets(&wide, &none).expect_err("nothing");
            assert!(error.ends_with(said), "{error}");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let labels = idx(&[2], &[7, 9]);
        // 64 MiB of zeros where the header promises six bytes, and where it promises them all.
        let zeros = vec![0; 64 << 20];
        for sizes in [[2, 1, 3], [2, 1 << 10, 1 << 15]] {
            let error = read(&gzip(&idx(&sizes, &zeros)), &labels).expect_err("a bomb");
            let said = error.contains("that the header promises") || error.contains("no more are");
            assert!(said, "{error}");
        }
    }

    #[test]
    fn malformed_files_are_named() {
        let images = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let labels = idx(&[2], &[7, 9]);
        let fault = |images: &[u8], labels: &[u8]| read(images, labels).expect_err("a fault");
        assert!(fault(&images[..20], &labels).contains("20 bytes, the header promises 22"));
        let longer = [&images[..], &[1, 2, 3]].concat();
        assert!(fault(&longer, &labels).contains("more bytes than the 22"));
        assert!(fault(&images, &images).contains("begins with [0, 0, 8, 1]"));
        assert!(fault(&images, &idx(&[1], &[7])).contains("1 label for 2 pictures"));
        assert!(fault(&images, &idx(&[2], &[7, 10])).contains("label 1 is 10"));
        assert!(fault(&images[..9], &labels).contains("the header is truncated"));
        let zipped = gzip(&images);
        let cut = fault(&zipped[..zipped.len() - 12], &labels);
        assert!(cut.contains("the gzip file is truncated"), "{cut}");
        assert!(fault(&idx(&[u32::MAX; 3], &[]), &labels).contains("header promises"));
    }
}
