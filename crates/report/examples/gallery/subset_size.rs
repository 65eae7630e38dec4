//! A deterministic experiment with a failed attempt, a damaged record and an earlier trial.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use retrial_core::claim::Expect;
use retrial_core::metric::Direction;
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::Outcome;
use retrial_core::report_spec::{FigureSpec, ReferencePoint, Scale, TableSpec};

use crate::parts::{SUBSET, claim, figure, params, record, sheet, write_record, write_sheet};

/// A deterministic study: noise and bias over the subset size, for three shape functions.
pub(crate) fn write(results: &Path) -> Result<(), Box<dyn Error>> {
    let mut sheet = sheet(
        "subset-size",
        "How do noise and bias depend on the size of the subset?",
    );
    sheet.deterministic = true;
    sheet.swept = vec![SUBSET.to_owned(), "order".to_owned()];
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
        rows: vec![SUBSET.to_owned(), "order".to_owned()],
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
        ..figure("line", SUBSET, &["rmse"])
    };
    let log = FigureSpec {
        x_scale: Scale::Log,
        y_scale: Scale::Log,
        title: Some("Noise and bias, logarithmic".to_owned()),
        filter: params(&[("order", ParamValue::Int(1))]),
        ..figure("line", SUBSET, &["random_error_u", "rmse"])
    };
    let imposed = FigureSpec {
        table: Some("errors".to_owned()),
        filter: params(&[("order", ParamValue::Int(1)), (SUBSET, ParamValue::Int(41))]),
        title: Some("Error against imposed displacement".to_owned()),
        ..figure("line", "imposed_u", &["bias_u", "bias_v"])
    };
    let scatter = FigureSpec {
        table: Some("errors".to_owned()),
        series: Some("order".to_owned()),
        title: Some("Bias of every image".to_owned()),
        ..figure("scatter", "imposed_u", &["bias_u"])
    };
    let missing = figure("line", SUBSET, &["variance"]);
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
                (SUBSET, ParamValue::Int(subset)),
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
        retrial_report::record_text(&failed)?,
    )?;
    let damaged = folder.join(format!("{SUBSET}-91-0123456789ab"));
    fs::create_dir_all(&damaged)?;
    fs::write(damaged.join("trial.yaml"), "format: 5\ntrial: [\n")?;
    let earlier = record(
        "subset-size",
        params(&[("order", ParamValue::Int(5))]),
        9,
        &[],
    );
    write_record(&folder, &earlier, &[])?;
    Ok(())
}
