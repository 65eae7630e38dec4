//! Data sets made of others: parts are fetched, verified and decoded as they are alone.

use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma};
use retrial_data::hashing::sha256_file;
use retrial_data::{
    Availability, Content, DataError, FetchOptions, available, decode_cached, find_manifest, load,
    obtain, verify,
};
use tempfile::TempDir;

/// A folder of data sets: `photos` with two variants, `drawn`, and `both` made of them.
struct Sets {
    root: TempDir,
}

impl Sets {
    fn new() -> Self {
        let sets = Self {
            root: tempfile::tempdir().expect("a temporary folder"),
        };
        let photos = sets.root.path().join("photos");
        fs::create_dir(&photos).expect("created");
        let picture = photos.join("a.png");
        let grey = GrayImage::from_pixel(3, 2, Luma([7]));
        grey.save(&picture).expect("saved");
        let (sha256, bytes) = sha256_file(&picture).expect("hashed");
        let variant = |name: &str| {
            format!(
                "  - name: {name}\n    decoder: picture-folder\n    sources: [bundled: \"{{path}}\"]\n\
                 \x20   files:\n      - {{ path: a.png, bytes: {bytes}, sha256: \"{sha256}\", role: picture }}\n"
            )
        };
        let variants = format!("variants:\n{}{}", variant("files"), variant("again"));
        sets.write("photos", &zeros(), "real", &variants);
        let drawn = "speckle:\n  seed: 1\n  width_px: 16\n  height_px: 12\n\
                     \x20 images: [{ truth: { kind: translation, u: 0.5, v: 0 } }]\n\
                     variants:\n  - { name: made, decoder: speckle-series }\n";
        sets.write("drawn", &zeros(), "generated", drawn);
        for (name, text, kind) in [
            ("photos", variants.as_str(), "real"),
            ("drawn", drawn, "generated"),
        ] {
            let manifest = find_manifest(sets.root.path(), name).expect("a manifest");
            match load(&manifest, &sets.options(), &mut |_| ()) {
                Err(DataError::Content { got, .. }) => sets.write(name, &got, kind, text),
                other => panic!("{other:?}"),
            }
        }
        fs::remove_dir_all(sets.cache()).expect("removed");
        let parts = ["photos", "drawn"].map(|name| (name.to_owned(), sets.content(name)));
        let digest = Content::Several(parts.to_vec()).digest();
        sets.write("both", &digest, "real", &made_of("[photos, drawn]"));
        fs::remove_dir_all(sets.cache()).expect("removed");
        sets
    }

