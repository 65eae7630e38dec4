//! Trees as HDF5 files.
//!
//! Object times are off on the file, on every group and on every array, and everything is written
//! in the order of its path, so that the same tree gives the same bytes. Two attributes of the
//! root belong to the store: the format version and the content hash, which [`read`] compares
//! with what it read. A [seal] over all bytes is compared before the HDF5 library sees them.

use std::collections::BTreeSet;
use std::path::Path;

use hdf5::file::LibraryVersion;
use hdf5::types::{FloatSize, IntSize, TypeDescriptor, VarLenUnicode};
use hdf5::{Dataset, File, Group, H5Type, Location, LocationType};

use crate::atomic::replace;
use crate::error::{StoreError, io};
use crate::seal::{self, Sealed};
use crate::tree::{Array, ArrayData, RESERVED_PREFIX, Tree, Value, parents};

/// The version of the layout of a file.
const FORMAT: i64 = 2;
/// The first version, which had no seal, is still read; any other is refused.
const UNSEALED: i64 = 1;
const FORMAT_ATTRIBUTE: &str = "retrial_store_format";
const HASH_ATTRIBUTE: &str = "retrial_store_content_hash";

/// Arrays of at least so many bytes are compressed; below, the bookkeeping outweighs the gain.
const COMPRESS_FROM: usize = 16 * 1024;
/// The fastest level: with the bytes shuffled, higher levels gain a few percent on float data.
const DEFLATE_LEVEL: u8 = 1;
/// Deflate never shrinks by more than about 1032; a file that claims more is damaged.
const LARGEST_RATIO: u64 = 1100;
/// Nesting beyond this is no tree of ours.
const DEEPEST: usize = 64;

/// How the values of large arrays lie in a file. The content hash does not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// Shuffled and deflated: for what is kept.
    #[default]
    Compressed,
    /// As they are: for what is soon replaced. Weights shrink by a fifth only and take some thirty
    /// times as long to write.
    Plain,
}

/// Writes `tree` to `path`, in place of the file that may be there, and returns its content hash.
///
/// Whenever the process is killed, `path` is the old file or the whole new one.
///
/// # Errors
/// [`StoreError::Io`] and [`StoreError::Hdf5`] with the path; the old file is then untouched.
pub fn write(path: impl AsRef<Path>, tree: &Tree) -> Result<String, StoreError> {
    write_packed(path, tree, Packing::Compressed)
}

/// As [`write`], with the packing of large arrays.
///
/// # Errors
/// As [`write`].
pub fn write_packed(
    path: impl AsRef<Path>,
    tree: &Tree,
    packing: Packing,
) -> Result<String, StoreError> {
    let path = path.as_ref();
    let hash = tree.content_hash();
    replace(path, |temporary| {
        fill(temporary, tree, &hash, packing).map_err(h5("write", path))?;
        seal::append_seal(temporary)
    })?;
    Ok(hash)
}

/// Reads the file at `path` and compares its bytes with its seal and its content with the hash it
/// states. Files of the first format, which had no seal, are read too.
///
/// # Errors
/// Always with the path: [`StoreError::Io`] when it cannot be opened, [`StoreError::Hdf5`] when
/// it is truncated or not HDF5, [`StoreError::Foreign`], [`StoreError::Format`],
/// [`StoreError::Unsupported`], [`StoreError::Damaged`], and [`StoreError::Broken`].
pub fn read(path: impl AsRef<Path>) -> Result<Tree, StoreError> {
    let path = path.as_ref();
    let sealed = seal::check(path)?;
    let length = std::fs::metadata(path).map_err(io("read", path))?.len();
    let file = File::with_options()
        .with_fapl(|access| access.file_locking(false))
        .open(path)
        .map_err(h5("open", path))?;
    let stated = stated_hash(&file, path, sealed)?;
    let mut reader = Reader {
        path,
        tree: Tree::new(),
        bytes_left: length.saturating_mul(LARGEST_RATIO),
    };
    reader.group(&file, "", 0)?;
    let found = reader.tree.content_hash();
    if found != stated {
        let path = path.to_owned();
        return Err(StoreError::Damaged {
            path,
            stated,
            found,
        });
    }
    Ok(reader.tree)
}

/// The content hash of the file at `path`, computed from its content.
///
/// # Errors
/// As [`read`].
pub fn content_hash(path: impl AsRef<Path>) -> Result<String, StoreError> {
    read(path).map(|tree| tree.content_hash())
}

