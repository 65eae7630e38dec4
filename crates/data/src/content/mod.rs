//! What decoded data sets hold, whatever the files looked like: models that several formats give. Those of one format
//! alone stand with it.

pub mod digits;
pub mod series;
pub mod thermal;

use retrial_core::census::Census;
use retrial_core::hash::FieldHasher;

/// A kind of content.
pub trait Model {
    /// What it is called where studies say which kind they take.
    const KIND: &'static str;

    /// The digest of the content, `blake3:…`.
    fn digest(&self) -> String;

    /// What is there, and what was repaired or looks wrong.
    fn census(&self) -> Census {
        Census::default()
    }
}

/// Takes the size of a picture into a digest.
fn hash_size(hasher: &mut FieldHasher, width: usize, height: usize) {
    hasher
        .field(&(width as u64).to_le_bytes())
        .field(&(height as u64).to_le_bytes());
}
