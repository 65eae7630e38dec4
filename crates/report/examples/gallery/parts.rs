//! What the made-up experiments are put together from.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use retrial_core::claim::{Claim, Expect, Origin};
use retrial_core::experiment::{DatasetSheet, ExperimentSheet, QuantitySheet, SHEET_FORMAT};
use retrial_core::metric::Direction;
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::{DatasetUse, Outcome, Provenance, RECORD_FORMAT, Record};
use retrial_core::report_spec::{Band, FigureSpec, Join, Labels, Pick, ReportSpec, Scale};
use retrial_core::seal::sealed;

/// The param that most experiments sweep.
pub(crate) const SUBSET: &str = "subset_size_px";

pub(crate) fn sheet(name: &str, question: &str) -> ExperimentSheet {
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
        (SUBSET, "px", "an odd whole number from 5 to 301"),
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
        format: SHEET_FORMAT,
        study: "dic".to_owned(),
        work: "Atkinson & Becker 2020, ADIC2D, doi:10.3390/rs12182906".to_owned(),
        experiment: name.to_owned(),
        question: question.to_owned(),
        command: format!("just run experiments/dic/{name}.yaml"),
        changes: Vec::new(),
        datasets: vec![DatasetSheet {
            name: "speckle".to_owned(),
            title: "Generated speckle series".to_owned(),
            licence: "CC0 1.0".to_owned(),
            citation: "retrial, crate synth.".to_owned(),
            generated: true,
        }],
        deterministic: false,
        swept: Vec::new(),
        trials: Vec::new(),
        seeds: Vec::new(),
        points: Vec::new(),
        fixed: Params::default(),
        metrics: metrics.map(|(q, d)| quantity(q, d)).to_vec(),
        params: params.map(|q| quantity(q, Direction::None)).to_vec(),
        columns: columns.map(|q| quantity(q, Direction::None)).to_vec(),
        claims: Vec::new(),
        report: ReportSpec::default(),
    }
}

pub(crate) fn claim(id: &str, subset: i64, expect: Expect) -> Claim {
    Claim {
        id: id.to_owned(),
        source: "published code, run on the same images (notes, 4.2)".to_owned(),
        origin: Origin::Publication,
        metric: "rmse".to_owned(),
        selection: params(&[
            (SUBSET, ParamValue::Int(subset)),
            ("order", ParamValue::Int(1)),
        ]),
        expect,
        note: None,
    }
}

pub(crate) fn figure(kind: &str, x: &str, y: &[&str]) -> FigureSpec {
    FigureSpec {
        kind: kind.to_owned(),
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
        join: Join::Auto,
        lines: Vec::new(),
        diagonal: false,
        labels: Labels::Legend,
        pick: Pick::All,
        rows: BTreeMap::new(),
    }
}

pub(crate) fn params(pairs: &[(&str, ParamValue)]) -> Params {
    pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), v.clone()))
        .collect()
}

pub(crate) fn record(
    experiment: &str,
    point: Params,
    seed: u64,
    metrics: &[(&str, f64, &str, Direction)],
) -> Record {
    let slug: Vec<String> = point.iter().map(|(n, v)| format!("{n}-{v}")).collect();
    Record {
        format: RECORD_FORMAT,
        migrated_from: None,
        trial: format!("{}-s{seed}-0123456789ab", slug.join("-")),
        study: "dic".to_owned(),
        revision: 1,
        experiment: experiment.to_owned(),
        params: point.clone(),
        point,
        set: None,
        amendments: Vec::new(),
        seed,
        device: "cpu".to_owned(),
        dataset: Some(DatasetUse {
            name: "speckle".to_owned(),
            content: "blake3:5f1c30e2a97b5f1c30e2a97b".to_owned(),
            source: "generator".to_owned(),
        }),
        outcome: Outcome::Finished,
        attempt: 1,
        metrics: (metrics.iter())
            .map(|(name, value, ..)| ((*name).to_owned(), *value))
            .collect(),
        stages: Vec::new(),
        artifacts: Vec::new(),
        content: "blake3:00".to_owned(),
        census: retrial_core::census::Census::default(),
        claims: BTreeMap::new(),
        provenance: Provenance {
            version: "0.1.0".to_owned(),
            source_revision: Some("7f92b42d3c1f7f92b42d3c1f".to_owned()),
            source_dirty: Some(false),
            build: None,
            project: None,
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
        files: BTreeMap::new(),
        seal: String::new(),
    }
}

pub(crate) fn write_sheet(folder: &Path, sheet: &ExperimentSheet) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let text = serde_yaml::to_string(sheet)?;
    fs::write(folder.join("experiment.yaml"), sealed(&text))?;
    Ok(())
}

pub(crate) fn write_record(
    folder: &Path,
    record: &Record,
    tables: &[(&str, String)],
) -> Result<(), Box<dyn Error>> {
    let folder = folder.join(&record.trial);
    fs::create_dir_all(&folder)?;
    for (name, text) in tables {
        fs::write(folder.join(format!("{name}.csv")), text)?;
    }
    fs::write(
        folder.join("trial.yaml"),
        retrial_report::record_text(record)?,
    )?;
    Ok(())
}

/// Numbers that look random and are the same every time.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
