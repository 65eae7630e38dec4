//! MNIST as CSV, 60,000 lines and about 110 MB, from the page cache to memory.

use std::fmt::Write as _;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use retrial_data::format::mnist_csv::read_csv;
use retrial_seed::Seed;

/// Lines of the published form; as in MNIST four pixels of five are zero.
fn csv(items: usize) -> String {
    let mut stream = Seed(1).stream("csv");
    let mut text = String::with_capacity(items * 1850);
    for _ in 0..items {
        let _ = write!(text, "{}", stream.below(10));
        for _ in 0..784 {
            let pixel = if stream.below(5) == 0 {
                stream.below(256)
            } else {
                0
            };
            let _ = write!(text, ",{pixel}");
        }
        text.push('\n');
    }
    text
}

fn mnist_csv(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mnist_train.csv");
    let text = csv(60_000);
    std::fs::write(&path, &text).expect("written");
    let mut group = c.benchmark_group("data");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(text.len() as u64));
    drop(text);
    group.bench_function("mnist_csv_60000", |b| {
        b.iter(|| read_csv(&path).expect("digits"));
    });
    group.finish();
}

criterion_group!(benches, mnist_csv);
criterion_main!(benches);
