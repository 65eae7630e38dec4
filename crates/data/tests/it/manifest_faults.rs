//! Faulty manifests: every fault at once, each at its place, with what would be right.

use std::path::Path;

use retrial_data::read_manifest;

fn faults(text: &str) -> Vec<String> {
    read_manifest(Path::new("datasets/t/manifest.yaml"), text)
        .expect_err("faults")
        .iter()
        .map(|fault| fault.to_string().replace("datasets/t/manifest.yaml:", ""))
        .collect()
}

fn good() -> String {
    format!(
        r#"format: 1
name: t
title: A title
kind: real
licence: none
redistribution: not-stated
citation: somebody
content: blake3:{zeros}
series:
  reference: a.png
  images:
    - {{ file: b.png, truth: {{ kind: translation, u: 0.5, v: 0 }} }}
variants:
  - name: files
    decoder: image-series
    sources:
      - url: "https://example.org/{{path}}"
    files:
      - {{ path: a.png, bytes: 5, sha256: "{zeros}" }}
      - {{ path: b.png, bytes: 6, sha256: "{zeros}" }}
"#,
        zeros = "0".repeat(64)
    )
}

#[test]
fn the_good_one_is_read() {
    let manifest = read_manifest(Path::new("datasets/t/manifest.yaml"), &good()).expect("good");
    assert_eq!(manifest.variants[0].bytes(), 11);
}

/// One change to the good manifest and the fault it must give.
#[test]
fn every_fault_is_named() {
    let cases = [
        (
            "format: 1",
            "format: 2",
            "1:9: format: found the whole number `2`; this program reads format 1",
        ),
        (
            "name: t\n",
            "name: T\n",
            "2:7: name: \"T\" is no name for a data set; use a to z, 0 to 9 and `-`, at most 64 characters",
        ),
        (
            "name: t\n",
            "name: other\n",
            "2:7: name: \"other\" lies in the folder \"t\"; give both the same name",
        ),
        (
            "kind: real",
            "kind: reel",
            "4:7: kind: \"reel\" is not known; did you mean `real`?",
        ),
        (
            "title: A title",
            "titel: A title",
            "1:1: title: this key is missing",
        ),
        (
            "citation: somebody",
            "citation: [somebody]",
            "7:11: citation: expected text, found a list",
        ),
        (
            "content: blake3:0",
            "content: blake3:g",
            &format!(
                "8:10: content: \"blake3:g{}\" is no digest; write `blake3:` and 64 hex digits (zeros at first: `retrial data fetch` names the right ones)",
                "0".repeat(63)
            ),
        ),
        (
            "reference: a.png",
            "reference: c.png",
            "10:14: series: \"c.png\" is not among the files of variant `files`",
        ),
        (
            "kind: translation",
            "kind: translatoin",
            "12:37: series.images[0].truth.kind: \"translatoin\" is not known; did you mean `translation`?",
        ),
        (
            "u: 0.5",
            "u: .nan",
            "12:53: series.images[0].truth.u: expected a finite number, found `NaN`",
        ),
        (
            "u: 0.5,",
            "",
            "12:29: series.images[0].truth.u: this key is missing",
        ),
        (
            "u: 0.5,",
            "u: 0.5, w: 1,",
            "12:58: series.images[0].truth.w: an unknown key; did you mean `u`?",
        ),
        (
            "decoder: image-series",
            "decoder: image-serie",
            "15:14: variants[0].decoder: \"image-serie\" is not known; did you mean `image-series`?",
        ),
        (
            "https://example.org",
            "http://example.org",
            "17:14: variants[0].sources[0].url: \"http://example.org/{path}\" is no address that is fetched; begin with https://",
        ),
        (
            "{path}\"",
            "{name}\"",
            "17:14: variants[0].sources[0].url: \"https://example.org/{name}\" holds an unknown placeholder; known are {path} and {origin}",
        ),
        (
            "url: \"https://example.org",
            "mirror: \"../x",
            "17:17: variants[0].sources[0].mirror: \"../x/{path}\" leaves its folder; use a relative path without `..`",
        ),
        (
            "path: b.png",
            "path: ../b.png",
            "20:17: variants[0].files[1].path: \"../b.png\" is no path inside the data set; use a relative path with `/`, without `..`, hidden parts or `\\ : * ? \" < > |`",
        ),
        (
            "path: b.png",
            "path: /etc/passwd",
            "20:17: variants[0].files[1].path: \"/etc/passwd\" is no path inside the data set; use a relative path with `/`, without `..`, hidden parts or `\\ : * ? \" < > |`",
        ),
        (
            "path: b.png",
            "path: A.png",
            "19:7: variants[0].files: two files with the path \"A.png\"",
        ),
        (
            "bytes: 6",
            "bytes: 0",
            "20:31: variants[0].files[1].bytes: 0 bytes, expected 1 to 68719476736",
        ),
        (
            "bytes: 6",
            "bytes: 6, bytes: 6",
            "20:34: variants[0].files[1].bytes: a duplicate key; it stands at line 20 already",
        ),
        (
            "bytes: 6",
            "bytes: 6, size: 6",
            "20:34: variants[0].files[1].size: an unknown key; known here: path, bytes, sha256, origin, role",
        ),
        (
            "bytes: 6",
            "bytes: 6, role: train",
            "14:5: variants[0].files: file 1 (b.png) has the role \"train\"; `image-series` knows truth",
        ),
    ];
    let mut wrong = Vec::new();
    for (from, to, expected) in cases {
        let text = good().replacen(from, to, 1);
        assert_ne!(text, good(), "{from}");
        let faults = faults(&text);
        if !faults.iter().any(|fault| fault == expected) {
            wrong.push(format!("{to}: expected\n{expected}\nfound {faults:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_come_together() {
    let text = good()
        .replace("kind: real", "kind: reel")
        .replace("bytes: 6", "bytes: six")
        .replace("v: 0", "w: 0");
    let faults = faults(&text);
    assert_eq!(faults.len(), 4, "{faults:#?}");
}

#[test]
fn words_that_a_client_would_misread_are_refused() {
    for (name, version) in [
        ("--registry", "1.0"),
        ("a", "$(x)"),
        ("a/../b", "1"),
        ("", "1"),
    ] {
        let source = format!(
            "package: {{ registry: npm, name: \"{name}\", version: \"{version}\", member: \"{{path}}\" }}"
        );
        let text = good().replace("url: \"https://example.org/{path}\"", &source);
        let faults = faults(&text);
        assert!(faults[0].contains("is not a package's"), "{faults:#?}");
    }
}
