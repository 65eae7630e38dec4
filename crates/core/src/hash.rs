//! Content hashes: short names for exact content.
//!
//! blake3 everywhere except where a publisher states sha256. A hash is written as
//! `blake3:<64 hex digits>`; ids carry the first [`SHORT_HEX`] digits.

/// Hex digits of a hash that enter a trial or stage id: 48 bits, so that even a million ids
/// collide with a probability below 0.2 %.
pub const SHORT_HEX: usize = 12;

/// Hashes a sequence of fields so that no two different sequences give the same bytes: every
/// field is preceded by its length.
#[derive(Clone, Default)]
pub struct FieldHasher(blake3::Hasher);

impl FieldHasher {
    /// A hasher for one purpose; two purposes never share a hash.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.field(purpose.as_bytes());
        hasher
    }

    /// Adds one field.
    pub fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// All 64 hex digits of the hash so far.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }

    /// The hash in its written form, `blake3:…`.
    #[must_use]
    pub fn tagged(&self) -> String {
        format!("blake3:{}", self.hex())
    }

    /// The first [`SHORT_HEX`] digits of the hash so far.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex()[..SHORT_HEX].to_owned()
    }
}

/// The written hash of some bytes, `blake3:…`.
#[must_use]
pub fn content(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_borders_matter() {
        let hash = |fields: &[&str]| {
            let mut hasher = FieldHasher::new("test");
            for field in fields {
                hasher.field(field.as_bytes());
            }
            hasher.hex()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&[]), hash(&[""]));
    }

    #[test]
    fn known_value() {
        // `printf '' | b3sum`
        assert_eq!(
            content(b""),
            "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
    }
}
