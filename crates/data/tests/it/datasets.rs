//! Every data set of this repository is complete, and what is generated is what it says.

use std::fs;
use std::path::{Path, PathBuf};

use retrial_data::manifest::{Kind, Source};
use retrial_data::{CatalogEntry, Content, DataError, FetchOptions, catalog, find_manifest, load};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets")
}

#[test]
fn every_data_set_is_complete() {
    let sets = catalog(&root()).expect("the folder is there");
    assert!(sets.len() >= 20, "{}", sets.len());
    for CatalogEntry { name, manifest } in sets {
        let manifest = manifest.unwrap_or_else(|error| panic!("{error}"));
        let readme = fs::read_to_string(root().join(&name).join("README.md"));
        let readme = readme.unwrap_or_else(|error| panic!("{name}: README.md: {error}"));
        for part in [
            "## What it is",
            "## Known faults",
            "## Licence and citation",
        ] {
            assert!(
                readme.contains(part),
                "{name}: README.md has no part {part:?}"
            );
        }
        assert!(
            readme.starts_with(&format!("# {name}\n")),
            "{name}: title of README.md"
        );
        assert!(
            !manifest.content.ends_with(&"0".repeat(64)),
            "{name}: no digest"
        );
        assert_eq!(
            manifest.kind == Kind::Generated,
            manifest.is_generated(),
            "{name}"
        );
        let tables = manifest.variants.iter().flat_map(|v| &v.sources);
        let bundled = tables
            .filter(|s| matches!(s, Source::Bundled { .. }))
            .count();
        for entry in fs::read_dir(root().join(&name)).expect("listed") {
            let path = entry.expect("listed").path();
            let kind = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            let allowed = match kind {
                "yaml" | "md" | "tsv" => true,
                "json" => bundled > 0,
                _ => false,
            };
            assert!(allowed, "{}: data does not belong here", path.display());
        }
    }
}

#[test]
fn generated_sets_need_nothing_and_have_their_digest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut options = FetchOptions::new(folder.path().join("cache"));
    options.offline = true;
    let mut generated = 0;
    for CatalogEntry { name, manifest } in catalog(&root()).expect("the folder is there") {
        let manifest = manifest.unwrap_or_else(|error| panic!("{error}"));
        if manifest.kind != Kind::Generated {
            continue;
        }
        generated += 1;
        let (content, obtained) =
            load(&manifest, &options, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(obtained.source_used, "generator");
        match content {
            Content::Series(series) => assert!(
                series
                    .images
                    .iter()
                    .all(|image| image.truth.at(10.0, 10.0).is_some())
            ),
            Content::Thermal(set) => assert!(
                set.annotations[0]
                    .annotations
                    .iter()
                    .all(|object| object.truth.is_some())
            ),
            other => panic!("{name} is {}", other.kind()),
        }
    }
    assert!(generated >= 4);
    assert!(
        !folder.path().join("cache").exists(),
        "a generator writes nothing"
    );
}

#[test]
fn an_unknown_data_set_is_answered_with_those_that_exist() {
    let error = find_manifest(&root(), "mnst").expect_err("no such data set");
    let DataError::Unknown { known, .. } = &error else {
        panic!("{error}");
    };
    assert!(known.contains(&"mnist".to_owned()), "{error}");
    assert!(!error.is_absence(), "{error}");
}
