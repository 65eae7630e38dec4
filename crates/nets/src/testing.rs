//! The device of the tests: the CPU, or what `RETRIAL_TEST_DEVICE` names.

#![cfg(test)]

use burn::tensor::Device;

use crate::device::open;

/// The device that tests run on.
pub(crate) fn device() -> Device {
    let name = std::env::var("RETRIAL_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    let choice = name.parse().expect("RETRIAL_TEST_DEVICE names a device");
    open(choice).expect("the device of the tests")
}
