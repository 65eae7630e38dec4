//! The devices of burn: opened for a trial, and as the program names and tries them.

use std::sync::{Arc, Mutex};

use retrial_nets::device::{Device, DeviceChoice, DeviceError, probe};
use retrial_runner::{Devices, TrialError};

/// The device of that name, as a trial or a stage has it.
///
/// # Errors
/// Why there is none, or why it cannot be had.
pub fn open(name: &str) -> Result<Device, TrialError> {
    let choice: DeviceChoice = name.parse().map_err(TrialError::of)?;
    retrial_nets::device::open(choice).map_err(TrialError::of)
}

/// The processor, and graphics cards by the cargo features of [`retrial_nets`].
pub struct NetDevices;

impl Devices for NetDevices {
    fn names(&self) -> &'static str {
        "flex (CPU), cuda:N or wgpu"
    }

    fn default_name(&self) -> &'static str {
        "flex"
    }

    fn named(&self, name: &str) -> Result<retrial_runner::Device, String> {
        let choice: DeviceChoice = name
            .parse()
            .map_err(|error: DeviceError| error.to_string())?;
        Ok(retrial_runner::Device {
            name: choice.to_string(),
            kind: choice.kind().to_owned(),
        })
    }

    fn probe(&self, device: &retrial_runner::Device) -> Result<(), String> {
        let choice: DeviceChoice = device
            .name
            .parse()
            .map_err(|error: DeviceError| error.to_string())?;
        let (found, heard) = quietly(|| probe(choice));
        found.map_err(|error| match (error, heard) {
            // What panicked first is the cause; what the probe got is often only that it did.
            (DeviceError::Broken { .. }, Some(cause)) => {
                format!("device `{choice}` does not work: {}", one_line(&cause))
            }
            (error, _) => one_line(&error.to_string()),
        })
    }
}

/// Does `work`, and gives the words of the first panic in place of printing every one: where the
/// driver of a card is missing, libraries panic on threads of their own.
fn quietly<T>(work: impl FnOnce() -> T) -> (T, Option<String>) {
    let heard = Arc::new(Mutex::new(None));
    let first = Arc::clone(&heard);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut first) = first.lock() {
            let words = panic.payload_as_str().unwrap_or("it panicked");
            first.get_or_insert_with(|| words.to_owned());
        }
    }));
    let found = work();
    std::panic::set_hook(before);
    let heard = heard.lock().ok().and_then(|mut first| first.take());
    (found, heard)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_heard_and_not_printed() {
        let (found, heard) = quietly(|| {
            let thread = std::thread::spawn(|| panic!("no library of that name"));
            thread.join().is_err()
        });
        assert!(found);
        assert_eq!(heard.as_deref(), Some("no library of that name"));
        assert_eq!(quietly(|| 3), (3, None));
        assert_eq!(one_line("a\n  b"), "a b");
    }
}
