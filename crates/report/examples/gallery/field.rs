//! An experiment with fields over the image.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use retrial_core::metric::Direction;
use retrial_core::params::{ParamValue, Params};
use retrial_core::report_spec::FigureSpec;

use crate::parts::{Noise, figure, params, record, sheet, write_record, write_sheet};

/// Fields of displacement with holes, as a signed and as an unsigned map.
pub(crate) fn write(results: &Path) -> Result<(), Box<dyn Error>> {
    let mut sheet = sheet("field", "Where does the measured displacement go wrong?");
    sheet.deterministic = true;
    sheet.swept = vec!["order".to_owned()];
    let heat = |value: &str, title: &str| FigureSpec {
        table: Some("points".to_owned()),
        value: Some(value.to_owned()),
        title: Some(title.to_owned()),
        filter: params(&[("order", ParamValue::Int(1))]),
        ..figure("heat", "x", &["y"])
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
                kind: "histogram".to_owned(),
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
