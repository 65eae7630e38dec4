//! Writes a made-up results folder with every kind of figure and renders its report, to look at.
//!
//! `cargo run --release -p retrial-report --example gallery -- FOLDER`

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use retrial_core::claim::{Claim, Expect};
use retrial_core::experiment::{DatasetSheet, ExperimentSheet, QuantitySheet};
use retrial_core::metric::{Direction, MetricValue};
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::{DatasetUse, Outcome, Provenance, Record};
use retrial_core::report_spec::{
    Band, FigureKind, FigureSpec, ReferencePoint, ReportSpec, Scale, TableSpec,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(
        || std::env::temp_dir().join("retrial-gallery"),
        PathBuf::from,
    );
    let results = folder.join("results");
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    subset_size(&results)?;
    field(&results)?;
    noise(&results)?;
    let experiments = retrial_report::load(&results)?;
    let started = std::time::Instant::now();
    let summary = retrial_report::render(&experiments, &folder.join("reports"))?;
    println!("{summary:#?}\nrendered in {:.2?}", started.elapsed());
    let stale = retrial_report::check(&experiments, &folder.join("reports"))?;
    println!("stale after rendering: {stale:?}");
    Ok(())
}

/// A deterministic study: noise and bias over the subset size, for three shape functions.
fn subset_size(results: &Path) -> Result<(), Box<dyn Error>> {
    let mut sheet = sheet(
        "subset-size",
        "How do noise and bias depend on the size of the subset?",
    );
    sheet.deterministic = true;
    sheet.swept = vec!["subset_size_px".to_owned(), "order".to_owned()];
    sheet.claims = vec![
        claim(
            "published-rmse",
            41,
            Expect::Value {
                value: 0.0062,
                tolerance: 0.0004,
            },
        ),
        claim("below-five-hundredths", 41, Expect::AtMost(0.005)),
        claim(
            "table-of-the-paper",
            41,
            Expect::NotTestable("the paper's own tables were not at hand".to_owned()),
        ),
    ];
    sheet.report.tables = vec![TableSpec {
        rows: vec!["subset_size_px".to_owned(), "order".to_owned()],
        values: ["rmse", "bias_u", "random_error_u", "points_per_s"]
            .map(str::to_owned)
            .to_vec(),
        filter: Params::default(),
        title: Some("Errors by subset size and order".to_owned()),
    }];
    let rmse = FigureSpec {
        series: Some("order".to_owned()),
        reference: vec![
            ReferencePoint {
                x: 41.0,
                y: 0.0062,
                label: "ADIC2D, published".to_owned(),
            },
            ReferencePoint {
                x: 61.0,
                y: 0.0048,
                label: "ADIC2D, published".to_owned(),
            },
        ],
        caption: Some("Root mean square error over all points and images.".to_owned()),
        ..figure(FigureKind::Line, "subset_size_px", &["rmse"])
    };
    let log = FigureSpec {
        x_scale: Scale::Log,
        y_scale: Scale::Log,
        title: Some("Noise and bias, logarithmic".to_owned()),
        filter: params(&[("order", ParamValue::Int(1))]),
        ..figure(
            FigureKind::Line,
            "subset_size_px",
            &["random_error_u", "rmse"],
        )
    };
    let imposed = FigureSpec {
        table: Some("errors".to_owned()),
        filter: params(&[
            ("order", ParamValue::Int(1)),
            ("subset_size_px", ParamValue::Int(41)),
        ]),
        title: Some("Error against imposed displacement".to_owned()),
        ..figure(FigureKind::Line, "imposed_u", &["bias_u", "bias_v"])
    };
    let scatter = FigureSpec {
        table: Some("errors".to_owned()),
        series: Some("order".to_owned()),
        title: Some("Bias of every image".to_owned()),
        ..figure(FigureKind::Scatter, "imposed_u", &["bias_u"])
    };
    let missing = figure(FigureKind::Line, "subset_size_px", &["variance"]);
    sheet.report.figures = vec![rmse, log, imposed, scatter, missing];
    let mut records = Vec::new();
    for subset in [15i64, 21, 31, 41, 61, 81] {
        for order in 0i64..3 {
            let size = subset as f64;
            let noise = 0.21 / size * (1.0 + 0.6 * order as f64);
            let bias = [2.6e-5, 2.2e-6, 1.0e-7][order as usize] * size * size.sqrt();
            let metrics = [
                ("rmse", noise.hypot(bias), "px", Direction::Lower),
                ("bias_u", -bias / 3.0, "px", Direction::Zero),
                ("random_error_u", noise, "px", Direction::Lower),
                (
                    "points_per_s",
                    6e6 / size / size / (1.0 + order as f64),
                    "1/s",
                    Direction::Higher,
                ),
            ];
            let point = params(&[
                ("subset_size_px", ParamValue::Int(subset)),
                ("order", ParamValue::Int(order)),
            ]);
            records.push(record("subset-size", point, 0, &metrics));
        }
    }
    sheet.trials = records.iter().map(|r| r.trial.clone()).collect();
    let folder = results.join("dic/subset-size");
    write_sheet(&folder, &sheet)?;
    for (k, record) in records.iter().enumerate() {
        let mut table = String::from("image,imposed_u,bias_u,bias_v\n");
        for i in 0..21 {
            let u = f64::from(i) * 0.05;
            let phase = std::f64::consts::TAU * u;
            let amplitude = 0.002 / (1.0 + (k % 3) as f64);
            let (bu, bv) = (-amplitude * phase.sin(), 0.0004 * (3.0 * phase).cos());
            writeln!(table, "{i},{u},{bu},{bv}")?;
        }
        write_record(&folder, record, &[("errors", table)])?;
    }
    let mut failed = records[3].clone();
    failed.outcome = Outcome::Failed {
        cause: "out_of_memory".to_owned(),
        error: "the worker was killed after it had used 3.1 GiB <of 3 GiB>".to_owned(),
    };
    let attempt = folder.join(format!("{}.attempts/1", failed.trial));
    fs::create_dir_all(&attempt)?;
    fs::write(
        attempt.join("attempt.yaml"),
        serde_yaml::to_string(&failed)?,
    )?;
    let damaged = folder.join("subset_size_px-91-0123456789ab");
    fs::create_dir_all(&damaged)?;
    fs::write(damaged.join("trial.yaml"), "format: 1\ntrial: [\n")?;
    let earlier = record(
        "subset-size",
        params(&[("order", ParamValue::Int(5))]),
        9,
        &[],
    );
    write_record(&folder, &earlier, &[])?;
    Ok(())
}

