//! sha256 of files and streams, as publishers state it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// A running sha256.
#[derive(Clone, Default)]
pub(crate) struct Sha256Sum(Sha256);

impl Sha256Sum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// 64 hex digits.
    pub(crate) fn hex(self) -> String {
        self.0
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// The sha256 of a file as 64 hex digits, and its size in bytes.
///
/// # Errors
/// Whatever reading the file gives.
pub fn sha256_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut sum = Sha256Sum::default();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((sum.hex(), bytes));
        }
        sum.update(&buffer[..count]);
        bytes += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_value() {
        // FIPS 180-2, appendix B.1.
        let mut sum = Sha256Sum::default();
        sum.update(b"abc");
        assert_eq!(
            sum.hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
