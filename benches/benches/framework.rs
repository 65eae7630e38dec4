//! Overhead of the framework, through the program itself: build it first (`just build` or
//! `just bench`). The CPU time of a sweep, children included, is printed beside criterion's wall
//! time, because that is what a trial costs on a busy machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};
use retrial_core::plan;
use retrial_core::spec;
use retrial_core::study::StudyInfo;

fn program() -> PathBuf {
    let bench = std::env::current_exe().expect("a program");
    let folder = bench.ancestors().nth(2).expect("target/release/deps");
    let program = folder.join("retrial");
    assert!(
        program.is_file(),
        "build the command first: cargo build --release"
    );
    program
}

fn project(sweep: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["experiments", "datasets"] {
        std::fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let text =
        format!("format: 1\nstudy: fake\nquestion: What does a trial cost?\nsweep: {{{sweep}}}\n");
    std::fs::write(folder.path().join("experiments/many.yaml"), text).expect("written");
    folder
}

fn retrial(project: &Path, arguments: &[&str]) {
    let status = Command::new(program())
        .args(arguments)
        .current_dir(project)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program starts");
    assert!(status.success());
}

/// User and system seconds of all children waited for so far.
fn children_cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or("");
    let field = |i: usize| -> f64 {
        after
            .split_whitespace()
            .nth(i)
            .and_then(|v| v.parse().ok())
            .unwrap_or(f64::NAN)
    };
    // Fields 16 and 17 of proc(5), in ticks of 10 ms.
    (field(13) + field(14)) / 100.0
}

const THOUSAND: &str = "level: {linspace: {from: 1, to: 1000, count: 1000}}";
const TEN_THOUSAND: &str = "level: {linspace: {from: 1, to: 10000, count: 10000}}";

fn planning(c: &mut Criterion) {
    let project = project(TEN_THOUSAND);
    let path = project.path().join("experiments/many.yaml");
    let study: &'static StudyInfo = Box::leak(Box::new(fake_info()));
    c.bench_function("plan/10000_trials/in_process", |b| {
        b.iter(|| {
            let written = spec::read(&path, &[], project.path()).expect("a spec");
            let spec = spec::check(&written, &[study], &[], &[]).expect("valid");
            plan::trials(&spec, study, &[], "cpu").len()
        });
    });
    c.bench_function("plan/10000_trials/whole_command", |b| {
        b.iter(|| retrial(project.path(), &["plan", "--format", "json"]));
    });
}

/// The table that the planning needs; the rest of the study lives in the command.
fn fake_info() -> StudyInfo {
    use retrial_core::params::{DefaultValue, Param, ParamKind};
    const PARAMS: &[Param] = &[Param {
        name: "level",
        kind: ParamKind::Float {
            min: -1e9,
            max: 1e9,
        },
        default: DefaultValue::Float(0.0),
        unit: "",
        was: &[],
        doc: "A number.",
    }];
    StudyInfo {
        name: "fake",
        revision: 1,
        amendments: &[],
        work: "none",
        deterministic: true,
        uses_device: false,
        cpu_methods: &[],
        content_kinds: &[],
        params: PARAMS,
        metrics: &[],
        tables: &[],
        files: &[],
        conflicts: |_| Vec::new(),
    }
}

fn sweep(c: &mut Criterion) {
    let mut group = c.benchmark_group("run");
    group.sample_size(10);
    let mut cpu = Vec::new();
    group.bench_function("1000_trials_of_fake", |b| {
        b.iter_with_setup(
            || project(THOUSAND),
            |project| {
                let before = children_cpu_s();
                retrial(project.path(), &["run", "experiments", "--no-report"]);
                cpu.push(children_cpu_s() - before);
                project
            },
        );
    });
    group.finish();
    cpu.sort_by(f64::total_cmp);
    let median = cpu.get(cpu.len() / 2).copied().unwrap_or(f64::NAN);
    // 1000 trials: seconds are milliseconds a trial.
    println!("run/1000_trials_of_fake: median {median:.2} ms of CPU a trial, its process included");
}

fn scanning(c: &mut Criterion) {
    let project = project(THOUSAND);
    // Every record is read and checked, so that they must be real.
    retrial(project.path(), &["run", "experiments", "--no-report"]);
    let mut group = c.benchmark_group("status");
    group.sample_size(10);
    group.bench_function("1000_records", |b| {
        b.iter(|| retrial(project.path(), &["status"]));
    });
    group.finish();
}

criterion_group!(benches, planning, sweep, scanning);
criterion_main!(benches);