fn fill(path: &Path, tree: &Tree, hash: &str, packing: Packing) -> hdf5::Result<()> {
    let file = File::with_options()
        .with_fapl(|access| {
            access
                .file_locking(false)
                .libver_bounds(LibraryVersion::V110, LibraryVersion::V110)
        })
        .with_fcpl(|create| create.obj_track_times(false))
        .create(path)?;
    write_attribute(&file, FORMAT_ATTRIBUTE, &Value::I64(FORMAT))?;
    write_attribute(&file, HASH_ATTRIBUTE, &Value::Text(hash.to_owned()))?;

    let with_attributes = || tree.group_attributes().map(|(path, _)| path);
    let groups: BTreeSet<&str> = with_attributes()
        .filter(|path| !path.is_empty())
        .chain(with_attributes().flat_map(parents))
        .chain(tree.arrays().flat_map(|(path, _)| parents(path)))
        .collect();
    // Sorted, so that a group comes before what is inside it.
    for path in groups {
        file.create_group_builder()
            .obj_track_times(false)
            .create(path)?;
    }
    for (path, attributes) in tree.group_attributes() {
        let group = file.group(if path.is_empty() { "/" } else { path })?;
        for (name, value) in attributes {
            write_attribute(&group, name, value)?;
        }
    }
    for (path, array) in tree.arrays() {
        let dataset = write_array(&file, path, array, packing)?;
        for (name, value) in array.attributes() {
            write_attribute(&dataset, name, value)?;
        }
    }
    file.close()
}

fn write_array(file: &File, path: &str, array: &Array, packing: Packing) -> hdf5::Result<Dataset> {
    let shape = array.shape();
    match array.data() {
        ArrayData::F32(values) => write_values(file, path, shape, values, packing),
        ArrayData::F64(values) => write_values(file, path, shape, values, packing),
        ArrayData::I32(values) => write_values(file, path, shape, values, packing),
        ArrayData::I64(values) => write_values(file, path, shape, values, packing),
        ArrayData::U8(values) => write_values(file, path, shape, values, packing),
        ArrayData::U64(values) => write_values(file, path, shape, values, packing),
        ArrayData::Text(texts) => {
            let texts: Vec<VarLenUnicode> = texts
                .iter()
                .map(|text| unicode(text))
                .collect::<hdf5::Result<_>>()?;
            write_values(file, path, shape, &texts, packing)
        }
    }
}

fn write_values<T: H5Type>(
    file: &File,
    path: &str,
    shape: &[usize],
    values: &[T],
    packing: Packing,
) -> hdf5::Result<Dataset> {
    let mut builder = file.new_dataset::<T>().obj_track_times(false);
    let text = T::type_descriptor() == TypeDescriptor::VarLenUnicode;
    let large = size_of_val(values) >= COMPRESS_FROM;
    if large && !text && packing == Packing::Compressed {
        builder = builder.shuffle().deflate(DEFLATE_LEVEL);
    } else {
        builder = builder.no_chunk();
    }
    let dataset = builder.shape(shape).create(path)?;
    if shape.is_empty() {
        dataset.write_scalar(&values[0])?;
    } else if !values.is_empty() {
        dataset.as_writer().write_raw(values)?;
    }
    Ok(dataset)
}

fn write_attribute(location: &Location, name: &str, value: &Value) -> hdf5::Result<()> {
    match value {
        Value::F64(number) => location
            .new_attr::<f64>()
            .create(name)?
            .write_scalar(number),
        Value::I64(number) => location
            .new_attr::<i64>()
            .create(name)?
            .write_scalar(number),
        Value::Text(text) => location
            .new_attr::<VarLenUnicode>()
            .create(name)?
            .write_scalar(&unicode(text)?),
        Value::Bool(yes) => location
            .new_attr::<u8>()
            .create(name)?
            .write_scalar(&u8::from(*yes)),
    }
}

