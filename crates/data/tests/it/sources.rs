//! Sources that fail in every known way: the error says how, nothing half-written stays, and the
//! next source is tried.

use std::fs;
use std::path::Path;
use std::time::Duration;

use retrial_data::fetch::Timeouts;
use retrial_data::{
    Attempt, Availability, DataError, FetchError, FetchOptions, FetchProgress, Manifest, Obtained,
    available, decode_cached, load, obtain, read_manifest, verify,
};

use super::server::{Server, answer, dead_port, ok};

/// A 2 × 1 picture in PGM, in three forms of bytes.
const PICTURE: &[u8] = b"P5\n2 1\n255\n\x01\x02";
const OTHER: &[u8] = b"P5\n2 1\n255\n\x01\x03";
/// sha256sum of `PICTURE`.
const SHA256: &str = "6ff841b975c631ee2993edeb5e678ee01e8b46ad04c2fc1098cd078aba5c91b4";

struct Case {
    folder: tempfile::TempDir,
    options: FetchOptions,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut options = FetchOptions::new(folder.path().join("cache"));
        options.timeouts = Timeouts {
            connect: Duration::from_secs(2),
            read: Duration::from_secs(2),
            ..Timeouts::default()
        };
        Self { folder, options }
    }

    /// A data set `t` with the pictures `a.pgm` and `b.pgm`, both `PICTURE`.
    fn manifest(&self, sources: &[String]) -> Manifest {
        let file = |name: &str| {
            format!(
                "      - {{ path: {name}, bytes: {}, sha256: \"{SHA256}\" }}\n",
                PICTURE.len()
            )
        };
        let sources: String = sources.iter().map(|s| format!("      - {s}\n")).collect();
        let text = format!(
            "format: 1\nname: t\ntitle: t\nkind: real\nlicence: l\nredistribution: allowed\n\
             citation: c\ncontent: blake3:{}\n\
             series:\n  reference: a.pgm\n  images:\n\
             \x20   - {{ file: b.pgm, truth: {{ kind: translation, u: 0, v: 0 }} }}\n\
             variants:\n  - name: files\n    decoder: image-series\n    sources:\n{sources}    files:\n{}{}",
            "0".repeat(64),
            file("a.pgm"),
            file("b.pgm")
        );
        let path = self.folder.path().join("t").join("manifest.yaml");
        read_manifest(&path, &text).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn obtain(&self, manifest: &Manifest) -> Result<Obtained, DataError> {
        obtain(manifest, &self.options, &mut |_| ())
    }

    /// The attempts of a data set that cannot be had.
    fn attempts(&self, sources: &[String]) -> Vec<Attempt> {
        match self.obtain(&self.manifest(sources)) {
            Err(DataError::Unobtainable { attempts, .. }) => attempts,
            other => panic!("expected no source to work, got {other:?}"),
        }
    }

    /// Names of all files in the cache but locks.
    fn cached(&self) -> Vec<String> {
        let mut names = Vec::new();
        list(&self.options.cache, &mut names);
        names.sort();
        names
    }
}

fn list(folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.expect("listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            list(&entry.path(), names);
        } else if name != ".lock" {
            names.push(name);
        }
    }
}

fn url(port: u16) -> String {
    format!("url: \"http://127.0.0.1:{port}/{{path}}\"")
}

#[test]
fn a_right_answer_is_kept_and_not_asked_for_again() {
    let case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let manifest = case.manifest(&[url(server.port)]);
    let bytes = 2 * PICTURE.len() as u64;
    assert_eq!(
        available(&manifest, &case.options),
        Availability::Remote { bytes }
    );
    let mut finished = Vec::new();
    let obtained = obtain(&manifest, &case.options, &mut |progress| {
        if let FetchProgress::Finished { file, .. } = progress {
            finished.push(file.to_owned());
        }
    });
    assert_eq!(obtained.expect("obtained").source_used, "url");
    assert_eq!(finished, ["a.pgm", "b.pgm"]);
    let variant = "files".to_owned();
    assert_eq!(
        available(&manifest, &case.options),
        Availability::Cached { variant }
    );
    assert_eq!(case.obtain(&manifest).expect("cached").source_used, "cache");
    assert_eq!(server.paths(), ["/a.pgm", "/b.pgm"]);
    assert_eq!(case.cached(), ["a.pgm", "b.pgm"]);
    // The digest in the manifest is zeros, which no content has.
    let error = load(&manifest, &case.options, &mut |_| ()).expect_err("another digest");
    assert!(matches!(error, DataError::Content { .. }), "{error}");
}

