//! Figures of detectors: curves of single trials, lines at fixed values, small pictures.

use std::fs;
use std::path::Path;

use retrial_core::experiment::ExperimentSheet;
use retrial_core::params::ParamValue;
use retrial_core::record::{Artifact, DatasetUse, Record};
use retrial_core::report_spec::{Band, FigureSpec, Guide, GuideAt, Join, Labels, Pick, Scale};
use retrial_report::gray_png;

use crate::results_folder::{figure, params, read, render_all, results, sheet, six};

fn titled(title: &str, spec: FigureSpec) -> FigureSpec {
    FigureSpec {
        title: Some(title.to_owned()),
        ..spec
    }
}

fn from_table(table: &str, kind: &str, x: &str, y: &str) -> FigureSpec {
    FigureSpec {
        table: Some(table.to_owned()),
        x: Some(x.to_owned()),
        series: Some("size_px".to_owned()),
        band: Band::None,
        ..figure(kind, y)
    }
}

fn written(root: &Path, sheet: &ExperimentSheet, records: &[Record], table: &str, text: &str) {
    let folder = results(root, sheet, records);
    for record in records {
        fs::write(
            folder.join(&record.trial).join(format!("{table}.csv")),
            text,
        )
        .unwrap();
    }
}

/// Lines in the inks of series; those of axes and guides are in ink.
fn coloured_lines(svg: &str) -> Vec<&str> {
    let lines = svg.lines().filter(|line| line.contains("fill=\"none\""));
    lines
        .filter(|line| !line.contains("currentColor"))
        .collect()
}

#[test]
fn an_roc_curve_is_one_line_a_trial_on_a_square() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    let roc = FigureSpec {
        diagonal: true,
        ..from_table("roc", "line", "fpr", "tpr")
    };
    let one = FigureSpec {
        filter: params(&[
            ("seed", ParamValue::Int(1)),
            ("size_px", ParamValue::Int(10)),
        ]),
        join: Join::Steps,
        ..roc.clone()
    };
    let mean = FigureSpec {
        diagonal: false,
        ..roc.clone()
    };
    sheet.report.figures = vec![titled("all", roc), titled("one", one), titled("mean", mean)];
    // Straight up at 0, then sloping: means at equal x would lose the corner at (0, 0).
    let text = "fpr,tpr\n0,0\n0,0.5\n0.5,1\n1,1\n";
    written(root.path(), &sheet, &records, "roc", text);
    let summary = render_all(root.path());
    assert_eq!(summary.faults, Vec::<String>::new());
    let svg = read(root.path(), "figures/fake-sweep-all.svg");
    // Six trials and three entries of the legend.
    assert_eq!(coloured_lines(&svg).len(), 9, "{svg}");
    assert!(read(root.path(), "fake.md").contains("One thin line for each trial."));
    let svg = read(root.path(), "figures/fake-sweep-one.svg");
    let lines = coloured_lines(&svg);
    assert_eq!(lines.len(), 1);
    let path = lines[0].split('"').nth(1).unwrap();
    let moves: Vec<(i32, i32)> = (path.split('l').skip(1))
        .map(|pair| {
            let (x, y) = pair.split_once(' ').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        })
        .collect();
    // Up to 1 in two strokes that are one, then right to 1: axes are equal, so the strokes are.
    let [(0, up), (right, 0)] = moves[..] else {
        panic!("{moves:?}")
    };
    assert!(up < 0 && (right + up).abs() <= 2, "{moves:?}");
    // With means the two values at 0 are one.
    let svg = read(root.path(), "figures/fake-sweep-mean.svg");
    assert_eq!(coloured_lines(&svg).len(), 3 + 3);
}