fn stated_hash(file: &File, path: &Path, sealed: Sealed) -> Result<String, StoreError> {
    let foreign = || StoreError::Foreign {
        path: path.to_owned(),
    };
    let value = |name| match file.attr(name) {
        Ok(attribute) => read_attribute(&attribute),
        Err(_) => Ok(Err("absent".to_owned())),
    };
    let open = h5("read", path);
    match value(FORMAT_ATTRIBUTE).map_err(&open)? {
        Ok(Value::I64(FORMAT)) if sealed == Sealed::Yes => {}
        Ok(Value::I64(FORMAT)) => {
            return Err(StoreError::Unsealed {
                path: path.to_owned(),
            });
        }
        Ok(Value::I64(UNSEALED)) => {}
        Ok(Value::I64(found)) => {
            return Err(StoreError::Format {
                path: path.to_owned(),
                found,
                supported: FORMAT,
            });
        }
        _ => return Err(foreign()),
    }
    match value(HASH_ATTRIBUTE).map_err(&open)? {
        Ok(Value::Text(hash)) => Ok(hash),
        _ => Err(foreign()),
    }
}

struct Reader<'a> {
    path: &'a Path,
    tree: Tree,
    bytes_left: u64,
}

impl Reader<'_> {
    fn group(&mut self, group: &Group, at: &str, depth: usize) -> Result<(), StoreError> {
        let h5 = h5("read", self.path);
        for (name, value) in self.attributes(group, at)? {
            self.tree.set_attribute(at, &name, value)?;
        }
        for name in group.member_names().map_err(&h5)? {
            let inside = if at.is_empty() {
                name.clone()
            } else {
                format!("{at}/{name}")
            };
            match group.loc_type_by_name(&name).map_err(&h5)? {
                LocationType::Group if depth < DEEPEST => {
                    let child = group.group(&name).map_err(&h5)?;
                    self.group(&child, &inside, depth + 1)?;
                }
                LocationType::Dataset => {
                    let dataset = group.dataset(&name).map_err(&h5)?;
                    let mut array = self.array(&dataset, &inside)?;
                    for (name, value) in self.attributes(&dataset, &inside)? {
                        array = array.with_attribute(&name, value)?;
                    }
                    self.tree.insert(&inside, array)?;
                }
                other => return Err(self.unsupported(&inside, format!("{other:?}"))),
            }
        }
        Ok(())
    }

    fn array(&mut self, dataset: &Dataset, name: &str) -> Result<Array, StoreError> {
        use TypeDescriptor::{Float, Integer, Unsigned, VarLenUnicode as Text};
        let h5 = h5("read", self.path);
        let shape = dataset.get_shape().map_err(&h5)?;
        let dtype = dataset.dtype().map_err(&h5)?;
        let bytes = shape
            .iter()
            .try_fold(dtype.size(), |product, &length| product.checked_mul(length))
            .map_or(u64::MAX, |bytes| bytes as u64);
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or_else(|| {
            self.unsupported(
                name,
                format!("of shape {shape:?}, more than the file can hold"),
            )
        })?;
        let data: ArrayData = match dtype.to_descriptor().map_err(&h5)? {
            Float(FloatSize::U4) => values::<f32>(dataset).map(Into::into),
            Float(FloatSize::U8) => values::<f64>(dataset).map(Into::into),
            Integer(IntSize::U4) => values::<i32>(dataset).map(Into::into),
            Integer(IntSize::U8) => values::<i64>(dataset).map(Into::into),
            Unsigned(IntSize::U1) => values::<u8>(dataset).map(Into::into),
            Unsigned(IntSize::U8) => values::<u64>(dataset).map(Into::into),
            Text => values::<VarLenUnicode>(dataset).map(|texts| {
                let texts: Vec<String> = texts.iter().map(|text| text.as_str().into()).collect();
                texts.into()
            }),
            other => return Err(self.unsupported(name, format!("of type {other}"))),
        }
        .map_err(&h5)?;
        Array::new(shape, data)
    }

    fn attributes(
        &self,
        location: &Location,
        at: &str,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        let h5 = h5("read", self.path);
        let mut attributes = Vec::new();
        for name in location.attr_names().map_err(&h5)? {
            if at.is_empty() && name.starts_with(RESERVED_PREFIX) {
                continue;
            }
            let attribute = location.attr(&name).map_err(&h5)?;
            let value = read_attribute(&attribute)
                .map_err(&h5)?
                .map_err(|found| self.unsupported(&format!("{at}@{name}"), found))?;
            attributes.push((name, value));
        }
        Ok(attributes)
    }

    fn unsupported(&self, name: &str, found: String) -> StoreError {
        StoreError::Unsupported {
            path: self.path.to_owned(),
            name: name.to_owned(),
            found,
        }
    }
}

fn values<T: H5Type>(dataset: &Dataset) -> hdf5::Result<Vec<T>> {
    dataset.as_reader().read_raw::<T>()
}