    fn write(&self, name: &str, digest: &str, kind: &str, rest: &str) {
        let folder = self.root.path().join(name);
        fs::create_dir_all(&folder).expect("created");
        let text = format!(
            "format: 1\nname: {name}\ntitle: t\nkind: {kind}\nlicence: l\nredistribution: allowed\n\
             citation: c\ncontent: {digest}\n{rest}"
        );
        fs::write(folder.join("manifest.yaml"), text).expect("written");
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    fn options(&self) -> FetchOptions {
        let mut options = FetchOptions::new(self.cache());
        options.offline = true;
        options
    }

    fn content(&self, name: &str) -> Content {
        let manifest = find_manifest(self.root.path(), name).expect("a manifest");
        let loaded = load(&manifest, &self.options(), &mut |_| ());
        loaded.unwrap_or_else(|error| panic!("{error}")).0
    }

    fn fault(&self, name: &str) -> String {
        let error = find_manifest(self.root.path(), name).expect_err("a fault");
        error
            .to_string()
            .replace(&format!("{}/", self.root.path().display()), "")
    }
}

fn zeros() -> String {
    format!("blake3:{}", "0".repeat(64))
}

fn made_of(parts: &str) -> String {
    format!("parts: {parts}\nvariants:\n  - {{ name: parts, decoder: several }}\n")
}

fn cut(path: &Path) {
    let bytes = fs::read(path).expect("read");
    fs::write(path, vec![0; bytes.len()]).expect("written");
}

#[test]
fn the_parts_are_what_they_are_alone() {
    let sets = Sets::new();
    let manifest = find_manifest(sets.root.path(), "both").expect("a manifest");
    let options = sets.options();
    assert!(!manifest.is_generated(), "one part is not");
    assert_eq!(manifest.content_kind(), "several data sets");
    let variant = "parts".to_owned();
    assert_eq!(
        available(&manifest, &options),
        Availability::Local {
            variant: variant.clone()
        }
    );
    assert!(
        decode_cached(&manifest, &options.cache).is_none(),
        "nothing is cached"
    );
    let (content, obtained) = load(&manifest, &options, &mut |_| ()).expect("loaded");
    assert_eq!(content.kind(), "several data sets");
    assert_eq!(content.digest(), manifest.content);
    assert_eq!(content.part("drawn"), Some(&sets.content("drawn")));
    assert_eq!(
        content.part("photos").map(Content::kind),
        Some("picture files")
    );
    assert_eq!(content.part("film"), None);
    assert_eq!(
        (obtained.source_used.as_str(), obtained.all_files().len()),
        ("bundled, generator", 1)
    );
    assert_eq!(
        available(&manifest, &options),
        Availability::Cached { variant }
    );
    let again = decode_cached(&manifest, &options.cache).expect("all is cached");
    assert_eq!(again.expect("decoded"), content);
}

#[test]
fn a_wrong_file_of_a_part_is_found_and_replaced() {
    let sets = Sets::new();
    let manifest = find_manifest(sets.root.path(), "both").expect("a manifest");
    let mut options = sets.options();
    let obtained = obtain(&manifest, &options, &mut |_| ()).expect("obtained");
    cut(&obtained.all_files()[0].at);
    let verified = verify(&manifest, &options.cache);
    assert_eq!(verified.len(), 1);
    assert_eq!(
        (verified[0].variant.as_str(), verified[0].fault.is_some()),
        ("photos/files", true)
    );
    assert!(
        decode_cached(&manifest, &options.cache)
            .expect("cached")
            .is_err()
    );
    options.variant = Some("photos/files".to_owned());
    options.rehash = true;
    obtain(&manifest, &options, &mut |_| ()).expect("replaced");
    assert!(verify(&manifest, &options.cache)[0].fault.is_none());
    // The variant of a part can be chosen.
    options.variant = Some("photos/again".to_owned());
    let obtained = obtain(&manifest, &options, &mut |_| ()).expect("obtained");
    assert_eq!(obtained.parts[0].variant, "again");
    options.variant = Some("photos/film".to_owned());
    let error = obtain(&manifest, &options, &mut |_| ()).expect_err("no such variant");
    let expected = "data set `both` has no variant `photos/film`; it has photos/files, photos/again, drawn/made";
    assert_eq!(error.to_string(), expected);
    // Loading mends a wrong file by itself.
    cut(&sets.cache().join("photos/files/a.png"));
    load(&manifest, &sets.options(), &mut |_| ()).expect("mended");
}

#[test]
fn every_fault_of_the_parts_is_named() {
    let sets = Sets::new();
    sets.write("broken", "blake3:0", "real", "variants: []\n");
    let none = "variants: [{ name: parts, decoder: several }]\n";
    let cases = [
        (
            "[photos, drown]",
            "both/manifest.yaml:9:17: parts[1]: there is no data set \"drown\"; did you mean `drawn`?",
        ),
        (
            "[photos, film-of-things]",
            "there is no data set \"film-of-things\"; in ",
        ),
        ("[photos, ../drawn]", "there is no data set \"../drawn\"; "),
        (
            "[photos, both]",
            "both/manifest.yaml:9:17: parts[1]: \"both\" is made of parts itself; name its parts here instead",
        ),
        (
            "[photos, photos]",
            "9:17: parts[1]: \"photos\" is given twice",
        ),
        (
            "[photos, broken]",
            "parts[1]: \"broken\" has 2 faults itself: broken/manifest.yaml:8:10: content: ",
        ),
        ("[]", "9:8: parts: a data set of parts needs at least one"),
        (
            "photos",
            "9:8: parts: expected a list, found the text \"photos\"",
        ),
        (
            "[photos]",
            "8:10: content: \"blake3:0000000000000000000000000000000000000000000000000000000000000000\" is not the digest of the parts; write `blake3:",
        ),
    ];
    for (parts, expected) in cases {
        sets.write("both", &zeros(), "real", &made_of(parts));
        let fault = sets.fault("both");
        assert!(fault.contains(expected), "{expected} is not in: {fault}");
    }
    sets.write("both", &zeros(), "real", none);
    assert!(
        sets.fault("both")
            .contains("`several` needs the settings `parts`")
    );
    let files = "parts: [photos]\nvariants:\n  - { name: made, decoder: mnist-csv }\n";
    sets.write("both", &zeros(), "real", files);
    assert!(sets.fault("both").contains("`mnist-csv` takes no settings"));
}

#[test]
fn a_part_that_changes_is_seen_without_data() {
    let sets = Sets::new();
    let path = sets.root.path().join("drawn/manifest.yaml");
    let text = fs::read_to_string(&path).expect("read");
    let digest = find_manifest(sets.root.path(), "drawn")
        .expect("a manifest")
        .content;
    fs::write(&path, text.replace(&digest, &zeros())).expect("written");
    assert!(
        sets.fault("both")
            .contains("is not the digest of the parts")
    );
}

#[test]
fn variants_of_two_kinds_are_refused() {
    let sets = Sets::new();
    let zeros_sha = "0".repeat(64);
    let variant = |decoder: &str, role: &str| {
        format!(
            "  - name: {decoder}\n    decoder: {decoder}\n    sources: [bundled: \"{{path}}\"]\n\
             \x20   files:\n      - {{ path: a, bytes: 1, sha256: \"{zeros_sha}\", role: {role} }}\n"
        )
    };
    let text = format!(
        "variants:\n{}{}",
        variant("mnist-csv", "train"),
        variant("weights-file", "weights")
    );
    sets.write("odd", &zeros(), "real", &text);
    let expected = "`mnist-csv` decodes to digits, `weights-file` to weights of a net";
    assert!(
        sets.fault("odd").contains(expected),
        "{}",
        sets.fault("odd")
    );
}
