//! Features on the disk: a file that only grows, so that a killed run loses a few pictures at
//! most, and that later runs with the same texture read in place of the pictures.
//!
//! After a line that says what it holds the file has a record a picture: which picture it was
//! (16 bytes), its features (eight bytes each, the lowest first) and a check (eight bytes). A
//! picture is known by real path, size and time of change; one that has changed gets a further
//! record. What cannot be read is not kept, so it is tried again.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use retrial_core::hash::FieldHasher;
use retrial_runner::Failure;

use super::texture::Texture;

/// The version of the layout.
const LAYOUT: u32 = 1;
const KEY: usize = 16;
const CHECK: usize = 8;

/// Which picture a record is of.
pub(super) type Key = [u8; KEY];
/// The place of a record in the file.
pub(super) type Place = u32;

/// An open file of features.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    file: File,
    dimension: usize,
    head: u64,
    places: HashMap<Key, Place>,
    records: Place,
}

/// What tells a picture from others and from its own earlier states.
pub(super) fn key(folder: &Path, name: &str) -> Result<Key, String> {
    let to_text = |error: std::io::Error| error.to_string();
    let data = fs::metadata(folder.join(name)).map_err(to_text)?;
    let changed = data.modified().map_err(to_text)?;
    // Before 1970 is as good as 1970: the size still tells.
    let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut hasher = FieldHasher::new("retrial picture file v1");
    hasher
        .field(folder.as_os_str().as_encoded_bytes())
        .field(name.as_bytes())
        .field(&data.len().to_le_bytes())
        .field(&changed.as_nanos().to_le_bytes());
    Ok(leading(&hasher))
}

impl Cache {
    /// Opens the file of a texture in `folder`, or makes it.
    pub(super) fn open(folder: &Path, texture: &Texture) -> Result<Self, Failure> {
        let facts = texture.facts().to_string();
        let mut hasher = FieldHasher::new("retrial features v1");
        let name = hasher.field(facts.as_bytes()).short();
        let path = folder.join(format!("{name}.features"));
        let cannot = |what: &str, error: std::io::Error| {
            Failure::storage(format!("cannot {what} {}: {error}", path.display()))
        };
        fs::create_dir_all(folder).map_err(|error| cannot("create", error))?;
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(|error| cannot("open", error))?;
        // Where the file system knows no locks, nobody is kept out.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(Failure::usage(format!(
                "another run is at work with {}",
                path.display()
            )));
        }
        let head = format!("retrial features {LAYOUT} {facts}\n");
        let mut cache = Self {
            file,
            dimension: texture.dimension(),
            head: head.len() as u64,
            places: HashMap::new(),
            records: 0,
            path: path.clone(),
        };
        let is_ours = cache
            .load(head.as_bytes())
            .map_err(|error| cannot("read", error))?;
        if is_ours {
            return Ok(cache);
        }
        Err(Failure::storage(format!(
            "{} holds other features than its name says; remove it",
            path.display()
        )))
    }

    /// Reads what is there and cuts off what was not finished; `false` for a file of others.
    fn load(&mut self, head: &[u8]) -> std::io::Result<bool> {
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line)?;
        if line != head {
            if !head.starts_with(&line) {
                return Ok(false);
            }
            self.file.set_len(0)?;
            (&self.file).rewind()?;
            (&self.file).write_all(head)?;
            return Ok(true);
        }
        let mut record = vec![0; self.record_len()];
        while reader.read_exact(&mut record).is_ok() {
            let (content, check) = record.split_at(record.len() - CHECK);
            if check == checked(content) {
                let mut key = [0; KEY];
                key.copy_from_slice(&content[..KEY]);
                self.places.insert(key, self.records);
            }
            self.records += 1;
        }
        self.file.set_len(self.start(self.records))?;
        Ok(true)
    }

    fn record_len(&self) -> usize {
        KEY + 8 * self.dimension + CHECK
    }

    fn start(&self, place: Place) -> u64 {
        self.head + u64::from(place) * self.record_len() as u64
    }

    /// Where the features of a picture are, if they are.
    pub(super) fn place(&self, key: &Key) -> Option<Place> {
        self.places.get(key).copied()
    }

    /// Forgets which picture has which place.
    pub(super) fn forget_keys(&mut self) {
        self.places = HashMap::new();
    }

    /// Adds pictures at once and gives the place of the first.
    pub(super) fn add(&mut self, rows: &[(Key, Vec<f64>)]) -> Result<Place, Failure> {
        let first = self.records;
        let mut bytes = Vec::with_capacity(rows.len() * self.record_len());
        for (key, row) in rows {
            let start = bytes.len();
            bytes.extend(key);
            bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
            let check = checked(&bytes[start..]);
            bytes.extend(check);
        }
        let written = (&self.file)
            .seek(SeekFrom::Start(self.start(first)))
            .and_then(|_| (&self.file).write_all(&bytes));
        written.map_err(|error| {
            Failure::storage(format!("cannot write {}: {error}", self.path.display()))
        })?;
        for (key, _) in rows {
            self.places.insert(*key, self.records);
            self.records += 1;
        }
        Ok(first)
    }

    /// Hands the rows of some pictures, in their order and in blocks of `block`, to `take`.
    pub(super) fn rows(
        &self,
        places: impl Iterator<Item = Place>,
        block: usize,
        mut take: impl FnMut(&mut Vec<f64>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let cannot = |error: std::io::Error| {
            Failure::storage(format!("cannot read {}: {error}", self.path.display()))
        };
        (&self.file).rewind().map_err(cannot)?;
        let mut reader = BufReader::with_capacity(1 << 16, &self.file);
        let mut record = vec![0; self.record_len()];
        let mut at = 0_u64;
        let mut rows = Vec::new();
        for place in places {
            let start = self.start(place);
            // Both are far below 2⁶³; neighbours are read from the buffer.
            let step = start as i64 - at as i64;
            let read = reader
                .seek_relative(step)
                .and_then(|()| reader.read_exact(&mut record));
            read.map_err(cannot)?;
            at = start + record.len() as u64;
            let values = record[KEY..record.len() - CHECK].as_chunks::<8>().0;
            rows.extend(values.iter().map(|bytes| f64::from_le_bytes(*bytes)));
            if rows.len() == block.saturating_mul(self.dimension) {
                take(&mut rows)?;
                rows.clear();
            }
        }
        if !rows.is_empty() {
            take(&mut rows)?;
        }
        Ok(())
    }
}

fn checked(content: &[u8]) -> [u8; CHECK] {
    let mut hasher = FieldHasher::new("retrial features record v1");
    leading(hasher.field(content))
}

/// The first bytes of a hash.
fn leading<const N: usize>(hasher: &FieldHasher) -> [u8; N] {
    let hex = hasher.hex();
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap_or(0))
}