/// Fields of displacement with holes, as a signed and as an unsigned map.
fn field(results: &Path) -> Result<(), Box<dyn Error>> {
    let mut sheet = sheet("field", "Where does the measured displacement go wrong?");
    sheet.deterministic = true;
    sheet.swept = vec!["order".to_owned()];
    let heat = |value: &str, title: &str| FigureSpec {
        table: Some("points".to_owned()),
        value: Some(value.to_owned()),
        title: Some(title.to_owned()),
        filter: params(&[("order", ParamValue::Int(1))]),
        ..figure(FigureKind::Heat, "x", &["y"])
    };
    sheet.report.figures = vec![
        heat("u", "Horizontal displacement"),
        heat("zncc", "Correlation"),
        FigureSpec {
            filter: Params::default(),
            series: Some("order".to_owned()),
            ..heat("error_u", "Error of the horizontal displacement")
        },
        FigureSpec {
            filter: Params::default(),
            series: Some("order".to_owned()),
            y: Vec::new(),
            ..FigureSpec {
                kind: FigureKind::Histogram,
                ..heat("error_u", "Histogram of the error")
            }
        },
    ];
    let mut records = Vec::new();
    for order in 0i64..3 {
        let point = params(&[("order", ParamValue::Int(order))]);
        let metrics = [("rmse", 0.01 / (1.0 + order as f64), "px", Direction::Lower)];
        records.push(record("field", point, 0, &metrics));
    }
    sheet.trials = records.iter().map(|r| r.trial.clone()).collect();
    let folder = results.join("dic/field");
    write_sheet(&folder, &sheet)?;
    let mut noise = Noise(7);
    for (order, record) in records.iter().enumerate() {
        let mut table = String::from("x,y,u,error_u,zncc,status\n");
        for j in 0..45 {
            for i in 0..45 {
                let (x, y) = (30 + 10 * i, 30 + 10 * j);
                let (dx, dy) = (f64::from(i) - 30.0, f64::from(j) - 14.0);
                if dx.hypot(dy) < 6.0 {
                    continue;
                }
                let u = 1.5 * (f64::from(i) * 0.14).sin() * (f64::from(j) * 0.1).cos();
                let wave = (f64::from(i) * 0.9).sin() * 0.004 / (1.0 + 2.0 * order as f64);
                let error = wave + 0.002 * noise.normal();
                let zncc = 0.999 - 0.02 * (noise.normal() * 0.3).powi(2) - 0.0002 * f64::from(j);
                if (i + 45 * j) % 311 == 17 {
                    writeln!(table, "{x},{y},NaN,NaN,NaN,diverged")?;
                } else {
                    writeln!(table, "{x},{y},{u},{error},{zncc},converged")?;
                }
            }
        }
        write_record(&folder, record, &[("points", table)])?;
    }
    Ok(())
}

