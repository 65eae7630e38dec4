//! The device that a net runs on: a value chosen by name, not a type.
//!
//! The CPU is always there. A graphics card needs the cargo feature `cuda` or `wgpu`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

pub use burn::tensor::Device;
use burn::tensor::Tensor;
use thiserror::Error;

use crate::ops::reduce::total;

/// A device as named by a person: `flex` (or `cpu`), `cuda`, `cuda:1`, `wgpu`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// burn's CPU kernels in Rust.
    #[default]
    Flex,
    /// The CUDA device with this index.
    Cuda(usize),
    /// The graphics card that wgpu prefers.
    Wgpu,
}

/// Devices of one kind that share the work of a trial, each named once: `cuda:0,cuda:1`.
///
/// One name is a list of one; no list is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceChoices(Vec<DeviceChoice>);

/// Why a device cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DeviceError {
    /// The name is none of the accepted ones.
    #[error("unknown device `{name}`: expected flex, cpu, cuda, cuda:N or wgpu")]
    Unknown {
        /// The name as given.
        name: String,
    },
    /// A list has a comma with nothing on one side of it.
    #[error("`{list}` lacks a device beside a comma: expected such as `cuda:0,cuda:1`")]
    Lacks {
        /// The list as given.
        list: String,
    },
    /// A list has devices of two kinds.
    #[error("`{list}` has devices of two kinds, {kind} and {other}: expected one kind")]
    Kinds {
        /// The list as given.
        list: String,
        /// The kind of the first.
        kind: &'static str,
        /// Another kind.
        other: &'static str,
    },
    /// A list has a device twice.
    #[error("`{list}` has the device `{choice}` twice: expected each device once")]
    Twice {
        /// The list as given.
        list: String,
        /// The device.
        choice: DeviceChoice,
    },
    /// The program was built without the cargo feature.
    #[error(
        "device `{choice}` is not in this build: build with `cargo build --release --features {feature}`"
    )]
    NotBuilt {
        /// The device asked for.
        choice: DeviceChoice,
        /// The feature that has it.
        feature: &'static str,
    },
    /// The device, its driver or burn gave up.
    #[error("device `{choice}` does not work: {reason}")]
    Broken {
        /// The device asked for.
        choice: DeviceChoice,
        /// What it said.
        reason: String,
    },
    /// The device computes something else than arithmetic does.
    #[error("device `{choice}` computes a wrong {what}: expected {expected:?}, got {got}")]
    Wrong {
        /// The device asked for.
        choice: DeviceChoice,
        /// What was computed.
        what: &'static str,
        /// The numbers by hand.
        expected: [u16; 4],
        /// The numbers of the device.
        got: String,
    },
}

impl DeviceChoice {
    /// The kind of device.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Flex => "cpu",
            Self::Cuda(_) => "cuda",
            Self::Wgpu => "wgpu",
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        match name {
            "flex" | "cpu" => Ok(Self::Flex),
            "cuda" => Ok(Self::Cuda(0)),
            "wgpu" => Ok(Self::Wgpu),
            _ => name
                .strip_prefix("cuda:")
                .filter(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| DeviceError::Unknown {
                    name: name.to_owned(),
                }),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flex => f.write_str("flex"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Wgpu => f.write_str("wgpu"),
        }
    }
}

impl DeviceChoices {
    /// All of them, in the order given.
    #[must_use]
    pub fn each(&self) -> &[DeviceChoice] {
        &self.0
    }

    /// The one that does what is not shared.
    #[must_use]
    pub fn first(&self) -> DeviceChoice {
        self.0[0]
    }

    /// Kind and number, which enter the ids of trials; the indices do not: `cuda`, `2 x cuda`.
    ///
    /// The number counts because several devices add gradients up in another order than one does.
    #[must_use]
    pub fn kind(&self) -> String {
        let kind = self.first().kind();
        match self.0.len() {
            1 => kind.to_owned(),
            count => format!("{count} x {kind}"),
        }
    }
}

impl FromStr for DeviceChoices {
    type Err = DeviceError;

