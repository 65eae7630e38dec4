//! An experiment with detectors: curves, scores with a threshold, pictures, time against quality.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use retrial_core::experiment::QuantitySheet;
use retrial_core::metric::Direction;
use retrial_core::params::ParamValue;
use retrial_core::record::{Artifact, DatasetUse};
use retrial_core::report_spec::{Band, FigureSpec, Guide, GuideAt, Labels, Pick, Scale};

use crate::parts::{Noise, figure, params, record, sheet, write_record, write_sheet};

/// Methods with the gap between their scores of normal and anomalous items, and seconds an image.
const METHODS: [(&str, f64, f64); 6] = [
    ("anogan", 1.1, 4.2),
    ("f_anogan_izi", 2.3, 0.004),
    ("f_anogan_ziz", 1.4, 0.003),
    ("egbad_reconstruction", 1.2, 0.005),
    ("pca_residual", 1.9, 0.0002),
    ("nearest_neighbour", 1.5, 0.0011),
];
const SIZE: usize = 64;

/// Detectors by method and seed.
pub(crate) fn write(results: &Path) -> Result<(), Box<dyn Error>> {
    let mut sheet = sheet("detectors", "Which detector finds the digit it never saw?");
    sheet.swept = vec!["method".to_owned()];
    sheet.datasets[0].title = "Generated rings".to_owned();
    sheet.datasets[0].generated = false;
    let quantity = |name: &str, unit: &str| QuantitySheet {
        name: name.to_owned(),
        unit: unit.to_owned(),
        direction: Direction::None,
        bounds: String::new(),
        doc: "See the study.".to_owned(),
    };
    sheet.metrics = vec![quantity("auroc", ""), quantity("seconds_per_image", "s")];
    sheet.report.figures = figures();
    let mut noise = Noise(11);
    let folder = results.join("dic/detectors");
    for (method, gap, seconds) in METHODS {
        for seed in 0..3 {
            let point = params(&[("method", ParamValue::Text(method.to_owned()))]);
            let gap = gap + 0.15 * noise.normal();
            let scores = scores(gap, &mut noise);
            let (roc, area) = roc(&scores);
            let seconds = seconds * (1.0 + 0.1 * noise.normal());
            let metrics = [
                ("auroc", area, "", Direction::Higher),
                ("seconds_per_image", seconds, "s", Direction::Lower),
            ];
            let mut record = record("detectors", point, seed, &metrics);
            record.dataset = Some(DatasetUse {
                name: "speckle".to_owned(),
                content: "blake3:00".to_owned(),
                source: "generator".to_owned(),
            });
            let mut tables = vec![("scores", score_table(&scores)?), ("roc", roc)];
            let trained = !method.starts_with("pca") && !method.starts_with("nearest");
            if trained {
                tables.push(("training", training(&mut noise)?));
                tables.push(("pictures", picture_table()?));
            }
            sheet.trials.push(record.trial.clone());
            if trained {
                write_pictures(&folder, &mut record, &mut noise)?;
            }
            write_record(&folder, &record, &tables)?;
        }
    }
    write_sheet(&folder, &sheet)
}

fn figures() -> Vec<FigureSpec> {
    let from = |table: &str, title: &str, spec: FigureSpec| FigureSpec {
        table: Some(table.to_owned()),
        title: Some(title.to_owned()),
        ..spec
    };
    let guide = |at: GuideAt, label: &str| Guide {
        at,
        label: Some(label.to_owned()),
    };
    let by_method = |spec: FigureSpec| FigureSpec {
        series: Some("method".to_owned()),
        ..spec
    };
    let roc = by_method(figure("line", "fpr", &["tpr"]));
    let cost = by_method(FigureSpec {
        x_scale: Scale::Log,
        band: Band::Ci95,
        lines: vec![
            guide(GuideAt::Y(0.911), "PCA-20, 0.911"),
            guide(GuideAt::Y(0.9), "ink alone"),
            guide(GuideAt::X(0.0422), "a hundredth of the published search"),
        ],
        ..figure("scatter", "seconds_per_image", &["auroc"])
    });
    let histogram = FigureSpec {
        x: None,
        y: Vec::new(),
        value: Some("score".to_owned()),
        series: Some("label".to_owned()),
        lines: vec![
            guide(GuideAt::X(430_000.0), "published threshold"),
            guide(GuideAt::X(400_000.0), "threshold of held-out normal items"),
        ],
        ..figure("histogram", "score", &[])
    };
    let grid = |kind: &str, x: Option<&str>, series: Option<&str>| FigureSpec {
        x: x.map(str::to_owned),
        series: series.map(str::to_owned),
        value: Some(kind.to_owned()),
        pick: Pick::First,
        ..figure("image_grid", "", &[])
    };
    vec![
        from(
            "roc",
            "ROC",
            FigureSpec {
                diagonal: true,
                ..roc.clone()
            },
        ),
        from(
            "roc",
            "ROC, one trial a method",
            FigureSpec {
                diagonal: true,
                filter: params(&[("seed", ParamValue::Int(1))]),
                ..roc
            },
        ),
        from(
            "training",
            "Losses",
            FigureSpec {
                band: Band::Sd,
                filter: params(&[("method", ParamValue::Text("anogan".to_owned()))]),
                lines: vec![guide(GuideAt::X(60.0), "collapse")],
                ..figure("line", "epoch", &["d_loss", "g_loss"])
            },
        ),
        from(
            "training",
            "Losses of all",
            by_method(figure("line", "epoch", &["d_loss"])),
        ),
        from("scores", "Scores", histogram.clone()),
        from(
            "scores",
            "Scores in decades",
            FigureSpec {
                x_scale: Scale::Log,
                lines: Vec::new(),
                ..histogram
            },
        ),
        FigureSpec {
            title: Some("Time against AUROC".to_owned()),
            ..cost.clone()
        },
        FigureSpec {
            title: Some("Time against AUROC, named".to_owned()),
            labels: Labels::Points,
            ..cost
        },
        FigureSpec {
            band: Band::Ci95,
            lines: vec![
                guide(GuideAt::Y(0.911), "PCA-20"),
                guide(GuideAt::Y(0.5), "chance"),
            ],
            ..figure("bar", "method", &["auroc"])
        },
        from(
            "pictures",
            "Film strip",
            grid("picture", Some("epoch"), Some("kind")),
        ),
        from(
            "pictures",
            "Samples by epoch",
            grid("grid", Some("epoch"), None),
        ),
        from(
            "pictures",
            "First of each method",
            FigureSpec {
                series: Some("method".to_owned()),
                ..grid("picture", Some("epoch"), None)
            },
        ),
        from(
            "pictures",
            "A ready-made grid",
            FigureSpec {
                pick: Pick::First,
                ..grid("whole", None, None)
            },
        ),
    ]
}