/// A study with randomness: seeds, intervals, every verdict.
fn noise(results: &Path) -> Result<(), Box<dyn Error>> {
    let mut sheet = sheet("noise", "How much of the error is camera noise?");
    sheet.swept = vec!["noise_grey".to_owned(), "interpolant".to_owned()];
    let at = |id: &str, noise: f64, expect: Expect| Claim {
        selection: params(&[
            ("noise_grey", ParamValue::Float(noise)),
            ("interpolant", ParamValue::Text("b_spline_5".to_owned())),
        ]),
        ..claim(id, 0, expect)
    };
    sheet.claims = vec![
        at(
            "value-at-two",
            2.0,
            Expect::Value {
                value: 0.0061,
                tolerance: 0.001,
            },
        ),
        at("too-good", 8.0, Expect::AtMost(0.01)),
        at("close-call", 4.0, Expect::AtLeast(0.0121)),
        at("no-such-trial", 16.0, Expect::AtMost(0.05)),
        Claim {
            selection: params(&[("interpolant", ParamValue::Text("b_spline_5".to_owned()))]),
            ..at(
                "rises-with-noise",
                0.0,
                Expect::Ordering {
                    param: "noise_grey".to_owned(),
                    values: [1.0, 2.0, 4.0, 8.0].map(ParamValue::Float).to_vec(),
                    rising: true,
                },
            )
        },
    ];
    sheet.report.tables = vec![TableSpec {
        rows: vec!["interpolant".to_owned(), "noise_grey".to_owned()],
        values: ["rmse", "bias_u"].map(str::to_owned).to_vec(),
        filter: Params::default(),
        title: None,
    }];
    let band = |band: Band| FigureSpec {
        series: Some("interpolant".to_owned()),
        band,
        ..figure(FigureKind::Line, "noise_grey", &["rmse"])
    };
    sheet.report.figures = vec![
        band(Band::Ci95),
        FigureSpec {
            x_scale: Scale::Log,
            y_scale: Scale::Log,
            ..band(Band::Sd)
        },
        FigureSpec {
            kind: FigureKind::Bar,
            title: Some("Error by interpolant".to_owned()),
            x: Some("interpolant".to_owned()),
            series: Some("noise_grey".to_owned()),
            ..band(Band::Ci95)
        },
    ];
    let mut noise = Noise(3);
    let mut records = Vec::new();
    for interpolant in ["b_spline_3", "b_spline_5"] {
        for level in [1.0, 2.0, 4.0, 8.0] {
            for seed in 0..5 {
                let better = if interpolant == "b_spline_5" {
                    1.0
                } else {
                    1.25
                };
                let rmse = 0.003 * level * better * (1.0 + 0.06 * noise.normal());
                let metrics = [
                    ("rmse", rmse, "px", Direction::Lower),
                    ("bias_u", 0.0004 * noise.normal(), "px", Direction::Zero),
                ];
                let point = params(&[
                    ("interpolant", ParamValue::Text(interpolant.to_owned())),
                    ("noise_grey", ParamValue::Float(level)),
                ]);
                records.push(record("noise", point, seed, &metrics));
            }
        }
    }
    sheet.trials = records.iter().map(|r| r.trial.clone()).collect();
    let folder = results.join("dic/noise");
    write_sheet(&folder, &sheet)?;
    for record in &records {
        write_record(&folder, record, &[])?;
    }
    Ok(())
}

