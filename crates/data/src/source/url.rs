//! Download: resumable, bounded, checked, with what went wrong said plainly.
//!
//! A transfer that breaks off leaves `<name>.part` and the server's tag for it; the next one asks
//! for the rest with `Range` and `If-Range`, so a file that changed meanwhile comes whole.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ureq::http::Response;
use ureq::{Agent, Body};

use super::copy::{OnBytes, copy_hashed};
use crate::error::FetchError;
use crate::hashing::Sha256Sum;
use crate::manifest::{FileEntry, fill};

/// Patience with servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection and its handshake.
    pub connect: Duration,
    /// For the answer's head and for every further piece of its body.
    pub read: Duration,
    /// How long a body may come slower than `least_rate`.
    pub grace: Duration,
    /// Bytes a second that a body brings on average once `grace` is over. It bounds the whole time:
    /// `grace` and the file's size over this rate.
    pub least_rate: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            grace: Duration::from_secs(60),
            least_rate: 8 * 1024,
        }
    }
}

/// An agent that never turns a status into an error: the status is ours to judge.
pub(crate) fn agent(timeouts: Timeouts) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(timeouts.connect))
        .timeout_resolve(Some(timeouts.connect))
        .timeout_recv_response(Some(timeouts.read))
        .timeout_per_read(Some(timeouts.read))
        .max_redirects(5)
        .user_agent("retrial (reproduction of published experiments)")
        .build()
        .into()
}

/// A body that ends with an error where its average rate falls below the least one.
struct Paced<R> {
    body: R,
    timeouts: Timeouts,
    begun: Instant,
    bytes: u64,
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        self.bytes += count as u64;
        let passed = self.begun.elapsed();
        let least = self.timeouts.least_rate as f64;
        let patience = self.timeouts.grace.as_secs_f64() + self.bytes as f64 / least;
        if count > 0 && passed.as_secs_f64() > patience {
            let reason = format!(
                "{} bytes came in {:.0} s, fewer than {least} bytes a second; the next try goes on from there",
                self.bytes,
                passed.as_secs_f64()
            );
            return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
        }
        Ok(count)
    }
}

/// The address of a file: its path percent-encoded, `/` kept.
pub(crate) fn address(template: &str, file: &FileEntry) -> String {
    fill(template, file, percent_encode)
}

