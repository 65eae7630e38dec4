//! A data set of files in a folder, with the digest that they decode to.

use std::path::Path;

use retrial_data::hashing::sha256_file;
use retrial_data::{Content, DataError, FetchOptions, load, read_manifest};

/// Loads the files `(path, role)` of `folder` by the decoder; `settings` is YAML or empty.
pub(crate) fn load_files(
    folder: &Path,
    decoder: &str,
    settings: &str,
    files: &[(&str, &str)],
) -> Result<Content, DataError> {
    let entry = |(path, role): &(&str, &str)| {
        let (sha256, bytes) = sha256_file(&folder.join(path)).expect("hashed");
        format!("      - {{ path: {path}, bytes: {bytes}, sha256: \"{sha256}\", role: {role} }}\n")
    };
    let text = format!(
        "format: 1\nname: t\ntitle: t\nkind: real\nlicence: l\nredistribution: allowed\ncitation: c\n\
         content: blake3:{}\n{settings}variants:\n  - name: files\n    decoder: {decoder}\n\
         \x20   sources: [bundled: \"{{path}}\"]\n    files:\n{}",
        "0".repeat(64),
        files.iter().map(entry).collect::<String>()
    );
    let manifest = read_manifest(&folder.join("manifest.yaml"), &text);
    let mut manifest = manifest.unwrap_or_else(|faults| panic!("{faults:?}"));
    let cache = tempfile::tempdir().expect("a temporary folder");
    let options = FetchOptions::new(cache.path());
    match load(&manifest, &options, &mut |_| ()) {
        Err(DataError::Content { got, .. }) => manifest.content = got,
        Err(error) => return Err(error),
        Ok(_) => panic!("a digest of zeros"),
    }
    load(&manifest, &options, &mut |_| ()).map(|(content, _)| content)
}

/// A temporary folder that bears the name of the data set.
pub(crate) fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().join("t");
    std::fs::create_dir(&folder).expect("created");
    (temporary, folder)
}