fn sheet(name: &str, question: &str) -> ExperimentSheet {
    let quantity = |(name, unit, bounds): (&str, &str, &str), direction| QuantitySheet {
        name: name.to_owned(),
        unit: unit.to_owned(),
        direction,
        bounds: bounds.to_owned(),
        doc: "See the study.".to_owned(),
    };
    let metrics = [
        (("rmse", "px", ""), Direction::Lower),
        (("bias_u", "px", ""), Direction::Zero),
        (("random_error_u", "px", ""), Direction::Lower),
        (("points_per_s", "1/s", ""), Direction::Higher),
    ];
    let params = [
        ("subset_size_px", "px", "an odd whole number from 5 to 301"),
        ("order", "", "a whole number from 0 to 2"),
        ("noise_grey", "grey levels", "a number from 0 to 50"),
        ("interpolant", "", "one of b_spline_3, b_spline_5"),
    ];
    let columns = [
        ("errors.imposed_u", "px", ""),
        ("errors.bias_u", "px", ""),
        ("errors.bias_v", "px", ""),
        ("points.x", "px", ""),
        ("points.y", "px", ""),
        ("points.u", "px", ""),
        ("points.error_u", "px", ""),
    ];
    ExperimentSheet {
        format: 1,
        study: "dic".to_owned(),
        work: "Atkinson & Becker 2020, ADIC2D, doi:10.3390/rs12182906".to_owned(),
        experiment: name.to_owned(),
        question: question.to_owned(),
        command: format!("just run experiments/dic/{name}.yaml"),
        dataset: Some(DatasetSheet {
            name: "speckle".to_owned(),
            title: "Generated speckle series".to_owned(),
            licence: "CC0 1.0".to_owned(),
            citation: "retrial, crate synth.".to_owned(),
            generated: true,
        }),
        deterministic: false,
        swept: Vec::new(),
        trials: Vec::new(),
        metrics: metrics.map(|(q, d)| quantity(q, d)).to_vec(),
        params: params.map(|q| quantity(q, Direction::None)).to_vec(),
        columns: columns.map(|q| quantity(q, Direction::None)).to_vec(),
        claims: Vec::new(),
        report: ReportSpec::default(),
    }
}

fn claim(id: &str, subset: i64, expect: Expect) -> Claim {
    Claim {
        id: id.to_owned(),
        source: "published code, run on the same images (notes, 4.2)".to_owned(),
        metric: "rmse".to_owned(),
        selection: params(&[
            ("subset_size_px", ParamValue::Int(subset)),
            ("order", ParamValue::Int(1)),
        ]),
        expect,
        note: None,
    }
}

fn figure(kind: FigureKind, x: &str, y: &[&str]) -> FigureSpec {
    FigureSpec {
        kind,
        table: None,
        x: Some(x.to_owned()),
        y: y.iter().map(|&y| y.to_owned()).collect(),
        value: None,
        series: None,
        band: Band::None,
        filter: Params::default(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        title: None,
        caption: None,
        reference: Vec::new(),
    }
}

fn params(pairs: &[(&str, ParamValue)]) -> Params {
    pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), v.clone()))
        .collect()
}

fn record(
    experiment: &str,
    point: Params,
    seed: u64,
    metrics: &[(&str, f64, &str, Direction)],
) -> Record {
    let slug: Vec<String> = point.iter().map(|(n, v)| format!("{n}-{v}")).collect();
    let metric = |&(name, value, unit, direction): &(&str, f64, &str, Direction)| MetricValue {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        direction,
    };
    Record {
        format: 1,
        trial: format!("{}-s{seed}-0123456789ab", slug.join("-")),
        study: "dic".to_owned(),
        revision: 1,
        experiment: experiment.to_owned(),
        params: point.clone(),
        point,
        seed,
        device: "cpu".to_owned(),
        dataset: Some(DatasetUse {
            name: "speckle".to_owned(),
            content: "blake3:5f1c30e2a97b5f1c30e2a97b".to_owned(),
            source: "generator".to_owned(),
        }),
        outcome: Outcome::Finished,
        attempt: 1,
        metrics: metrics.iter().map(metric).collect(),
        stages: Vec::new(),
        artifacts: Vec::new(),
        content: "blake3:00".to_owned(),
        claims: BTreeMap::new(),
        provenance: Provenance {
            version: "0.1.0".to_owned(),
            source_revision: Some("7f92b42d3c1f7f92b42d3c1f".to_owned()),
            source_dirty: Some(false),
            lock_file: "blake3:9c1185a5c5e9".to_owned(),
            host: "host".to_owned(),
            system: "linux x86_64".to_owned(),
            cpu: "Example CPU at 2.0 GHz".to_owned(),
            cpu_features: ["avx2", "fma", "avx512f"].map(str::to_owned).to_vec(),
            threads: 2,
            device: "cpu".to_owned(),
            started: "2026-01-01T00:00:00Z".to_owned(),
            duration_s: 12.5,
            cpu_s: 23.9,
            peak_memory_mib: 181.0,
        },
    }
}

fn write_sheet(folder: &Path, sheet: &ExperimentSheet) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join("experiment.yaml"),
        serde_yaml::to_string(sheet)?,
    )?;
    Ok(())
}

fn write_record(
    folder: &Path,
    record: &Record,
    tables: &[(&str, String)],
) -> Result<(), Box<dyn Error>> {
    let folder = folder.join(&record.trial);
    fs::create_dir_all(&folder)?;
    for (name, text) in tables {
        fs::write(folder.join(format!("{name}.csv")), text)?;
    }
    fs::write(folder.join("trial.yaml"), serde_yaml::to_string(record)?)?;
    Ok(())
}

/// Numbers that look random and are the same every time.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
