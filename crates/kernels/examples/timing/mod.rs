//! How the examples time a call.

use std::time::Instant;

use retrial_kernels::KernelError;

/// Values without pattern in `-1..1`.
pub(crate) fn noise(count: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 504.5 - 1.0;
    (0..count).map(value).collect()
}

/// The median of five means over at least 20 ms of calls, in seconds.
pub(crate) fn median(
    mut call: impl FnMut() -> Result<(), KernelError>,
) -> Result<f64, KernelError> {
    let begin = Instant::now();
    call()?;
    let mut means = [0.0; 5];
    for mean in &mut means {
        let (start, mut calls) = (busy(begin), 0_u32);
        while *mean == 0.0 {
            call()?;
            calls += 1;
            let time = busy(begin) - start;
            if time > 0.02 {
                *mean = time / f64::from(calls);
            }
        }
    }
    means.sort_by(f64::total_cmp);
    Ok(means[2])
}

/// CPU time of this thread in seconds where it does all the work and the system tells it, else the
/// time since `begin`.
fn busy(begin: Instant) -> f64 {
    let is_alone = std::env::var("RAYON_NUM_THREADS").is_ok_and(|threads| threads == "1");
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat");
    statistics
        .ok()
        .filter(|_| is_alone)
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or(begin.elapsed().as_secs_f64(), |nanoseconds| {
            nanoseconds / 1e9
        })
}
