//! What tests are given: the device, which is the CPU or what `RETRIAL_TEST_DEVICE` names, trained nets, and
//! files of the mirror.

#![cfg(test)]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::tensor::{Device, TensorData};
use retrial_seed::Seed;

use crate::device::open;
use crate::fit::{FitError, OfIteration, Plan, Rule, State, Supervised, Watch, fit};

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

/// A net trained on one batch again and again.
pub(crate) fn trained<N: Supervised>(
    net: N,
    task: N::Task,
    rule: Rule,
    batch: N::Batch,
    steps: u64,
) -> Result<(N, State<N::Losses>), FitError>
where
    N::Batch: Clone,
{
    let batches = Arc::new(move |_| batch.clone());
    divided(net, task, rule, batches, steps, 1)
}

/// A net trained by so many workers on one device.
pub(crate) fn divided<N: Supervised>(
    net: N,
    task: N::Task,
    rule: Rule,
    batches: OfIteration<N::Batch>,
    steps: u64,
    workers: usize,
) -> Result<(N, State<N::Losses>), FitError> {
    let plan = Plan {
        task,
        iterations: steps,
        rule,
        batches,
        patience: None,
        devices: vec![device(); workers],
    };
    let nobody: Arc<dyn Watch<N::Losses>> = Arc::new(Nobody);
    fit(net, None, plan, &nobody)
}

/// Lets a training go on to its end.
struct Nobody;

impl<L> Watch<L> for Nobody {
    fn stops(&self) -> bool {
        false
    }

    fn is_due(&self) -> bool {
        false
    }

    fn keep(&self, _: &State<L>) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    fn progress(&self, _: u64, _: u64) {}

    fn curve(&self, _: &str, _: u64, _: f64) {}
}

/// Normal values that the name alone decides.
pub(crate) fn drawn(name: &str, shape: &[usize]) -> TensorData {
    let mut stream = Seed(1).stream(name);
    let length = shape.iter().product();
    let values: Vec<f32> = (0..length).map(|_| stream.normal() as f32).collect();
    TensorData::new(values, shape.to_vec())
}

/// The same as a tensor of the CPU's backend.
pub(crate) fn primitive(name: &str, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(drawn(name, shape))
}

pub(crate) fn numbers(tensor: &FlexTensor) -> Vec<f32> {
    let data = tensor.to_contiguous().into_data();
    data.try_to_vec().expect("f32 values")
}

/// Fails where values of ours differ from those of the portable operation.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "results are compared where they are made"
)]
pub(crate) fn near(ours: FlexTensor, portable: FlexTensor, what: &str) {
    let (ours, portable) = (numbers(&ours), numbers(&portable));
    assert_eq!(ours.len(), portable.len(), "{what}");
    let largest = portable.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert!(largest > 0.0, "{what} is nothing");
    for (i, (a, b)) in ours.iter().zip(&portable).enumerate() {
        let error = (a - b).abs();
        assert!(error <= 1e-5 * largest, "{what}, value {i}: {a} {b}");
    }
}