#[test]
fn only_the_rows_that_are_asked_for_are_counted() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    let of_part = |part: &str| FigureSpec {
        table: Some("scores".to_owned()),
        value: Some("score".to_owned()),
        x: None,
        series: None,
        rows: [("part".to_owned(), part.to_owned())].into(),
        ..figure("histogram", "score")
    };
    sheet.report.figures = vec![
        titled("judged", of_part("test")),
        titled("none", of_part("train")),
    ];
    let text = "part,score\ntest,1\ntest,2\ntest,3\nheld_out,9\n";
    written(root.path(), &sheet, &records, "scores", text);
    let summary = render_all(root.path());
    assert_eq!(summary.faults.len(), 1, "{:?}", summary.faults);
    assert!(
        summary.faults[0].contains("no row has part = train"),
        "{:?}",
        summary.faults
    );
    let svg = read(root.path(), "figures/fake-sweep-judged.svg");
    assert!(svg.contains("n = 18"), "three rows of six trials: {svg}");
}

#[test]
fn trials_without_a_table_are_left_out_and_named() {
    let root = tempfile::tempdir().unwrap();
    let mut records = six();
    for record in records.iter_mut().take(4) {
        record.artifacts.push(Artifact {
            path: "training.csv".to_owned(),
            content: "blake3:22".to_owned(),
            bytes: 1,
        });
    }
    let mut sheet = sheet(&records);
    let line = from_table("training", "line", "epoch", "loss");
    let first = FigureSpec {
        pick: Pick::First,
        series: None,
        ..line.clone()
    };
    sheet.report.figures = vec![titled("losses", line), titled("first", first)];
    let folder = results(root.path(), &sheet, &records);
    for record in records.iter().take(4) {
        let text = format!("epoch,loss\n1,{}\n2,1\n", record.seed);
        fs::write(folder.join(&record.trial).join("training.csv"), text).unwrap();
    }
    let summary = render_all(root.path());
    assert_eq!(summary.faults, Vec::<String>::new());
    let page = read(root.path(), "fake.md");
    let note = "2 of 6 trials leave no table `training` and are not shown (size px: 30).";
    assert_eq!(page.matches(note).count(), 2, "{page}");
    assert!(page.contains("The first of 4 trials (seed 0)."), "{page}");
    assert_eq!(page.matches("Means over 2 trials").count(), 1, "{page}");
}

#[test]
fn a_listed_table_that_is_gone_stays_an_error() {
    let root = tempfile::tempdir().unwrap();
    let mut records = six();
    records[0].artifacts.push(Artifact {
        path: "training.csv".to_owned(),
        content: "blake3:22".to_owned(),
        bytes: 1,
    });
    let mut sheet = sheet(&records);
    sheet.report.figures = vec![from_table("training", "line", "epoch", "loss")];
    let folder = results(root.path(), &sheet, &records);
    let other = folder.join(&records[1].trial).join("training.csv");
    fs::write(other, "epoch,loss\n1,2\n2,1\n").unwrap();
    let summary = render_all(root.path());
    assert!(summary.faults[0].contains("training.csv"), "{summary:?}");
}

#[test]
fn lines_at_fixed_values_are_named_and_inside() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    let guide = |at, label: &str| Guide {
        at,
        label: Some(label.to_owned()),
    };
    let lines = vec![
        guide(GuideAt::Y(0.4), "baseline"),
        guide(GuideAt::Y(0.41), "chance"),
    ];
    let with = |kind| FigureSpec {
        lines: lines.clone(),
        ..figure(kind, "rmse")
    };
    let spread = FigureSpec {
        labels: Labels::Points,
        series: Some("size_px".to_owned()),
        x_scale: Scale::Log,
        ..with("scatter")
    };
    sheet.report.figures = vec![
        titled("line", with("line")),
        titled("bar", with("bar")),
        titled("spread", spread),
    ];
    results(root.path(), &sheet, &records);
    let summary = render_all(root.path());
    assert_eq!(summary.faults, Vec::<String>::new());
    for name in ["line", "bar", "spread"] {
        let svg = read(root.path(), &format!("figures/fake-sweep-{name}.svg"));
        for label in ["baseline", "chance"] {
            assert!(svg.contains(&format!("aria-label=\"{label}\"")), "{name}");
        }
        // The values of the trials end at 0.031, so only the lines take the axis to 0.4.
        assert!(svg.contains("aria-label=\"0.4\""), "{name} {svg}");
    }
    let svg = read(root.path(), "figures/fake-sweep-spread.svg");
    assert_eq!(svg.matches("aria-label=\"size 20 px\"").count(), 1);
    let note = "Means over up to 2 seeds; whiskers are 95 % intervals of the mean.";
    assert!(read(root.path(), "fake.md").contains(note));
}

