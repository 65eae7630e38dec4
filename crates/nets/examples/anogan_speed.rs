//! CPU time of a training step and of a search iteration of the published nets.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release --example anogan_speed -- WIDTH BATCH SEARCH_BATCH`

use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use retrial_nets::adam::AdamRates;
use retrial_nets::anogan::{
    Architecture, GanLoss, GanRates, GanTraining, Initialisation, Normalisation, SearchMethod,
    SearchNets, SearchRates, SearchState,
};
use retrial_nets::device::Device;
use retrial_seed::Seed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<usize>());
    let mut next = |default| numbers.next().unwrap_or(Ok(default));
    let (width, batch, search_batch) = (next(64)?, next(128)?, next(16)?);
    let rates = |learning_rate| AdamRates {
        learning_rate,
        beta1: 0.0,
        beta2: 0.9,
    };
    let device = Device::flex();
    let mut training = GanTraining::new(
        Architecture {
            image_size: 64,
            width,
            latent_size: 20,
            normalisation: Normalisation::Batch,
        },
        GanRates {
            batch_size: batch,
            generator: rates(1e-4),
            discriminator: rates(4e-4),
            loss: GanLoss::CrossEntropy { real_label: 1.0 },
            instance_noise: 0.0,
        },
        Initialisation::Torch,
        Seed(0),
        &device,
    )?;
    let mut stream = Seed(0).stream("pixels");
    let mut pixels = |count: usize| -> Vec<f32> {
        (0..count * 64 * 64)
            .map(|_| stream.normal() as f32)
            .collect()
    };
    let real = pixels(batch);
    training.epoch(0, &real);
    for round in 1..=3 {
        let (cpu, wall) = timed(|| {
            training.epoch(round, &real);
        });
        println!("training step, batch {batch}: {cpu:.3} CPU s, {wall:.3} s");
    }
    for (name, mut nets) in [
        (
            "running",
            SearchNets::running(training.generator(), training.discriminator(), &device),
        ),
        (
            "batch",
            SearchNets::batch(training.generator(), training.discriminator(), &device),
        ),
    ] {
        let x = pixels(search_batch);
        let x = nets.images(&x, 64);
        let features = nets.features(x.clone());
        let rates = SearchRates {
            discrimination_weight: 0.1,
            iterations: u64::MAX,
            method: SearchMethod::Adam {
                learning_rate: 1e-3,
            },
            tolerance: 0.0,
        };
        let mut state = SearchState::new(rates, vec![0.1; search_batch * 20], 20);
        state.iterate(&mut nets, &x, &features);
        let rounds = 200_usize.div_ceil(search_batch).max(3);
        for _ in 0..3 {
            let (cpu, wall) = timed(|| {
                for _ in 0..rounds {
                    state.iterate(&mut nets, &x, &features);
                }
            });
            let per = 1e3 / (rounds * search_batch) as f64;
            println!(
                "search, {name} moments, batch {search_batch}: {:.3} CPU ms an image-iteration, {:.3} ms",
                cpu * per,
                wall * per
            );
        }
    }
    Ok(())
}

fn timed(work: impl FnOnce()) -> (f64, f64) {
    let (cpu, wall) = (cpu_s(), Instant::now());
    work();
    (cpu_s() - cpu, wall.elapsed().as_secs_f64())
}

fn cpu_s() -> f64 {
    getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| {
        (usage.user_time() + usage.system_time()).num_microseconds() as f64 * 1e-6
    })
}