/// The value of an attribute, or a description of what a tree cannot hold.
fn read_attribute(attribute: &hdf5::Attribute) -> hdf5::Result<Result<Value, String>> {
    use TypeDescriptor::{Float, Integer, Unsigned, VarLenUnicode as Text};
    if !attribute.get_shape()?.is_empty() {
        return Ok(Err("an attribute with a shape".to_owned()));
    }
    Ok(Ok(match attribute.dtype()?.to_descriptor()? {
        Float(FloatSize::U8) => Value::F64(attribute.read_scalar()?),
        Integer(IntSize::U8) => Value::I64(attribute.read_scalar()?),
        Unsigned(IntSize::U1) => Value::Bool(attribute.read_scalar::<u8>()? != 0),
        Text => Value::Text(
            attribute
                .read_scalar::<VarLenUnicode>()?
                .as_str()
                .to_owned(),
        ),
        other => return Ok(Err(format!("an attribute of type {other}"))),
    }))
}

fn unicode(text: &str) -> hdf5::Result<VarLenUnicode> {
    text.parse::<VarLenUnicode>()
        .map_err(|error| hdf5::Error::from(error.to_string()))
}

/// Adds the action and the path to an error of the HDF5 library.
fn h5(action: &'static str, path: &Path) -> impl Fn(hdf5::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Hdf5 {
        action,
        path: path.clone(),
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::content::tests::example;

    /// The example and an array that is large enough to be compressed.
    fn large_example() -> Tree {
        let mut tree = example();
        let noisy = |k: u32| (k.wrapping_mul(2_654_435_761) >> 8) as f32 / 65_536.0;
        let values: Vec<f32> = (0..60_000).map(noisy).collect();
        let array = Array::new([200, 300], values).unwrap();
        tree.insert("fields/large", array).unwrap();
        tree
    }

    fn in_folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a tree.h5");
        (folder, path)
    }

    #[test]
    fn what_is_written_is_read() {
        let (_folder, path) = in_folder();
        for tree in [large_example(), Tree::new()] {
            let hash = write(&path, &tree).unwrap();
            let back = read(&path).unwrap();
            assert_eq!(back, tree);
            assert_eq!(hash, tree.content_hash());
            assert_eq!(content_hash(&path).unwrap(), hash);
        }
    }

    #[test]
    fn packing_changes_the_size_only() {
        let (_folder, path) = in_folder();
        let tree = large_example();
        let size = || std::fs::metadata(&path).unwrap().len();
        let compressed = (write(&path, &tree).unwrap(), size());
        let plain = (write_packed(&path, &tree, Packing::Plain).unwrap(), size());
        assert_eq!(plain.0, compressed.0);
        assert_eq!(read(&path).unwrap(), tree);
        assert!(plain.1 > compressed.1);
    }

    #[test]
    fn not_a_number_keeps_its_bits() {
        let (_folder, path) = in_folder();
        let odd = f64::from_bits(0x7ff8_0000_dead_beef);
        let mut tree = Tree::new();
        tree.insert("nan", Array::list(vec![odd]).unwrap()).unwrap();
        write(&path, &tree).unwrap();
        let back = read(&path).unwrap();
        let bits = back.values::<f64>("nan").unwrap()[0].to_bits();
        assert_eq!(bits, odd.to_bits());
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes() {
        let (folder, path) = in_folder();
        let other = folder.path().join("other");
        write(&path, &large_example()).unwrap();
        // A stored object time counts seconds.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        write(&other, &large_example()).unwrap();
        let (first, second) = (
            std::fs::read(&path).unwrap(),
            std::fs::read(&other).unwrap(),
        );
        assert!(first == second, "the files differ");
        assert!(
            first.len() < 200 * 300 * 4,
            "not compressed: {} bytes",
            first.len()
        );
    }

    #[test]
    fn a_cut_file_is_an_error_at_every_length() {
        let (_folder, path) = in_folder();
        write(&path, &example()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("a tree.h5"), "{length}: {error}");
        }
    }

    #[test]
    fn a_flipped_bit_is_never_silent() {
        let (_folder, path) = in_folder();
        let tree = large_example();
        write(&path, &tree).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(1499) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("a tree.h5"), "byte {at}: {error}");
        }
    }

    /// The global heap holds texts, and its lengths have no checksum of HDF5's own.
    fn heap(bytes: &[u8]) -> usize {
        let mut places = bytes.windows(4).enumerate();
        places.find(|(_, four)| four == b"GCOL").unwrap().0
    }

    #[test]
    fn no_bit_of_the_heap_can_stop_a_reader() {
        let (_folder, path) = in_folder();
        let tree = example();
        write(&path, &tree).unwrap();
        let sealed = std::fs::read(&path).unwrap();
        let unsealed = first_format(&path, &tree);
        assert_eq!(read(&path).unwrap(), tree, "the first format is still read");
        for whole in [sealed, unsealed] {
            let from = heap(&whole);
            for bit in (from * 8)..((from + 160) * 8) {
                let mut bytes = whole.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                std::fs::write(&path, &bytes).unwrap();
                // Without a seal, what is not in use carries nothing.
                if let Ok(back) = read(&path) {
                    assert_eq!(back, tree, "bit {bit}");
                }
            }
        }
    }

    /// Writes `tree` as the first format had it; returns the bytes.
    fn first_format(path: &Path, tree: &Tree) -> Vec<u8> {
        std::fs::remove_file(path).unwrap();
        fill(path, tree, &tree.content_hash(), Packing::Plain).unwrap();
        let file = File::open_rw(path).unwrap();
        file.attr(FORMAT_ATTRIBUTE)
            .unwrap()
            .write_scalar(&UNSEALED)
            .unwrap();
        file.close().unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_file_that_lost_its_seal_is_refused() {
        let (_folder, path) = in_folder();
        write(&path, &example()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let end = whole
            .windows(13)
            .position(|w| w == b"\nretrial seal")
            .unwrap();
        std::fs::write(&path, &whole[..end]).unwrap();
        assert!(matches!(read(&path), Err(StoreError::Unsealed { .. })));
    }

    #[test]
    fn foreign_files_are_refused_by_name() {
        let (_folder, path) = in_folder();
        let refused = || read(&path).unwrap_err();
        assert!(matches!(refused(), StoreError::Io { .. }));
        std::fs::write(&path, "u,v\n1,2\n").unwrap();
        assert!(matches!(refused(), StoreError::Hdf5 { action: "open", .. }));
        File::create(&path).unwrap().close().unwrap();
        assert!(matches!(refused(), StoreError::Foreign { .. }));
        let file = File::create(&path).unwrap();
        write_attribute(&file, FORMAT_ATTRIBUTE, &Value::I64(FORMAT + 1)).unwrap();
        file.close().unwrap();
        assert!(matches!(refused(), StoreError::Format { found: 3, .. }));
        let file = File::create(&path).unwrap();
        write_attribute(&file, FORMAT_ATTRIBUTE, &Value::I64(UNSEALED)).unwrap();
        write_attribute(&file, HASH_ATTRIBUTE, &Value::from("blake3:0")).unwrap();
        file.new_dataset::<i16>().shape([3]).create("odd").unwrap();
        file.close().unwrap();
        let error = refused().to_string();
        assert!(
            error.contains("`odd`") && error.contains("a tree.h5"),
            "{error}"
        );
    }

    #[test]
    #[ignore = "needs python3 with h5py"]
    fn h5py_reads_it_with_python() {
        let (_folder, path) = in_folder();
        write(&path, &large_example()).unwrap();
        let script = r#"
import sys, h5py
with h5py.File(sys.argv[1], "r") as file:
    u = file["fields/u"]
    assert u.dtype == "f8" and u.shape == (2, 3) and u[1, 1] == -7.25, u
    assert u.attrs["unit"] == "px" and u.attrs["step_px"] == 5
    assert list(file["fields/mask"][()]) == [0, 1, 255]
    assert file["weights/conv1/bias"].dtype == "f4"
    assert file["count"][()] == 2**64 - 1
    assert file["nothing"].shape == (0, 4)
    assert [text.decode() for text in file["names"][()]] == ["µm", "", "a,b\n"]
    assert file.attrs["study"] == "größe" and file.attrs["finished"] == 1
    assert file["empty group"].attrs["round"] == -3
    large = file["fields/large"]
    assert large.compression == "gzip" and large.shuffle and large.shape == (200, 300)
    assert large[199, 299] == (59999 * 2654435761 % 2**32 >> 8) / 65536, large[199, 299]
"#;
        let output = Command::new("python3")
            .args(["-c", script])
            .arg(&path)
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
    }
}