    fn from_str(list: &str) -> Result<Self, DeviceError> {
        let mut choices: Vec<DeviceChoice> = Vec::new();
        for name in list.split(',') {
            let list = list.to_owned();
            if name.is_empty() && list.contains(',') {
                return Err(DeviceError::Lacks { list });
            }
            let choice: DeviceChoice = name.parse()?;
            if choices.contains(&choice) {
                return Err(DeviceError::Twice { list, choice });
            }
            let kind = choices.first().map_or(choice.kind(), |first| first.kind());
            if kind != choice.kind() {
                let other = choice.kind();
                return Err(DeviceError::Kinds { list, kind, other });
            }
            choices.push(choice);
        }
        Ok(Self(choices))
    }
}

impl fmt::Display for DeviceChoices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, choice) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{choice}")?;
        }
        Ok(())
    }
}

/// The device of that name, without automatic differentiation: add it with `Device::autodiff`.
///
/// Graphics cards are opened by their first operation: [`probe`] says whether one works.
///
/// # Errors
/// [`DeviceError::NotBuilt`] when the cargo feature is missing, [`DeviceError::Broken`].
pub fn open(choice: DeviceChoice) -> Result<Device, DeviceError> {
    match choice {
        DeviceChoice::Flex => Ok(Device::flex()),
        DeviceChoice::Cuda(index) => cuda(choice, index),
        DeviceChoice::Wgpu => wgpu(choice),
    }
}

/// Multiplies two small matrices on the device, differentiates, and compares with literal numbers.
///
/// # Errors
/// As [`open`], and [`DeviceError::Broken`] when the device cannot do it, [`DeviceError::Wrong`]
/// when the numbers differ.
pub fn probe(choice: DeviceChoice) -> Result<(), DeviceError> {
    let device = open(choice)?.autodiff();
    let (product, gradient) = guarded(choice, || product_and_gradient(&device))?;
    // By hand: A = [1 2; 3 4], B = [5 6; 7 8], C = A B, and d(sum of C²)/dA = 2 C Bᵀ.
    compare(choice, "matrix product", [19, 22, 43, 50], &product)?;
    compare(choice, "gradient", [454, 618, 1030, 1402], &gradient)
}

fn product_and_gradient(device: &Device) -> Result<(Vec<f32>, Vec<f32>), String> {
    let matrix = |values: [[f32; 2]; 2]| Tensor::<2>::from_data(values, device);
    let a = matrix([[1.0, 2.0], [3.0, 4.0]]).require_grad();
    let product = a.clone().matmul(matrix([[5.0, 6.0], [7.0, 8.0]]));
    let loss = total(product.clone() * product.clone());
    let gradients = loss.backward();
    let gradient = a.grad(&gradients).ok_or("no gradient came back")?;
    let numbers = |tensor: Tensor<2>| {
        let data = tensor.try_into_data().map_err(|e| e.to_string())?;
        data.convert::<f32>()
            .try_to_vec()
            .map_err(|e| e.to_string())
    };
    Ok((numbers(product)?, numbers(gradient)?))
}

/// Drivers that are absent make burn panic; here that is an error like any other.
fn guarded<T>(
    choice: DeviceChoice,
    work: impl FnOnce() -> Result<T, String>,
) -> Result<T, DeviceError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(text.unwrap_or_else(|| "it panicked".to_owned()))
        })
        .map_err(|reason| DeviceError::Broken { choice, reason })
}

/// The numbers are whole; a device may round its factors to ten bits (TF32), so one in a thousand.
fn compare(
    choice: DeviceChoice,
    what: &'static str,
    expected: [u16; 4],
    got: &[f32],
) -> Result<(), DeviceError> {
    let close = |(&wanted, &found): (&u16, &f32)| {
        let wanted = f32::from(wanted);
        (wanted - found).abs() <= 1e-3 * wanted
    };
    if got.len() == expected.len() && expected.iter().zip(got).all(close) {
        return Ok(());
    }
    Err(DeviceError::Wrong {
        choice,
        what,
        expected,
        got: format!("{got:?}"),
    })
}

#[cfg(feature = "cuda")]
fn cuda(choice: DeviceChoice, index: usize) -> Result<Device, DeviceError> {
    guarded(choice, || Ok(Device::cuda(index)))
}

#[cfg(not(feature = "cuda"))]
fn cuda(choice: DeviceChoice, _index: usize) -> Result<Device, DeviceError> {
    let feature = "cuda";
    Err(DeviceError::NotBuilt { choice, feature })
}

