//! A results folder made by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use retrial_core::experiment::{DatasetSheet, ExperimentSheet, QuantitySheet, SHEET_FORMAT};
use retrial_core::metric::Direction;
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::{Outcome, Provenance, RECORD_FORMAT, Record};
use retrial_core::report_spec::{
    Band, FigureSpec, Join, Labels, Pick, ReportSpec, Scale, TableSpec,
};
use retrial_core::seal::sealed;
use retrial_report::{load, render};

pub(crate) fn params(pairs: &[(&str, ParamValue)]) -> Params {
    let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    pairs.collect()
}

pub(crate) fn quantity(name: &str, unit: &str, direction: Direction) -> QuantitySheet {
    QuantitySheet {
        name: name.to_owned(),
        unit: unit.to_owned(),
        direction,
        bounds: String::new(),
        doc: String::new(),
    }
}

pub(crate) fn sheet(trials: &[Record]) -> ExperimentSheet {
    ExperimentSheet {
        format: SHEET_FORMAT,
        study: "fake".to_owned(),
        work: "Doe & Roe 2020, <A & B>".to_owned(),
        experiment: "sweep".to_owned(),
        question: "Is a|b < c & d_e?".to_owned(),
        command: "just run experiments/fake/sweep.yaml".to_owned(),
        changes: Vec::new(),
        datasets: vec![
            DatasetSheet {
                name: "made-up".to_owned(),
                title: "Made up".to_owned(),
                licence: "CC0 1.0".to_owned(),
                citation: "Nobody 2026.".to_owned(),
                generated: true,
            },
            DatasetSheet {
                name: "measured".to_owned(),
                title: "Measured".to_owned(),
                licence: "With <citation>.".to_owned(),
                citation: "Somebody 2025.".to_owned(),
                generated: false,
            },
        ],
        deterministic: false,
        swept: vec!["size_px".to_owned()],
        trials: trials.iter().map(|r| r.trial.clone()).collect(),
        seeds: Vec::new(),
        points: Vec::new(),
        fixed: Params::default(),
        metrics: vec![
            quantity("rmse", "px", Direction::Lower),
            quantity("hole", "", Direction::None),
        ],
        params: vec![quantity("size_px", "px", Direction::None)],
        columns: vec![quantity("points.x", "px", Direction::None)],
        claims: Vec::new(),
        report: ReportSpec::default(),
    }
}

pub(crate) fn record(size: i64, seed: u64, rmse: f64) -> Record {
    let point = params(&[("size_px", ParamValue::Int(size))]);
    Record {
        format: RECORD_FORMAT,
        migrated_from: None,
        trial: format!("size-{size}-s{seed}-abcdef012345"),
        study: "fake".to_owned(),
        revision: 3,
        experiment: "sweep".to_owned(),
        params: point.clone(),
        point,
        set: None,
        amendments: Vec::new(),
        seed,
        device: "cpu".to_owned(),
        dataset: None,
        outcome: Outcome::Finished,
        attempt: 1,
        metrics: [("rmse".to_owned(), rmse), ("hole".to_owned(), f64::NAN)]
            .into_iter()
            .collect(),
        stages: Vec::new(),
        artifacts: Vec::new(),
        content: "blake3:00".to_owned(),
        census: retrial_core::census::Census::default(),
        claims: BTreeMap::new(),
        provenance: Provenance {
            version: "0.1.0".to_owned(),
            source_revision: Some("0123456789abcdef".to_owned()),
            source_dirty: Some(true),
            build: None,
            project: None,
            lock_file: "blake3:11".to_owned(),
            host: "host-that-no-report-names".to_owned(),
            system: "linux x86_64".to_owned(),
            cpu: "A CPU".to_owned(),
            cpu_features: vec!["avx2".to_owned()],
            threads: 1,
            device: "cpu".to_owned(),
            started: "2026-01-02T03:04:05Z".to_owned(),
            duration_s: 2.0,
            cpu_s: 1.0,
            peak_memory_mib: 10.0,
        },
        files: BTreeMap::new(),
        seal: String::new(),
    }
}

/// Two seeds of three sizes; rmse = size / 1000 ± 0.001.
pub(crate) fn six() -> Vec<Record> {
    let mut records = Vec::new();
    for size in [10, 20, 30] {
        for seed in [0u64, 1] {
            let side = if seed == 0 { -0.001 } else { 0.001 };
            records.push(record(size, seed, size as f64 / 1000.0 + side));
        }
    }
    records
}

pub(crate) fn figure(kind: &str, y: &str) -> FigureSpec {
    FigureSpec {
        kind: kind.to_owned(),
        table: None,
        x: Some("size_px".to_owned()),
        y: vec![y.to_owned()],
        value: None,
        series: None,
        band: Band::Ci95,
        filter: Params::default(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        title: None,
        caption: None,
        reference: Vec::new(),
        join: Join::Auto,
        lines: Vec::new(),
        diagonal: false,
        labels: Labels::Legend,
        pick: Pick::All,
        rows: BTreeMap::new(),
    }
}

pub(crate) fn table(values: &[&str]) -> TableSpec {
    TableSpec {
        rows: vec!["size_px".to_owned()],
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        filter: Params::default(),
        title: Some("Errors".to_owned()),
    }
}

pub(crate) fn write_trial(folder: &Path, file: &str, record: &Record) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, retrial_report::record_text(record).unwrap()).unwrap();
}

/// A results folder with these records under a sheet.
pub(crate) fn results(root: &Path, sheet: &ExperimentSheet, records: &[Record]) -> PathBuf {
    let folder = root.join("results/fake/sweep");
    fs::create_dir_all(&folder).unwrap();
    let text = serde_yaml::to_string(sheet).unwrap();
    fs::write(folder.join("experiment.yaml"), sealed(&text)).unwrap();
    for record in records {
        write_trial(&folder, &format!("{}/trial.yaml", record.trial), record);
    }
    folder
}

pub(crate) fn read(root: &Path, file: &str) -> String {
    fs::read_to_string(root.join("reports").join(file)).unwrap()
}

pub(crate) fn render_all(root: &Path) -> retrial_report::ReportSummary {
    render(&load(&root.join("results")).unwrap(), &root.join("reports")).unwrap()
}
