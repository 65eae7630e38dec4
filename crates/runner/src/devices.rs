//! The devices that studies compute on, as the program knows them.

use serde::{Deserialize, Serialize};

/// The kind of device of trials that use no other.
pub(crate) const CPU: &str = "cpu";

/// A device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its whole name, such as `cuda:0`.
    pub name: String,
    /// Its kind, which enters ids; that of the processor is `cpu`.
    pub kind: String,
}

/// What a program knows of devices.
pub trait Devices: Sync {
    /// The names that a person may give, for the help.
    fn names(&self) -> &'static str;

    /// The whole name of the device that is taken where none is given: one of the kind `cpu`.
    fn default_name(&self) -> &'static str;

    /// The device that a person means.
    ///
    /// # Errors
    /// Why there is none of that name.
    fn named(&self, name: &str) -> Result<Device, String>;

    /// Whether a device computes, found by computing on it.
    ///
    /// # Errors
    /// Why it does not, in a line.
    fn probe(&self, device: &Device) -> Result<(), String>;
}

/// The processor alone.
pub struct Cpu;

impl Devices for Cpu {
    fn names(&self) -> &'static str {
        "cpu"
    }

    fn default_name(&self) -> &'static str {
        "cpu"
    }

    fn named(&self, name: &str) -> Result<Device, String> {
        match name {
            "cpu" => Ok(Device {
                name: name.to_owned(),
                kind: name.to_owned(),
            }),
            _ => Err(format!("unknown device `{name}`: expected cpu")),
        }
    }

    fn probe(&self, _device: &Device) -> Result<(), String> {
        Ok(())
    }
}
