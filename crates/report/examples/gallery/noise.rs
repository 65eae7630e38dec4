//! An experiment with seeds.

use std::error::Error;
use std::path::Path;

use retrial_core::claim::{Claim, Expect};
use retrial_core::metric::Direction;
use retrial_core::params::{ParamValue, Params};
use retrial_core::report_spec::{Band, FigureSpec, Scale, TableSpec};

use crate::parts::{Noise, claim, figure, params, record, sheet, write_record, write_sheet};

/// A study with randomness: seeds, intervals, every verdict.
pub(crate) fn write(results: &Path) -> Result<(), Box<dyn Error>> {
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
        ..figure("line", "noise_grey", &["rmse"])
    };
    sheet.report.figures = vec![
        band(Band::Ci95),
        FigureSpec {
            x_scale: Scale::Log,
            y_scale: Scale::Log,
            ..band(Band::Sd)
        },
        FigureSpec {
            kind: "bar".to_owned(),
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