#[test]
fn a_far_tail_is_left_out_and_counted() {
    let root = tempfile::tempdir().unwrap();
    let records: Vec<Record> = six().into_iter().take(1).collect();
    let mut sheet = sheet(&records);
    let histogram = FigureSpec {
        value: Some("score".to_owned()),
        series: None,
        ..from_table("scores", "histogram", "score", "score")
    };
    let log = FigureSpec {
        x_scale: Scale::Log,
        ..histogram.clone()
    };
    sheet.report.figures = vec![titled("scores", histogram), titled("decades", log)];
    let mut text = String::from("score\n1e6\n");
    text.extend((0..200).map(|i| format!("{}\n", 100 + i)));
    written(root.path(), &sheet, &records, "scores", &text);
    let summary = render_all(root.path());
    assert_eq!(summary.faults, Vec::<String>::new());
    let page = read(root.path(), "fake.md");
    assert_eq!(
        page.matches("1 value above 300 not shown").count(),
        1,
        "{page}"
    );
}

#[test]
fn small_pictures_are_magnified_by_whole_dots_and_attributed() {
    let root = tempfile::tempdir().unwrap();
    let mut records: Vec<Record> = six().into_iter().take(2).collect();
    let gray: Vec<u8> = (0..64 * 64)
        .map(|i| if (i / 64 + i) % 2 == 0 { 40 } else { 200 })
        .collect();
    let png = gray_png(64, 64, &gray).unwrap();
    assert_eq!(png, gray_png(64, 64, &gray).unwrap());
    assert_eq!(
        image::load_from_memory(&png).unwrap().to_luma8().into_raw(),
        gray
    );
    assert!(gray_png(64, 63, &gray).is_none() && gray_png(0, 0, &[]).is_none());
    for record in &mut records {
        record.dataset = Some(DatasetUse {
            name: "measured".to_owned(),
            content: "blake3:00".to_owned(),
            source: "a mirror".to_owned(),
        });
        record.artifacts.push(Artifact {
            path: "board.png".to_owned(),
            content: "blake3:22".to_owned(),
            bytes: 1,
        });
    }
    let mut sheet = sheet(&records);
    let grid = FigureSpec {
        value: Some("picture".to_owned()),
        series: None,
        y: Vec::new(),
        ..from_table("pictures", "image_grid", "epoch", "")
    };
    let first = FigureSpec {
        pick: Pick::First,
        ..grid.clone()
    };
    sheet.report.figures = vec![titled("both", grid), titled("first", first)];
    let folder = results(root.path(), &sheet, &records);
    for record in &records {
        fs::write(folder.join(&record.trial).join("board.png"), &png).unwrap();
        let rows = "picture,epoch\nboard.png,20\n";
        fs::write(folder.join(&record.trial).join("pictures.csv"), rows).unwrap();
    }
    let summary = render_all(root.path());
    assert_eq!(summary.faults, Vec::<String>::new());
    let file = |name: &str| {
        root.path()
            .join(format!("reports/figures/fake-sweep-{name}.png"))
    };
    let drawn = image::open(file("first")).unwrap().to_luma8();
    // 32 mm hold 5 dots for each of 64 pixels; a board of squares keeps its two greys alone.
    let count = |grey: u8| drawn.pixels().filter(|p| p.0 == [grey]).count();
    let half = 64 * 64 * 25 / 2;
    assert!(count(40).abs_diff(half) < half / 20, "{}", count(40));
    assert!(count(200).abs_diff(half) < half / 20, "{}", count(200));
    let svg = read(root.path(), "figures/fake-sweep-both.svg");
    assert!(svg.contains("aria-label=\"size px 10, seed 1\""), "{svg}");
    assert!(svg.contains("aria-label=\"epoch 20\""), "{svg}");
    let page = read(root.path(), "fake.md");
    let note = "Pictures of or made from Measured: Somebody 2025. Licence: With \\<citation>.";
    assert_eq!(page.matches(note).count(), 2, "{page}");
    assert!(fs::metadata(file("both")).unwrap().len() < 300_000);
}