#[test]
fn every_wrong_answer_has_its_error() {
    let page = b"<!doctype html><title>Moved away</title>";
    let answers: [(Vec<u8>, &str); 6] = [
        (
            answer("404 Not Found", "", 0, b""),
            "the server answered 404",
        ),
        (
            answer("503 Service Unavailable", "", 0, b""),
            "the server answered 503",
        ),
        (
            answer(
                "200 OK",
                "Content-Type: text/html; charset=utf-8\r\n",
                page.len(),
                page,
            ),
            "the server sent a web page instead of data (\"Moved away\")",
        ),
        (ok(b"short"), "5 bytes, expected 13"),
        (ok(OTHER), "sha256 is "),
        (
            b"HTTP/1.1 200 OK\r\n\r\nP5\n2 1\n255\n\x01\x02 and much more".to_vec(),
            "14 bytes, expected 13",
        ),
    ];
    for (bytes, expected) in answers {
        let case = Case::new();
        let server = Server::start(move |_| bytes.clone());
        let attempts = case.attempts(&[url(server.port)]);
        let error = attempts[0].error.to_string();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(case.cached(), [""; 0], "{error}");
    }
}

#[test]
fn a_truncated_body_is_gone_on_with() {
    let case = Case::new();
    // The first answer promises all and breaks off after four bytes.
    let server = Server::start(|request| match (&request.range, &request.if_range) {
        (Some(range), Some(tag)) if tag == "\"v1\"" && range == "bytes=4-" => {
            let headers = "ETag: \"v1\"\r\nContent-Range: bytes 4-12/13\r\n";
            answer("206 Partial Content", headers, 9, &PICTURE[4..])
        }
        (None, _) if request.path == "/a.pgm" => {
            answer("200 OK", "ETag: \"v1\"\r\n", 13, &PICTURE[..4])
        }
        _ => ok(PICTURE),
    });
    let sources = [url(server.port)];
    let attempts = case.attempts(&sources);
    let error = &attempts[0].error;
    assert!(
        matches!(
            error,
            FetchError::Truncated {
                expected: 13,
                got: 4,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(case.cached(), ["a.pgm.part", "a.pgm.tag"]);
    let obtained = case
        .obtain(&case.manifest(&sources))
        .expect("the rest comes");
    assert_eq!(fs::read(&obtained.files[0].at).expect("there"), PICTURE);
    assert_eq!(case.cached(), ["a.pgm", "b.pgm"]);
    let requests = server.requests.lock().expect("not poisoned");
    assert_eq!(requests[1].range.as_deref(), Some("bytes=4-"));
}

#[test]
fn a_part_of_another_version_is_thrown_away() {
    let case = Case::new();
    // The server honours ranges without a tag, and the file changed after the first part.
    let server = Server::start(|request| match &request.range {
        Some(_) => {
            let headers = "Content-Range: bytes 12-12/13\r\n";
            answer("206 Partial Content", headers, 1, &PICTURE[12..])
        }
        None => ok(PICTURE),
    });
    let folder = case.options.cache.join("t/files");
    fs::create_dir_all(&folder).expect("created");
    fs::write(folder.join("a.pgm.part"), b"P4\n2 1\n255\n\x01").expect("written");
    let address = format!("http://127.0.0.1:{}/a.pgm\n", server.port);
    fs::write(folder.join("a.pgm.tag"), address).expect("written");
    let obtained = case
        .obtain(&case.manifest(&[url(server.port)]))
        .expect("comes whole");
    assert_eq!(fs::read(&obtained.files[0].at).expect("there"), PICTURE);
    assert_eq!(server.paths(), ["/a.pgm", "/a.pgm", "/b.pgm"]);
}

#[test]
fn a_dead_host_is_asked_once_and_the_next_source_is_tried() {
    let case = Case::new();
    let (dead, server) = (dead_port(), Server::start(|_| ok(PICTURE)));
    let manifest = case.manifest(&[url(dead), url(server.port)]);
    let mut failures = Vec::new();
    let obtained = obtain(&manifest, &case.options, &mut |progress| {
        if let FetchProgress::Failed { file, reason, .. } = progress {
            failures.push(format!("{file}: {reason}"));
        }
    });
    obtained.expect("the second source works");
    assert_eq!(failures.len(), 2);
    assert!(
        failures[0].starts_with(&format!("a.pgm: cannot reach 127.0.0.1:{dead}")),
        "{failures:?}"
    );
    assert!(failures[1].starts_with("b.pgm: skipped: "), "{failures:?}");
}

#[test]
fn a_silent_server_does_not_hold_anyone_up() {
    let mut case = Case::new();
    case.options.timeouts.read = Duration::from_millis(200);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let attempts = case.attempts(&[url(port)]);
    let error = attempts[0].error.to_string();
    assert!(error.contains("timeout"), "{error}");
}

#[test]
fn the_final_error_names_every_attempt() {
    let case = Case::new();
    let server = Server::start(|_| answer("404 Not Found", "", 0, b""));
    let manifest = case.manifest(&[url(server.port), "mirror: \"m/{path}\"".to_owned()]);
    let text = case.obtain(&manifest).expect_err("no source").to_string();
    let expected = format!(
        "no source gave a.pgm of data set `t`:\n  \
         files: a.pgm from mirror m/a.pgm: skipped: RETRIAL_MIRROR is not set\n  \
         files: a.pgm from http://127.0.0.1:{}/a.pgm: the server answered 404",
        server.port
    );
    assert_eq!(text, expected);
}

#[test]
fn a_mirror_comes_first_and_is_checked() {
    let mut case = Case::new();
    let mirror = case.folder.path().join("mirror");
    fs::create_dir_all(mirror.join("m")).expect("created");
    fs::write(mirror.join("m/a.pgm"), PICTURE).expect("written");
    fs::write(mirror.join("m/b.pgm"), OTHER).expect("written");
    case.options.mirror = Some(mirror);
    let server = Server::start(|_| ok(PICTURE));
    let manifest = case.manifest(&[url(server.port), "mirror: \"m/{path}\"".to_owned()]);
    let variant = "files".to_owned();
    assert_eq!(
        available(&manifest, &case.options),
        Availability::Local { variant }
    );
    // `b.pgm` has the right size and the wrong content there, so it comes from the address.
    let obtained = case.obtain(&manifest).expect("obtained");
    assert_eq!(obtained.source_used, "mirror, url");
    assert_eq!(server.paths(), ["/b.pgm"]);
}

#[test]
fn offline_means_no_request() {
    let mut case = Case::new();
    case.options.offline = true;
    let server = Server::start(|_| ok(PICTURE));
    let package = "package: { registry: npm, name: x, version: \"1.0.0\", member: \"{path}\" }";
    let sources = [url(server.port), package.to_owned()];
    assert_eq!(
        available(&case.manifest(&sources), &case.options),
        Availability::Offline
    );
    let attempts = case.attempts(&sources);
    assert_eq!(attempts.len(), 2);
    assert!(
        attempts
            .iter()
            .all(|a| matches!(a.error, FetchError::Offline))
    );
    assert_eq!(server.paths(), [""; 0]);
}

#[test]
fn a_spoilt_cache_is_found_and_mended() {
    let mut case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let manifest = case.manifest(&[url(server.port)]);
    let obtained = case.obtain(&manifest).expect("obtained");
    fs::write(&obtained.files[1].at, OTHER).expect("written");
    let verified = verify(&manifest, &case.options.cache);
    assert!(verified[0].fault.is_none());
    assert!(matches!(verified[1].fault, Some(FetchError::Hash { .. })));
    case.options.rehash = true;
    case.obtain(&manifest).expect("obtained again");
    assert_eq!(server.paths(), ["/a.pgm", "/b.pgm", "/b.pgm"]);
    assert!(
        verify(&manifest, &case.options.cache)
            .iter()
            .all(|v| v.fault.is_none())
    );
}

/// The digest of the data set `t` as it is decoded, found in the error of `load`.
fn digest(error: &DataError) -> String {
    match error {
        DataError::Content { got, .. } => got.clone(),
        other => panic!("{other}"),
    }
}

/// A data set of mirror and server with the right digest, in the cache, and its second file.
fn cached_with_digest(case: &mut Case, server: &Server) -> (Manifest, std::path::PathBuf) {
    let mirror = case.folder.path().join("mirror");
    fs::create_dir_all(&mirror).expect("created");
    fs::write(mirror.join("a.pgm"), PICTURE).expect("written");
    fs::write(mirror.join("b.pgm"), PICTURE).expect("written");
    case.options.mirror = Some(mirror);
    let sources = [url(server.port), "mirror: \"{path}\"".to_owned()];
    let mut manifest = case.manifest(&sources);
    let error = load(&manifest, &case.options, &mut |_| ()).expect_err("another digest");
    manifest.content = digest(&error);
    let file = case.options.cache.join("t/files/b.pgm");
    assert!(file.is_file());
    (manifest, file)
}

#[test]
fn load_mends_a_spoilt_cache_offline() {
    let mut case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let (manifest, file) = cached_with_digest(&mut case, &server);
    case.options.offline = true;
    // The first still is a picture, the second is not.
    for spoilt in [OTHER, b"0123456789abc"] {
        fs::write(&file, spoilt).expect("written");
        // Sizes are right, so `obtain` sees nothing.
        assert_eq!(case.obtain(&manifest).expect("there").source_used, "cache");
        let (_, obtained) = load(&manifest, &case.options, &mut |_| ()).expect("mended");
        assert_eq!(obtained.source_used, "mirror");
        assert_eq!(fs::read(&file).expect("there"), PICTURE);
    }
    assert_eq!(server.paths(), [""; 0]);
}

#[test]
fn a_spoilt_file_that_nothing_replaces_is_named() {
    let mut case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let (manifest, file) = cached_with_digest(&mut case, &server);
    case.options.offline = true;
    case.options.mirror = None;
    fs::write(&file, OTHER).expect("written");
    let error = load(&manifest, &case.options, &mut |_| ()).expect_err("no source");
    assert!(!error.is_absence(), "{error}");
    let text = error.to_string();
    let place = format!("b.pgm from the cache, {}: sha256 is ", file.display());
    assert!(text.contains(&place) && text.contains(SHA256), "{text}");
    assert!(text.contains("skipped: offline"), "{text}");
    assert_eq!(fs::read(&file).expect("kept"), OTHER);
}

#[test]
fn verifying_and_decoding_the_cache_change_nothing() {
    let mut case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let (manifest, file) = cached_with_digest(&mut case, &server);
    let cache = &case.options.cache;
    assert!(decode_cached(&manifest, cache).expect("whole").is_ok());
    fs::write(&file, OTHER).expect("written");
    let verified = verify(&manifest, cache);
    assert!(matches!(verified[1].fault, Some(FetchError::Hash { .. })));
    let decoded = decode_cached(&manifest, cache).expect("whole");
    assert!(matches!(decoded, Err(DataError::Content { .. })));
    assert_eq!(fs::read(&file).expect("there"), OTHER);
    fs::remove_file(&file).expect("removed");
    assert!(decode_cached(&manifest, cache).is_none());
    assert!(!file.exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_no_missing_source() {
    let case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let manifest = case.manifest(&[url(server.port)]);
    // A folder where the part file should be cannot be written by anyone.
    let part = case.options.cache.join("t/files/a.pgm.part");
    fs::create_dir_all(part.join("x")).expect("created");
    let error = case.obtain(&manifest).expect_err("not written");
    assert!(!error.is_absence(), "{error}");
    assert!(
        matches!(error, DataError::CacheUnwritable { .. }),
        "{error}"
    );
    let said = format!(
        "the cache at {} cannot be written",
        case.options.cache.display()
    );
    assert!(error.to_string().starts_with(&said), "{error}");
}

/// `/dev/full` is a file on a disk without room.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_no_missing_source() {
    let case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let folder = case.options.cache.join("t/files");
    fs::create_dir_all(&folder).expect("created");
    std::os::unix::fs::symlink("/dev/full", folder.join("a.pgm.part")).expect("linked");
    let error = case
        .obtain(&case.manifest(&[url(server.port)]))
        .expect_err("full");
    assert!(!error.is_absence(), "{error}");
    assert!(error.to_string().contains("no space left"), "{error}");
}

#[test]
fn a_cache_whose_folder_cannot_be_made_is_no_missing_source() {
    let mut case = Case::new();
    let taken = case.folder.path().join("taken");
    fs::write(&taken, "").expect("written");
    case.options.cache = taken.join("cache");
    let error = case
        .obtain(&case.manifest(&[url(1)]))
        .expect_err("no cache");
    assert!(!error.is_absence(), "{error}");
    assert!(matches!(error, DataError::Io { .. }), "{error}");
}

#[test]
fn a_mirror_that_is_not_set_is_no_event() {
    let case = Case::new();
    let server = Server::start(|_| ok(PICTURE));
    let manifest = case.manifest(&["mirror: \"m/{path}\"".to_owned(), url(server.port)]);
    let mut events = Vec::new();
    let obtained = obtain(&manifest, &case.options, &mut |progress| {
        events.push(format!("{progress:?}"));
    });
    assert_eq!(obtained.expect("obtained").source_used, "url");
    assert!(!events.is_empty());
    assert!(
        !events.iter().any(|event| event.contains("mirror")),
        "{events:?}"
    );
}

#[test]
fn an_unknown_variant_is_named() {
    let mut case = Case::new();
    case.options.variant = Some("csv".to_owned());
    let error = case
        .obtain(&case.manifest(&[url(1)]))
        .expect_err("no such variant");
    assert_eq!(
        error.to_string(),
        "data set `t` has no variant `csv`; it has files"
    );
}

#[test]
fn two_processes_do_not_fetch_twice() {
    // The lock is per open file, so two threads stand for two processes.
    let case = Case::new();
    let server = Server::start(|_| {
        std::thread::sleep(Duration::from_millis(100));
        ok(PICTURE)
    });
    let manifest = case.manifest(&[url(server.port)]);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| case.obtain(&manifest).expect("obtained"));
        }
    });
    assert_eq!(server.paths(), ["/a.pgm", "/b.pgm"]);
}