#[cfg(feature = "wgpu")]
fn wgpu(choice: DeviceChoice) -> Result<Device, DeviceError> {
    use burn::tensor::DeviceKind;
    guarded(choice, || Ok(Device::wgpu(DeviceKind::DefaultDevice)))
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(choice: DeviceChoice) -> Result<Device, DeviceError> {
    let feature = "wgpu";
    Err(DeviceError::NotBuilt { choice, feature })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let read = |name: &str| name.parse::<DeviceChoice>();
        assert_eq!(read("flex"), Ok(DeviceChoice::Flex));
        assert_eq!(read("cpu"), Ok(DeviceChoice::Flex));
        assert_eq!(read("cuda"), Ok(DeviceChoice::Cuda(0)));
        assert_eq!(read("cuda:12"), Ok(DeviceChoice::Cuda(12)));
        assert_eq!(read("wgpu"), Ok(DeviceChoice::Wgpu));
        for name in [
            "",
            "gpu",
            "CUDA",
            "cuda:",
            "cuda:-1",
            "cuda:+1",
            "cuda:x",
            "cuda:99999999999999999999",
        ] {
            let error = read(name).expect_err(name).to_string();
            assert!(
                error.contains("expected flex, cpu, cuda, cuda:N or wgpu"),
                "{error}"
            );
        }
        for choice in [
            DeviceChoice::Flex,
            DeviceChoice::Cuda(3),
            DeviceChoice::Wgpu,
        ] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
    }

    #[test]
    fn lists_are_read_and_written() {
        let read = |list: &str| list.parse::<DeviceChoices>();
        for (list, whole, kind) in [
            ("cpu", "flex", "cpu"),
            ("wgpu", "wgpu", "wgpu"),
            ("cuda", "cuda:0", "cuda"),
            ("cuda:3", "cuda:3", "cuda"),
            ("cuda:1,cuda", "cuda:1,cuda:0", "2 x cuda"),
            ("cuda:0,cuda:1,cuda:2", "cuda:0,cuda:1,cuda:2", "3 x cuda"),
        ] {
            let choices = read(list).expect(list);
            assert_eq!((&*choices.to_string(), &*choices.kind()), (whole, kind));
            assert_eq!(choices.to_string().parse(), Ok(choices));
        }
        let choices = read("cuda:1,cuda").expect("two cards");
        assert_eq!(
            choices.each(),
            [DeviceChoice::Cuda(1), DeviceChoice::Cuda(0)]
        );
        assert_eq!(choices.first(), DeviceChoice::Cuda(1));
    }

    #[test]
    fn faulty_lists_say_what_is_wrong() {
        for (list, said) in [
            ("", "unknown device ``: expected flex"),
            ("cuda:0,tpu", "unknown device `tpu`: expected flex"),
            ("cuda:0,", "`cuda:0,` lacks a device beside a comma"),
            (",cuda:0", "`,cuda:0` lacks a device beside a comma"),
            (",", "`,` lacks a device beside a comma"),
            (
                "cuda:0,wgpu",
                "`cuda:0,wgpu` has devices of two kinds, cuda and wgpu",
            ),
            ("cuda,cuda:0", "`cuda,cuda:0` has the device `cuda:0` twice"),
            ("cpu,flex", "`cpu,flex` has the device `flex` twice"),
        ] {
            let error = list.parse::<DeviceChoices>().expect_err(list).to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn the_cpu_computes() {
        assert_eq!(probe(DeviceChoice::Flex), Ok(()));
    }

    #[test]
    fn wrong_numbers_and_panics_are_errors() {
        let choice = DeviceChoice::Flex;
        let wanted = [19, 22, 43, 50];
        assert_eq!(
            compare(choice, "matrix product", wanted, &[19.0, 22.01, 43.0, 50.0]),
            Ok(())
        );
        for got in [&[19.0, 22.0, 43.0, 51.0][..], &[19.0], &[f32::NAN; 4]] {
            let error = compare(choice, "matrix product", wanted, got).expect_err("wrong");
            assert!(error.to_string().contains("[19, 22, 43, 50]"), "{error}");
        }
        let error = guarded::<()>(choice, || panic!("no driver {}", 7)).expect_err("a panic");
        assert_eq!(
            error.to_string(),
            "device `flex` does not work: no driver 7"
        );
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_missing_feature_is_named() {
        let error = open(DeviceChoice::Cuda(1)).expect_err("not built");
        assert_eq!(
            error.to_string(),
            "device `cuda:1` is not in this build: build with `cargo build --release --features cuda`"
        );
        assert!(probe(DeviceChoice::Cuda(1)).is_err());
    }
}
