//! The nets on one thread: the convolution kernels at the wide layers of the published nets, a
//! training step and a search iteration of nets a quarter as wide.
//!
//! The published width against PyTorch is `benches/peers/anogan.sh`; this bench is small enough to
//! be repeated after every change.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use retrial_kernels::{
    Convolution, Epilogue, forward, input_gradient, pack, pack_transposed, weight_gradient,
};
use retrial_nets::adam::AdamRates;
use retrial_nets::anogan::{
    Architecture, GanLoss, GanRates, GanTraining, Initialisation, Normalisation, SearchMethod,
    SearchNets, SearchRates, SearchState,
};
use retrial_nets::device::Device;
use retrial_seed::Seed;

const LATENT_SIZE: usize = 20;
const IMAGE_SIZE: usize = 64;

/// The first call of a process decides; each bench asks for the same.
fn use_one_thread() {
    // An error means that the pool is there already.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global();
}

fn noise(count: usize, name: &str) -> Vec<f32> {
    let mut stream = Seed(1).stream(name);
    (0..count).map(|_| stream.normal() as f32).collect()
}

/// Name and side of the input, channels in and out.
const WIDE_LAYERS: [(&str, usize, usize, usize); 3] = [
    ("64_to_128_at_32", 32, 64, 128),
    ("128_to_256_at_16", 16, 128, 256),
    ("256_to_512_at_8", 8, 256, 512),
];

/// A multiply-add is one element, taps outside the image included.
fn kernels(c: &mut Criterion) {
    use_one_thread();
    let mut group = c.benchmark_group("nets/kernels");
    group.sample_size(10);
    for (name, size, in_channels, out_channels) in WIDE_LAYERS {
        let shape = Convolution {
            batch: 32,
            height: size,
            width: size,
            in_channels,
            out_channels,
            kernel: 4,
            stride: 2,
            padding: 1,
        };
        let x = noise(shape.input_len(), "x");
        let w = noise(shape.weights_len(), "w");
        let dy = noise(shape.output_len(), "dy");
        let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
        let packed = pack(&shape, &w).expect("a shape");
        let transposed = pack_transposed(&shape, &w).expect("a shape");
        group.throughput(Throughput::Elements(shape.multiply_adds() as u64));
        group.bench_function(BenchmarkId::new("forward", name), |b| {
            b.iter(|| forward(&shape, &x, &packed, Epilogue::default(), &mut y).expect("a shape"));
        });
        group.bench_function(BenchmarkId::new("input_gradient", name), |b| {
            b.iter(|| {
                input_gradient(&shape, &dy, &transposed, Epilogue::default(), &mut dx)
                    .expect("a shape");
            });
        });
        group.bench_function(BenchmarkId::new("weight_gradient", name), |b| {
            b.iter(|| weight_gradient(&shape, &x, &dy, &mut dw).expect("a shape"));
        });
    }
    group.finish();
}

fn training(batch_size: usize) -> GanTraining {
    let rates = |learning_rate| AdamRates {
        learning_rate,
        beta1: 0.0,
        beta2: 0.9,
    };
    GanTraining::new(
        Architecture {
            image_size: IMAGE_SIZE,
            width: 16,
            latent_size: LATENT_SIZE,
            normalisation: Normalisation::Batch,
        },
        GanRates {
            batch_size,
            generator: rates(1e-4),
            discriminator: rates(4e-4),
            loss: GanLoss::CrossEntropy { real_label: 1.0 },
            instance_noise: 0.0,
        },
        Initialisation::Torch,
        Seed(0),
        &Device::flex(),
    )
    .expect("an architecture")
}

fn training_step(c: &mut Criterion) {
    use_one_thread();
    let mut group = c.benchmark_group("nets/training_step_width16");
    group.sample_size(10);
    for batch in [32, 128] {
        let mut training = training(batch);
        let real = noise(batch * IMAGE_SIZE * IMAGE_SIZE, "pixels");
        let mut step = 0;
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            b.iter(|| {
                step += 1;
                training.epoch(step, &real)
            });
        });
    }
    group.finish();
}

fn search_iteration(c: &mut Criterion) {
    use_one_thread();
    let mut training = training(8);
    training.epoch(0, &noise(8 * IMAGE_SIZE * IMAGE_SIZE, "pixels"));
    let device = Device::flex();
    let mut group = c.benchmark_group("nets/search_iteration_width16");
    group.sample_size(10);
    let (generator, discriminator) = (training.generator(), training.discriminator());
    for (name, mut nets) in [
        (
            "running",
            SearchNets::running(generator, discriminator, &device),
        ),
        (
            "batch",
            SearchNets::batch(generator, discriminator, &device),
        ),
    ] {
        for batch in [1, 16, 64] {
            let images = noise(batch * IMAGE_SIZE * IMAGE_SIZE, "images");
            let images = nets.images(&images, IMAGE_SIZE);
            let features = nets.features(images.clone());
            let rates = SearchRates {
                discrimination_weight: 0.1,
                iterations: u64::MAX,
                method: SearchMethod::Adam {
                    learning_rate: 1e-3,
                },
                tolerance: 0.0,
            };
            let mut state = SearchState::new(rates, vec![0.1; batch * LATENT_SIZE], LATENT_SIZE);
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new(name, batch), |b| {
                b.iter(|| state.iterate(&mut nets, &images, &features));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, kernels, training_step, search_iteration);
criterion_main!(benches);
