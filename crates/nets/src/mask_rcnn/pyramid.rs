//! The feature pyramid.
//!
//! # Source
//! Lin et al. 2017, arXiv:1612.03144, section 3; the fifth level halves the fourth.

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};

use super::layer::{Biased, LINEAR};
use super::start::Start;

/// Maps of equal channels at strides 4, 8, 16, 32 and 64.
#[derive(Module, Debug)]
pub(crate) struct Pyramid {
    lateral: Vec<Biased>,
    smooth: Vec<Biased>,
}

impl Pyramid {
    pub(crate) fn new(channels: [usize; 4], written: usize, start: &mut Start<'_>) -> Self {
        let lateral = channels.map(|read| {
            let kernel = start.uniform([1, 1, read, written], read);
            Biased::from(kernel, start)
        });
        let smooth = [(); 4].map(|()| {
            let kernel = start.uniform([3, 3, written, written], 9 * written);
            Biased::from(kernel, start)
        });
        Self {
            lateral: lateral.into(),
            smooth: smooth.into(),
        }
    }

    /// The five levels, finest first.
    pub(crate) fn forward(&self, maps: Vec<Tensor<4>>) -> Vec<Tensor<4>> {
        let mut levels = Vec::new();
        let mut above: Option<Tensor<4>> = None;
        for (index, map) in maps.into_iter().enumerate().rev() {
            let mut inner = self.lateral[index].forward(map, LINEAR);
            if let Some(above) = above {
                let [_, height, width, _] = inner.dims();
                inner = inner + nearest(above, height, width);
            }
            levels.push(self.smooth[index].forward(inner.clone(), LINEAR));
            above = Some(inner);
        }
        levels.reverse();
        let top = levels[3].clone();
        let [_, height, width, _] = top.dims();
        levels.push(picked(top, &every_second(height), &every_second(width)));
        levels
    }
}

/// The nearest position of `x` at every position of `height × width`.
fn nearest(x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
    let [_, rows, columns, _] = x.dims();
    let from = |length: usize, own: usize| -> Vec<i64> {
        (0..length).map(|i| (i * own / length) as i64).collect()
    };
    picked(x, &from(height, rows), &from(width, columns))
}

fn every_second(length: usize) -> Vec<i64> {
    (0..length as i64).step_by(2).collect()
}

fn picked(x: Tensor<4>, rows: &[i64], columns: &[i64]) -> Tensor<4> {
    let device = x.device();
    let index = |values: &[i64]| {
        Tensor::<1, Int>::from_data(TensorData::new(values.to_vec(), [values.len()]), &device)
    };
    x.select(1, index(rows)).select(2, index(columns))
}
