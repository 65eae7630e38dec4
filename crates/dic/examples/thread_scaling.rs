//! Prints how much faster several threads correlate than one, and whether the cost is linear in the
//! number of points.
//!
//! `cargo run --release -p retrial-dic --example thread_scaling [threads] [rounds]`
//!
//! A generated pair of 1024 × 1024 px, 41 px, order 1, preparation of both pictures and
//! first guess included. One thread and several take turns; the ratio is that of wall times in one
//! round, every thread on a core of its own (Linux): `wall`. `free` is the same where the system places the
//! threads, which some systems let share a core for a while after they slept. `cpu` is the processor time of one thread by that of the busiest of several, which is
//! the ratio of a machine without neighbours if both share the work evenly (Linux only). `apart`
//! is what the machine itself gives: every thread correlates a pair of its own at the same time,
//! pairs a second by those of one thread alone. `shared` is how much of that remains where the
//! threads share one pair. Then the steps 10, 7, 5 and 4 px on one thread: microseconds of
//! processor time a point.

use std::sync::Barrier;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuilder};
use retrial_dic::{Guess, Settings, correlate, prepare};
use retrial_image::GrayImage;

const SIZE: usize = 1024;

fn main() {
    let number = |i: usize, otherwise: usize| {
        let text = std::env::args().nth(i);
        text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (threads, rounds) = (number(1, 2), number(2, 9));
    let pair = [picture(0.0, 0.0), picture(0.3, 0.2)];
    let pool = |count: usize, first_core: Option<usize>| {
        let pool = ThreadPoolBuilder::new().num_threads(count);
        let pool = pool.start_handler(move |thread| {
            if let Some(first) = first_core {
                stay_on(first + thread);
            }
        });
        pool.build().expect("threads can be started")
    };
    let [one, several] = [1, threads].map(|count| pool(count, Some(0)));
    let free = pool(threads, None);
    let each: Vec<ThreadPool> = (0..threads).map(|core| pool(1, Some(core))).collect();
    let settings = Settings::default();
    let mut ratios = [const { Vec::new() }; 5];
    for round in 0..=rounds {
        let alone = measure(&one, &pair, &settings);
        let together = measure(&several, &pair, &settings);
        let placed = measure(&free, &pair, &settings);
        let apart = apart(&each, &pair, &settings);
        let gain = threads as f64 * alone.wall / apart;
        // The first round warms the caches and the clock.
        if round > 0 {
            ratios[0].push(alone.wall / together.wall);
            ratios[1].push(alone.busiest / together.busiest);
            ratios[2].push(gain);
            ratios[3].push(apart / (threads as f64 * together.wall));
            ratios[4].push(alone.wall / placed.wall);
        }
    }
    for (name, mut ratios) in ["wall", "cpu", "apart", "shared", "free"]
        .into_iter()
        .zip(ratios)
    {
        ratios.sort_by(f64::total_cmp);
        println!(
            "{name}: {threads} threads {:.2} times as fast ({:.2} to {:.2} in {rounds} rounds)",
            ratios[rounds / 2],
            ratios[0],
            ratios[rounds - 1],
        );
    }
    println!("step_px points us_a_point");
    for step_px in [10, 7, 5, 4] {
        let settings = Settings::default().with_step_px(step_px);
        let costs = (0..rounds).map(|_| measure(&one, &pair, &settings));
        let best = costs.min_by(|a, b| a.busiest.total_cmp(&b.busiest));
        let best = best.expect("at least one round");
        println!(
            "{step_px} {} {:.2}",
            best.points,
            1e6 * best.busiest / best.points as f64
        );
    }
}

struct Cost {
    points: usize,
    wall: f64,
    /// Processor time of the thread that had most of it.
    busiest: f64,
}

/// The second of two correlations: in the first the threads find memory that others left, or none.
fn measure(pool: &ThreadPool, pair: &[GrayImage; 2], settings: &Settings) -> Cost {
    once(pool, pair, settings);
    once(pool, pair, settings)
}

fn once(pool: &ThreadPool, [first, deformed]: &[GrayImage; 2], settings: &Settings) -> Cost {
    let before = pool.broadcast(|_| cpu_seconds());
    let start = Instant::now();
    let points = pool.install(|| {
        let reference = prepare(first, None, settings).expect("valid settings");
        let field = correlate(&reference, deformed, Guess::Phase);
        field.expect("images of one size").points.len()
    });
    let wall = start.elapsed().as_secs_f64();
    let after = pool.broadcast(|_| cpu_seconds());
    let spent = before.iter().zip(&after).map(|(a, b)| b - a);
    Cost {
        points,
        wall,
        busiest: spent.fold(0.0, f64::max),
    }
}

/// Seconds until every pool has correlated the pair for itself, all at the same time.
fn apart(pools: &[ThreadPool], pair: &[GrayImage; 2], settings: &Settings) -> f64 {
    let together = Barrier::new(pools.len());
    std::thread::scope(|scope| {
        let started = pools.iter().map(|pool| {
            scope.spawn(|| {
                once(pool, pair, settings);
                together.wait();
                once(pool, pair, settings).wall
            })
        });
        let started: Vec<_> = started.collect();
        let walls = started.into_iter().map(ScopedJoinHandle::join);
        walls.fold(0.0_f64, |most, wall| {
            most.max(wall.expect("no thread panics"))
        })
    })
}

/// Keeps this thread on one of the cores that the process may use (Linux).
fn stay_on(core: usize) {
    #[cfg(target_os = "linux")]
    {
        use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
        use nix::unistd::Pid;

        let this = Pid::from_raw(0);
        let allowed = sched_getaffinity(this).expect("the system tells the cores");
        let allowed: Vec<usize> = (0..CpuSet::count())
            .filter(|&core| allowed.is_set(core).unwrap_or(false))
            .collect();
        let mut cores = CpuSet::new();
        let core = *allowed.get(core).expect("a core for every thread");
        cores
            .set(core)
            .expect("the set holds every core of the system");
        sched_setaffinity(this, &cores).expect("a core of this process");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = core;
}

/// Seconds this thread has spent on a processor (Linux).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|n| n.parse().ok());
    nanoseconds.map_or(f64::NAN, |n: f64| n * 1e-9)
}

/// Waves of many directions, moved by `(u, v)`.
fn picture(u: f64, v: f64) -> GrayImage {
    GrayImage::from_fn(SIZE, SIZE, |x, y| {
        let (x, y) = (x as f64 - u, y as f64 - v);
        let wave = |i: usize| {
            let (angle, period) = (2.4 * i as f64, 5.0 + 0.7 * i as f64);
            let along = x * angle.cos() + y * angle.sin();
            (std::f64::consts::TAU * along / period + (i * i) as f64).sin()
        };
        let sum: f64 = (0..12).map(wave).sum();
        (128.0 + 20.0 * sum).round().clamp(0.0, 255.0) as f32
    })
    .expect("a valid size")
}