/// Label and score of 600 items with a heavy tail.
fn scores(gap: f64, noise: &mut Noise) -> Vec<(u8, f64)> {
    (0..600)
        .map(|i| {
            let label = [2u8, 7, 8][i % 3];
            let shift = if label == 2 { gap } else { 0.0 };
            let far = if i % 197 == 5 { 2e7 } else { 0.0 };
            (label, 400_000.0 + 60_000.0 * (shift + noise.normal()) + far)
        })
        .collect()
}

fn score_table(scores: &[(u8, f64)]) -> Result<String, std::fmt::Error> {
    let mut table = String::from("item,label,score\n");
    for (i, (label, score)) in scores.iter().enumerate() {
        writeln!(table, "{i},{label},{score}")?;
    }
    Ok(table)
}

fn roc(scores: &[(u8, f64)]) -> (String, f64) {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (mut tp, mut fp, mut area) = (0, 0, 0.0);
    let mut table = String::from("fpr,tpr\n0,0\n");
    for (label, _) in sorted {
        if label == 2 {
            tp += 1;
        } else {
            fp += 1;
            area += f64::from(tp) / 200.0 / 400.0;
        }
        table.push_str(&format!(
            "{},{}\n",
            f64::from(fp) / 400.0,
            f64::from(tp) / 200.0
        ));
    }
    (table, area)
}

fn training(noise: &mut Noise) -> Result<String, std::fmt::Error> {
    let mut table = String::from("epoch,d_loss,g_loss\n");
    for epoch in 0..120 {
        let fall = (-f64::from(epoch) / 30.0).exp();
        let (d, g) = (
            1.3 * fall + 0.05 * noise.normal(),
            4.0 - 3.0 * fall + 0.1 * noise.normal(),
        );
        writeln!(table, "{epoch},{d},{g}")?;
    }
    Ok(table)
}

fn picture_table() -> Result<String, std::fmt::Error> {
    let mut table = String::from("kind,epoch,picture,grid,whole\n");
    for kind in ["query", "reconstruction", "residual"] {
        for epoch in [0, 1, 5, 10, 20, 50, 100, 300] {
            let grid = if kind == "query" {
                format!("grid_{epoch}.png")
            } else {
                String::new()
            };
            let whole = if kind == "query" && epoch == 300 {
                "whole.png"
            } else {
                ""
            };
            writeln!(table, "{kind},{epoch},{kind}_{epoch}.png,{grid},{whole}")?;
        }
    }
    Ok(table)
}

fn write_pictures(
    folder: &Path,
    record: &mut retrial_core::record::Record,
    noise: &mut Noise,
) -> Result<(), Box<dyn Error>> {
    let folder = folder.join(&record.trial);
    fs::create_dir_all(&folder)?;
    let mut write = |name: String, columns: usize, rows: usize| -> Result<(), Box<dyn Error>> {
        let pixels = rings(columns, rows, noise);
        let (width, height) = ((columns * SIZE) as u32, (rows * SIZE) as u32);
        let png = retrial_report::gray_png(width, height, &pixels).ok_or("a wrong size")?;
        fs::write(folder.join(&name), &png)?;
        record.artifacts.push(Artifact {
            path: name,
            content: "blake3:00".to_owned(),
            bytes: png.len() as u64,
        });
        Ok(())
    };
    for epoch in [0, 1, 5, 10, 20, 50, 100, 300] {
        for kind in ["query", "reconstruction", "residual"] {
            write(format!("{kind}_{epoch}.png"), 1, 1)?;
        }
        write(format!("grid_{epoch}.png"), 4, 4)?;
    }
    write("whole.png".to_owned(), 8, 8)
}

/// Soft rings in a grid.
fn rings(columns: usize, rows: usize, noise: &mut Noise) -> Vec<u8> {
    let centres: Vec<[f64; 3]> = (0..columns * rows)
        .map(|_| {
            [
                32.0 + 5.0 * noise.normal(),
                32.0 + 5.0 * noise.normal(),
                14.0 + 3.0 * noise.normal(),
            ]
        })
        .collect();
    let mut pixels = Vec::new();
    for y in 0..rows * SIZE {
        for x in 0..columns * SIZE {
            let [cx, cy, radius] = centres[(y / SIZE) * columns + x / SIZE];
            let far = ((x % SIZE) as f64 - cx).hypot((y % SIZE) as f64 - cy) - radius;
            pixels.push((255.0 * (-(far / 3.0).powi(2)).exp()) as u8);
        }
    }
    pixels
}
