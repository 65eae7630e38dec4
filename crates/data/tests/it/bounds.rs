//! What a source may not do: trickle, hide a host, lead out of its folder, never end.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use retrial_data::fetch::Timeouts;
use retrial_data::manifest::Manifest;
use retrial_data::{DataError, FetchOptions, obtain, read_manifest};

/// A data set of two pictures, its manifest in `folder`, from one source.
fn manifest(folder: &Path, source: &str, files: &str) -> Result<Manifest, Vec<String>> {
    let text = format!(
        "format: 1\nname: t\ntitle: t\nkind: real\nlicence: l\nredistribution: allowed\n\
         citation: c\ncontent: blake3:{zeros}\n\
         series:\n  reference: a.pgm\n  images:\n\
         \x20   - {{ file: b.pgm, truth: {{ kind: translation, u: 0, v: 0 }} }}\n\
         variants:\n  - name: files\n    decoder: image-series\n    sources:\n      - {source}\n    files:\n\
         {files}",
        zeros = "0".repeat(64),
    );
    let path = folder.join("t/manifest.yaml");
    read_manifest(&path, &text).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn files(bytes: usize, more: &str) -> String {
    let file = |name: &str, more: &str| {
        let sum = "0".repeat(64);
        format!("      - {{ path: {name}, bytes: {bytes}, sha256: \"{sum}\"{more} }}\n")
    };
    file("a.pgm", more) + &file("b.pgm", "")
}

fn fetched(manifest: &Manifest, options: &FetchOptions) -> String {
    let error = obtain(manifest, options, &mut |_| ()).expect_err("no file is right");
    match &error {
        DataError::Unobtainable { .. } => error.to_string(),
        other => panic!("{other}"),
    }
}

/// A byte every 20 ms is a living connection, but a file of a megabyte would take hours.
#[test]
fn a_trickle_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n";
            let mut sent = stream.write_all(head.as_bytes());
            // It ends by itself, so that a client without a bound fails the test and does not hang it.
            for _ in 0..500 {
                if sent.is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
                sent = stream.write_all(b"x");
            }
        }
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = format!("url: \"http://127.0.0.1:{port}/{{path}}\"");
    let manifest = manifest(folder.path(), &source, &files(1_000_000, "")).expect("valid");
    let mut options = FetchOptions::new(folder.path().join("cache"));
    options.timeouts = Timeouts {
        connect: Duration::from_secs(2),
        read: Duration::from_secs(2),
        grace: Duration::from_millis(300),
        least_rate: 10_000,
    };
    let begun = Instant::now();
    let said = fetched(&manifest, &options);
    assert!(said.contains("fewer than 10000 bytes a second"), "{said}");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn an_address_with_user_information_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for address in [
        "https://someone:secret@example.org/{path}",
        "http://127.0.0.1:80@example.org/{path}",
        "https://example.org@example.com?/{path}",
    ] {
        let source = format!("url: \"{address}\"");
        let faults = manifest(folder.path(), &source, &files(5, "")).expect_err("refused");
        assert!(faults[0].contains("holds user information"), "{faults:?}");
        assert!(
            !faults[0].contains("secret"),
            "a password is not printed: {faults:?}"
        );
    }
    let source = "url: \"https://example.org/a@b/{path}\"";
    manifest(folder.path(), source, &files(5, "")).expect("an @ in the path is none");
}

#[test]
fn an_origin_stays_in_its_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for origin in [
        "../../secret.pgm",
        "/etc/passwd",
        "a/../../b",
        "..\\\\secret",
        "a/./b",
    ] {
        let source = "bundled: \"{origin}\"";
        let files = files(5, &format!(", origin: \"{origin}\""));
        let faults = manifest(folder.path(), source, &files).expect_err("refused");
        assert!(
            faults[0].contains("leaves the folder of its source"),
            "{faults:?}"
        );
    }
    let files = files(5, ", origin: \"Lines/Line (50): a?.JPG\"");
    manifest(folder.path(), "bundled: \"{origin}\"", &files).expect("odd names are names");
}

/// A pipe without a writer would be waited for without end.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(folder.path().join("t")).expect("made");
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("t/a.pgm"))
        .status();
    assert!(made.expect("mkfifo starts").success());
    let manifest = manifest(folder.path(), "bundled: \"{path}\"", &files(5, "")).expect("valid");
    let options = FetchOptions::new(folder.path().join("cache"));
    let said = fetched(&manifest, &options);
    assert!(said.contains("it is no regular file"), "{said}");
}
