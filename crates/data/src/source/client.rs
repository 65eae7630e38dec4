//! Running a package manager's command under a time limit.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::FetchError;

/// Longest a package manager may take.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs `client` with `arguments` in `folder` until it succeeds or fails.
pub(crate) fn run_client(
    client: &'static str,
    arguments: &[&str],
    folder: &Path,
) -> Result<(), FetchError> {
    let command = format!("{client} {}", arguments.join(" "));
    let failed = |reason: String| FetchError::Client {
        command: command.clone(),
        reason,
    };
    let mut child = Command::new(client)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FetchError::NoClient { client },
            _ => failed(error.to_string()),
        })?;
    let stderr = child.stderr.take();
    // A full pipe would stop the client, so it is emptied while it runs.
    let words = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(stderr) = stderr {
            // Words that are not text or do not come are simply missing from the message.
            let _ = stderr.take(1 << 20).read_to_string(&mut text);
        }
        text
    });
    let started = Instant::now();
    let status = loop {
        match child
            .try_wait()
            .map_err(|error| failed(error.to_string()))?
        {
            Some(status) => break status,
            None if started.elapsed() > LIMIT => {
                // It may have ended by itself meanwhile.
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!("no end after {} s", LIMIT.as_secs())));
            }
            None => std::thread::sleep(Duration::from_millis(25)),
        }
    };
    if status.success() {
        return Ok(());
    }
    let words = words.join().unwrap_or_default();
    Err(failed(
        last_words(&words).unwrap_or_else(|| status.to_string()),
    ))
}

/// The line that says why: the first that names an error, else the last that says anything.
fn last_words(text: &str) -> Option<String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines()
        .find(|line| line.to_ascii_lowercase().contains("error"))
        .or_else(|| lines().next_back())?;
    Some(line.chars().take(300).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_client_is_named() {
        let error = run_client("retrial-no-such-client", &["x"], Path::new("."));
        assert!(matches!(
            error,
            Err(FetchError::NoClient {
                client: "retrial-no-such-client"
            })
        ));
    }

    #[test]
    fn the_reason_of_a_failure_is_kept() {
        let words = "warning: a\nnpm error code E404\nnpm error 404 Not Found\nlog in /tmp\n";
        assert_eq!(last_words(words).as_deref(), Some("npm error code E404"));
        assert_eq!(last_words("only this\n").as_deref(), Some("only this"));
    }
}
