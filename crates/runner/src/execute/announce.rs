//! What a worker tells its scheduler: events, JSON lines on the standard output that it was given.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use retrial_core::event::Event;

/// The standard output, once it is for events alone.
static EVENTS: OnceLock<Mutex<File>> = OnceLock::new();

/// Keeps the standard output for events. What the study prints there goes to the standard error, so that it neither
/// breaks an event nor is lost.
///
/// # Errors
/// What the system says.
pub(super) fn keep_output_for_events() -> io::Result<()> {
    let own = io::stdout().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdout(io::stderr())?;
    let _ = EVENTS.set(Mutex::new(File::from(own)));
    Ok(())
}

/// Tells the scheduler; a scheduler that went away is noticed elsewhere.
pub(super) fn announce(event: &Event) {
    let line = json(event) + "\n";
    let _ = match EVENTS.get() {
        Some(events) => {
            let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
            events.write_all(line.as_bytes())
        }
        None => io::stdout().lock().write_all(line.as_bytes()),
    };
}

/// Says that something damaged or foreign was left out and is made anew.
pub(super) fn healed(what: String) {
    announce(&Event::Healed { what });
}

/// An event as a line.
pub(super) fn json(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}
