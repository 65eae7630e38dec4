//! What tests are given: the device, which is the CPU or what `RETRIAL_TEST_DEVICE` names, and
//! files of the mirror.

#![cfg(test)]

use std::path::Path;

use burn::tensor::Device;

use crate::device::open;

/// The device that tests run on.
pub(crate) fn device() -> Device {
    let name = std::env::var("RETRIAL_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    let choice = name.parse().expect("RETRIAL_TEST_DEVICE names a device");
    open(choice).expect("the device of the tests")
}

/// The bytes of a file of the mirror.
pub(crate) fn mirrored(file: &str) -> Vec<u8> {
    let mirror = std::env::var_os("RETRIAL_MIRROR");
    let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
    let path = Path::new(&mirror).join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