fn percent_encode(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    path.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// The host of an address, with its port.
pub(crate) fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// Downloads `address` into `part`, going on from what is there, and checks the whole.
pub(crate) fn download(
    (agent, timeouts): (&Agent, Timeouts),
    address: &str,
    file: &FileEntry,
    part: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<(), FetchError> {
    let agent = (agent, timeouts);
    let resumed = transfer(agent, address, file, part, on_bytes);
    match resumed {
        // The beginning that was there may belong to another version of the file.
        Err((FetchError::Hash { .. } | FetchError::Size { .. }, true)) => {
            discard(part);
            transfer(agent, address, file, part, on_bytes).map_err(|(error, _)| error)
        }
        other => other.map_err(|(error, _)| error),
    }
}

/// Removes a part file and its tag.
pub(crate) fn discard(part: &Path) {
    // A part that cannot be removed is overwritten by the next transfer.
    let _ = fs::remove_file(part);
    let _ = fs::remove_file(tag_path(part));
}

fn tag_path(part: &Path) -> PathBuf {
    part.with_extension("tag")
}

/// One transfer; the flag of an error says whether it went on from an older part.
fn transfer(
    (agent, timeouts): (&Agent, Timeouts),
    address: &str,
    file: &FileEntry,
    part: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<(), (FetchError, bool)> {
    let fresh = |error: FetchError| (error, false);
    // The tag file holds the address and its tag: a part from another server is not gone on with.
    let tag = fs::read_to_string(tag_path(part)).unwrap_or_default();
    let tag = tag
        .strip_prefix(address)
        .and_then(|rest| rest.strip_prefix('\n'));
    let there = part.metadata().map_or(0, |meta| meta.len());
    let there = if tag.is_some() && there <= file.bytes {
        there
    } else {
        0
    };
    // A redirect must not lead from an encrypted connection to an open one.
    let request = (agent.get(address).config())
        .https_only(address.starts_with("https://"))
        .build();
    let mut request = request.header("Accept-Encoding", "identity");
    if there > 0 && there < file.bytes {
        request = request.header("Range", format!("bytes={there}-"));
        if let Some(tag) = tag.filter(|tag| !tag.is_empty()) {
            request = request.header("If-Range", tag);
        }
    }
    let mut response = request
        .call()
        .map_err(|error| fresh(connection_error(address, &error)))?;
    let start = match response.status().as_u16() {
        200 => 0,
        206 if starts_at(&response, there) => there,
        status => return Err(fresh(FetchError::Status { status })),
    };
    let resumed = start > 0;
    let flagged = |error: FetchError| (error, resumed);
    check_head(&mut response, file, start).map_err(flagged)?;
    let writing = FetchError::write(part, file.bytes);
    let (mut writer, sum) = open_part(part, start).map_err(writing).map_err(flagged)?;
    let new_tag = format!("{address}\n{}", strong_tag(&response).unwrap_or(""));
    fs::write(tag_path(part), new_tag)
        .map_err(FetchError::write(part, file.bytes))
        .map_err(flagged)?;
    let mut body = Paced {
        body: response.into_body().into_reader(),
        timeouts,
        begun: Instant::now(),
        bytes: 0,
    };
    let range = (start, file.bytes);
    let copied =
        copy_hashed(&mut body, &mut writer, part, sum, range, on_bytes).map_err(flagged)?;
    if copied.bytes < file.bytes && copied.broken.is_none() {
        let error = FetchError::Truncated {
            expected: file.bytes,
            got: copied.bytes,
            reason: "the server closed the connection".to_owned(),
        };
        return Err(flagged(error));
    }
    copied.check(file).map_err(flagged)?;
    // The tag has served its purpose.
    let _ = fs::remove_file(tag_path(part));
    Ok(())
}

/// The part file at `start`, and the hash of what it holds.
fn open_part(part: &Path, start: u64) -> io::Result<(File, Sha256Sum)> {
    let mut sum = Sha256Sum::default();
    if start == 0 {
        return Ok((File::create(part)?, sum));
    }
    let mut file = File::options().read(true).write(true).open(part)?;
    let mut buffer = vec![0; 1 << 17];
    let mut left = start;
    while left > 0 {
        let wanted = left.min(buffer.len() as u64) as usize;
        let count = file.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sum.update(&buffer[..count]);
        left -= count as u64;
    }
    file.set_len(start)?;
    file.seek(SeekFrom::Start(start))?;
    Ok((file, sum))
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// A tag that `If-Range` accepts; weak ones are not.
fn strong_tag(response: &Response<Body>) -> Option<&str> {
    header(response, "etag").filter(|tag| tag.starts_with('"'))
}

fn starts_at(response: &Response<Body>, start: u64) -> bool {
    header(response, "content-range")
        .and_then(|range| range.strip_prefix("bytes "))
        .and_then(|range| range.split('-').next())
        .is_some_and(|first| first.parse() == Ok(start))
}

/// Judges the answer before its body is stored: its size, and whether it is a web page.
fn check_head(
    response: &mut Response<Body>,
    file: &FileEntry,
    start: u64,
) -> Result<(), FetchError> {
    let html = header(response, "content-type").is_some_and(|kind| kind.contains("text/html"));
    if html && !file.path.ends_with(".html") {
        let mut page = String::new();
        // Only the title is wanted; a page that cannot be read has none.
        let _ = response
            .body_mut()
            .as_reader()
            .take(65_536)
            .read_to_string(&mut page);
        return Err(FetchError::WebPage {
            title: title(&page),
        });
    }
    let length = header(response, "content-length").and_then(|length| length.parse::<u64>().ok());
    if let Some(length) = length
        && length.checked_add(start) != Some(file.bytes)
    {
        return Err(FetchError::Size {
            expected: file.bytes,
            got: length.saturating_add(start),
        });
    }
    Ok(())
}

fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + 7;
    let end = lower[start..].find("</title>")? + start;
    let title: String = page[start..end]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Some(title.chars().take(80).collect())
}

/// What failed before there was an answer.
fn connection_error(address: &str, error: &ureq::Error) -> FetchError {
    FetchError::Unreachable {
        host: host(address).to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encoded() {
        let file = FileEntry {
            path: "Sample3-001 X0.10.tif".to_owned(),
            origin: "Etiquetadas/LINES/Line (50).JPG".to_owned(),
            bytes: 1,
            sha256: String::new(),
            role: String::new(),
        };
        assert_eq!(
            address("https://example.org/{origin}", &file),
            "https://example.org/Etiquetadas/LINES/Line%20%2850%29.JPG"
        );
        assert_eq!(host("https://example.org/a/b"), "example.org");
        assert_eq!(host("http://127.0.0.1:80/a"), "127.0.0.1:80");
    }

    #[test]
    fn a_title_is_found() {
        let page = "<!doctype html><TITLE> Moved\n to</TITLE><body>";
        assert_eq!(title(page).as_deref(), Some("Moved to"));
        assert_eq!(title("data"), None);
    }
}
