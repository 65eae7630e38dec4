//! A results folder made by hand, and what its report must say.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use retrial_core::claim::{Claim, Expect, Verdict};
use retrial_core::experiment::{DatasetSheet, ExperimentSheet, QuantitySheet};
use retrial_core::metric::{Direction, MetricValue};
use retrial_core::params::{ParamValue, Params};
use retrial_core::record::{Outcome, Provenance, Record};
use retrial_core::report_spec::{Band, FigureKind, FigureSpec, ReportSpec, Scale, TableSpec};
use retrial_report::{ReportError, check, load, render, verdicts};

fn params(pairs: &[(&str, ParamValue)]) -> Params {
    let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    pairs.collect()
}

fn quantity(name: &str, unit: &str, direction: Direction) -> QuantitySheet {
    QuantitySheet {
        name: name.to_owned(),
        unit: unit.to_owned(),
        direction,
        bounds: String::new(),
        doc: String::new(),
    }
}

fn sheet(trials: &[Record]) -> ExperimentSheet {
    ExperimentSheet {
        format: 1,
        study: "fake".to_owned(),
        work: "Doe & Roe 2020, <A & B>".to_owned(),
        experiment: "sweep".to_owned(),
        question: "Is a|b < c & d_e?".to_owned(),
        command: "just run experiments/fake/sweep.yaml".to_owned(),
        dataset: Some(DatasetSheet {
            name: "made-up".to_owned(),
            title: "Made up".to_owned(),
            licence: "CC0 1.0".to_owned(),
            citation: "Nobody 2026.".to_owned(),
            generated: true,
        }),
        deterministic: false,
        swept: vec!["size_px".to_owned()],
        trials: trials.iter().map(|r| r.trial.clone()).collect(),
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

fn record(size: i64, seed: u64, rmse: f64) -> Record {
    let metric = |name: &str, value| MetricValue {
        name: name.to_owned(),
        value,
        unit: String::new(),
        direction: Direction::Lower,
    };
    let point = params(&[("size_px", ParamValue::Int(size))]);
    Record {
        format: 1,
        trial: format!("size-{size}-s{seed}-abcdef012345"),
        study: "fake".to_owned(),
        revision: 3,
        experiment: "sweep".to_owned(),
        params: point.clone(),
        point,
        seed,
        device: "cpu".to_owned(),
        dataset: None,
        outcome: Outcome::Finished,
        attempt: 1,
        metrics: vec![metric("rmse", rmse), metric("hole", f64::NAN)],
        stages: Vec::new(),
        artifacts: Vec::new(),
        content: "blake3:00".to_owned(),
        claims: BTreeMap::new(),
        provenance: Provenance {
            version: "0.1.0".to_owned(),
            source_revision: Some("0123456789abcdef".to_owned()),
            source_dirty: Some(true),
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
    }
}

/// Two seeds of three sizes; rmse = size / 1000 ± 0.001.
fn six() -> Vec<Record> {
    let mut records = Vec::new();
    for size in [10, 20, 30] {
        for seed in [0u64, 1] {
            let side = if seed == 0 { -0.001 } else { 0.001 };
            records.push(record(size, seed, size as f64 / 1000.0 + side));
        }
    }
    records
}

fn figure(kind: FigureKind, y: &str) -> FigureSpec {
    FigureSpec {
        kind,
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
    }
}

fn table(values: &[&str]) -> TableSpec {
    TableSpec {
        rows: vec!["size_px".to_owned()],
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        filter: Params::default(),
        title: Some("Errors".to_owned()),
    }
}

fn write_trial(folder: &Path, file: &str, record: &Record) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, serde_yaml::to_string(record).unwrap()).unwrap();
}

/// A results folder with these records under a sheet.
fn results(root: &Path, sheet: &ExperimentSheet, records: &[Record]) -> PathBuf {
    let folder = root.join("results/fake/sweep");
    fs::create_dir_all(&folder).unwrap();
    let text = serde_yaml::to_string(sheet).unwrap();
    fs::write(folder.join("experiment.yaml"), text).unwrap();
    for record in records {
        write_trial(&folder, &format!("{}/trial.yaml", record.trial), record);
    }
    folder
}

fn read(root: &Path, file: &str) -> String {
    fs::read_to_string(root.join("reports").join(file)).unwrap()
}

fn render_all(root: &Path) -> retrial_report::ReportSummary {
    render(&load(&root.join("results")).unwrap(), &root.join("reports")).unwrap()
}

#[test]
fn tables_hold_mean_spread_interval_and_number() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.tables = vec![table(&["rmse", "hole"])];
    results(root.path(), &sheet, &records);
    let summary = render_all(root.path());
    assert_eq!((summary.tables, summary.figures), (1, 0));
    assert_eq!(summary.faults, Vec::<String>::new());
    // n = 2 and sd = 0.001·√2, so the half width is t(0.975; 1)·0.001 = 12.706·0.001.
    let text = read(root.path(), "tables/fake-sweep-errors.md");
    let expected = "\
| size (px) |                       rmse (px) ↓ | hole |    n |
| --------- | --------------------------------: | ---: | ---: |
| 10        | 0.0100 ± 0.0014 [−0.0027, 0.0227] |    – |    2 |
| 20        |  0.0200 ± 0.0014 [0.0073, 0.0327] |    – |    2 |
| 30        |  0.0300 ± 0.0014 [0.0173, 0.0427] |    – |    2 |
";
    assert_eq!(text, expected);
    let csv = read(root.path(), "tables/fake-sweep-errors.csv");
    let line: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(
        (line[0], line[5], &line[6..]),
        ("10", "2", &["", "", "", "", "0"][..])
    );
    let number = |i: usize| line[i].parse::<f64>().unwrap();
    assert!((number(1) - 0.01).abs() < 1e-15 && (number(2) - 0.001 * 2f64.sqrt()).abs() < 1e-15);
    assert!((number(3) - (0.01 - 0.012_706_204_7)).abs() < 1e-9);
    let tex = read(root.path(), "tables/fake-sweep-errors.tex");
    assert!(
        tex.contains(r"10 & $0.0100 \pm 0.0014$ $[-0.0027, 0.0227]$ & -- & 2 \\"),
        "{tex}"
    );
    assert!(tex.contains(r"rmse (px) $\downarrow$"), "{tex}");
}

#[test]
fn a_study_without_spread_shows_values_alone() {
    let root = tempfile::tempdir().unwrap();
    let records: Vec<Record> = six().into_iter().filter(|r| r.seed == 0).collect();
    let mut sheet = sheet(&records);
    sheet.deterministic = true;
    sheet.report.tables = vec![table(&["rmse"])];
    results(root.path(), &sheet, &records);
    render_all(root.path());
    let text = read(root.path(), "tables/fake-sweep-errors.md");
    assert!(text.contains("| 10        |     0.00900 |"), "{text}");
    assert!(!text.contains('±') && !text.contains('['), "{text}");
}

#[test]
fn every_verdict_is_told() {
    let root = tempfile::tempdir().unwrap();
    let mut records = Vec::new();
    for (seed, side) in [-0.0001, 0.0, 0.0001].into_iter().enumerate() {
        records.push(record(10, seed as u64, 0.01 + side));
        records.push(record(20, seed as u64, 0.02 + 20.0 * side));
    }
    let claim = |id: &str, size: i64, expect: Expect| Claim {
        id: id.to_owned(),
        source: "Table 1".to_owned(),
        metric: "rmse".to_owned(),
        selection: params(&[("size_px", ParamValue::Int(size))]),
        expect,
        note: None,
    };
    let mut sheet = sheet(&records);
    let close = Expect::Value {
        value: 0.01,
        tolerance: 0.001,
    };
    sheet.claims = vec![
        claim("same", 10, close),
        claim("too-low", 10, Expect::AtMost(0.005)),
        claim("unsure", 20, Expect::AtLeast(0.0201)),
        claim("never-run", 30, Expect::AtMost(1.0)),
    ];
    records[0]
        .claims
        .insert("same".to_owned(), "another hash".to_owned());
    results(root.path(), &sheet, &records);
    let rows = verdicts(&load(&root.path().join("results")).unwrap());
    let found: Vec<(&str, Verdict)> = rows.iter().map(|r| (r.id.as_str(), r.verdict)).collect();
    assert_eq!(
        found,
        [
            ("same", Verdict::Reproduced),
            ("too-low", Verdict::NotReproduced),
            ("unsure", Verdict::Underpowered),
            ("never-run", Verdict::NotTestable),
        ]
    );
    let ours = rows[0].ours.unwrap();
    assert_eq!(
        (ours.n, ours.ci95.is_some(), rows[0].edited),
        (3, true, true)
    );
    assert!(!rows[1].edited && rows[3].ours.is_none());
    let summary = render_all(root.path());
    assert!(summary.verdicts.iter().all(|(_, n)| *n == 1));
    let page = read(root.path(), "fake.md");
    assert!(page.contains("claim edited after the fact"), "{page}");
    let html = read(root.path(), "index.html");
    assert!(html.contains("badge underpowered") && html.contains("1 not testable"));
}

#[test]
fn failures_and_damage_are_shown() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let folder = results(root.path(), &sheet(&records), &records[..5]);
    let mut failed = records[5].clone();
    failed.outcome = Outcome::Failed {
        cause: "out_of_memory".to_owned(),
        error: "killed <at> 3 GiB".to_owned(),
    };
    write_trial(
        &folder,
        &format!("{}.attempts/1/attempt.yaml", failed.trial),
        &failed,
    );
    fs::create_dir_all(folder.join("size-30-broken")).unwrap();
    fs::write(
        folder.join("size-30-broken/trial.yaml"),
        "format: 1\ntrial: [",
    )
    .unwrap();
    fs::create_dir_all(folder.join("size-30-old")).unwrap();
    fs::write(folder.join("size-30-old/trial.yaml"), "format: 99\n").unwrap();
    fs::create_dir_all(folder.join("size-30-empty")).unwrap();
    fs::create_dir_all(folder.join("size-40-s0.partial")).unwrap();
    let mut earlier = record(99, 7, 5.0);
    earlier.trial = "size-99-s7-earlier".to_owned();
    write_trial(&folder, "size-99-s7-earlier/trial.yaml", &earlier);

    let experiments = load(&root.path().join("results")).unwrap();
    let experiment = &experiments[0];
    assert_eq!(
        (experiment.finished.len(), experiment.earlier.len()),
        (5, 1)
    );
    let damaged: Vec<&str> = experiment.damaged.iter().map(|d| d.path.as_str()).collect();
    assert_eq!(
        damaged,
        [
            "fake/sweep/size-30-broken/trial.yaml",
            "fake/sweep/size-30-empty/trial.yaml",
            "fake/sweep/size-30-old/trial.yaml",
        ]
    );
    assert!(experiment.damaged[2].reason.contains("format 99"));
    let summary = render_all(root.path());
    assert_eq!(summary.faults.len(), 3);
    let page = read(root.path(), "fake.md");
    for needed in [
        "5 of 6 planned trials finished, 1 failed, 1 begun",
        "attempt 1, out of memory): killed \\<at> 3 GiB",
        "fake/sweep/size-30-broken/trial.yaml",
        "1 trial from an earlier plan",
        "size-99-s7-earlier",
        "with uncommitted changes",
    ] {
        assert!(page.contains(needed), "{needed}\n{page}");
    }
    let html = read(root.path(), "index.html");
    assert!(html.contains("killed &lt;at&gt; 3 GiB"));
    for page in [&page, &html] {
        assert!(!page.contains("host-that-no-report-names"));
        assert!(!page.contains(root.path().to_str().unwrap()));
    }
}

#[test]
fn text_of_specs_is_escaped() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.tables = vec![TableSpec {
        title: Some("50 % of a_b & {c} | d".to_owned()),
        ..table(&["rmse"])
    }];
    results(root.path(), &sheet, &records);
    render_all(root.path());
    let html = read(root.path(), "index.html");
    assert!(html.contains("Doe &amp; Roe 2020, &lt;A &amp; B&gt;"));
    assert!(html.contains("Is a|b &lt; c &amp; d_e?"));
    let page = read(root.path(), "fake.md");
    assert!(page.contains("Is a\\|b \\< c & d_e?"), "{page}");
    let tex = read(root.path(), "tables/fake-sweep-50-of-a-b-c-d.tex");
    assert!(
        tex.contains(r"\caption{50 \% of a\_b \& \{c\} | d. Mean"),
        "{tex}"
    );
}

#[test]
fn figures_are_files_in_two_formats_and_the_page_needs_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.figures = vec![
        figure(FigureKind::Line, "rmse"),
        figure(FigureKind::Scatter, "rmse"),
        figure(FigureKind::Bar, "rmse"),
        figure(FigureKind::Histogram, "rmse"),
    ];
    results(root.path(), &sheet, &records);
    let summary = render_all(root.path());
    assert_eq!(
        (summary.figures, summary.faults.len()),
        (4, 0),
        "{summary:?}"
    );
    let stem = "figures/fake-sweep-rmse-against-size";
    let svg = read(root.path(), &format!("{stem}.svg"));
    assert!(
        svg.starts_with("<svg ") && svg.contains("aria-label=\"rmse (px)\""),
        "{svg}"
    );
    let png = fs::read(root.path().join("reports").join(format!("{stem}.png"))).unwrap();
    let picture = image::load_from_memory(&png).unwrap();
    // 120 mm at 300 dpi.
    assert_eq!(picture.width(), 1417);
    let html = read(root.path(), "index.html");
    assert_eq!(html.matches("<svg ").count(), 4);
    for outside in ["src=\"http", "href=\"http", "@import", "<script", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn a_field_has_holes_and_a_missing_column_is_named() {
    let root = tempfile::tempdir().unwrap();
    let records: Vec<Record> = six().into_iter().take(1).collect();
    let mut sheet = sheet(&records);
    let heat = |value: &str| FigureSpec {
        table: Some("points".to_owned()),
        x: Some("x".to_owned()),
        y: vec!["y".to_owned()],
        value: Some(value.to_owned()),
        ..figure(FigureKind::Heat, "y")
    };
    let absent = FigureSpec {
        table: Some("nowhere".to_owned()),
        ..heat("u")
    };
    sheet.report.figures = vec![
        heat("u"),
        heat("w"),
        absent,
        figure(FigureKind::Line, "hole"),
    ];
    let folder = results(root.path(), &sheet, &records);
    let points = "x,y,u\n0,0,-1\n10,0,1\n0,10,0.5\n20,10,NaN\n20,0,0.25\n";
    fs::write(folder.join(&records[0].trial).join("points.csv"), points).unwrap();
    let summary = render_all(root.path());
    assert_eq!(summary.figures, 1);
    let page = read(root.path(), "fake.md");
    // Of six grid points one has NaN and one no row.
    assert!(
        page.contains("2 grid points have no value (grey)."),
        "{page}"
    );
    assert!(
        page.contains("figure “w as a field” of fake/sweep: no `w` in table `points`")
            || summary.faults[0].contains("figure “w as a field” of fake/sweep: no `w`"),
        "{:?}",
        summary.faults
    );
    assert!(
        summary.faults[1].contains("nowhere.csv"),
        "{:?}",
        summary.faults
    );
    assert!(
        summary.faults[2].contains("no finite value"),
        "{:?}",
        summary.faults
    );
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.tables = vec![table(&["rmse"])];
    sheet.report.figures = vec![figure(FigureKind::Line, "rmse")];
    results(root.path(), &sheet, &records);
    let out = root.path().join("reports");
    let experiments = load(&root.path().join("results")).unwrap();
    assert_eq!(check(&experiments, &out).unwrap().len(), 7);
    let first = render(&experiments, &out).unwrap();
    assert_eq!((first.written, first.fresh), (7, 0));
    let again = render(&load(&root.path().join("results")).unwrap(), &out).unwrap();
    assert_eq!((again.written, again.fresh), (0, 7));
    assert_eq!(check(&experiments, &out).unwrap(), Vec::<PathBuf>::new());
    fs::write(out.join("fake.md"), "edited").unwrap();
    fs::write(out.join("figures/fake-sweep-old.svg"), "left over").unwrap();
    fs::write(out.join("figures/other.svg"), "of no study").unwrap();
    let stale = check(&experiments, &out).unwrap();
    assert_eq!(
        stale,
        [out.join("fake.md"), out.join("figures/fake-sweep-old.svg")]
    );
    render(&experiments, &out).unwrap();
    assert!(!out.join("figures/fake-sweep-old.svg").exists());
    assert!(out.join("figures/other.svg").exists());
}

#[test]
fn nothing_run_yet_is_a_page_too() {
    let root = tempfile::tempdir().unwrap();
    assert!(load(&root.path().join("results")).unwrap().is_empty());
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.tables = vec![table(&["rmse"])];
    sheet.report.figures = vec![figure(FigureKind::Line, "rmse")];
    results(root.path(), &sheet, &[]);
    let summary = render_all(root.path());
    assert!(
        summary.faults[0].contains("no finished trial"),
        "{summary:?}"
    );
    let page = read(root.path(), "fake.md");
    assert!(page.contains("0 of 6 planned trials finished"), "{page}");
}

#[test]
fn a_sheet_of_another_version_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = results(root.path(), &sheet(&[]), &[]);
    fs::write(folder.join("experiment.yaml"), "format: 9\n").unwrap();
    let error = load(&root.path().join("results")).unwrap_err();
    assert!(
        matches!(
            error,
            ReportError::SheetFormat {
                found: 9,
                expected: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn pictures_of_trials_stand_in_a_grid() {
    let root = tempfile::tempdir().unwrap();
    let mut records: Vec<Record> = six().into_iter().filter(|r| r.seed == 0).collect();
    let name = |i: usize| format!("digit-{i}.png");
    for record in &mut records {
        for i in 0..2 {
            record.artifacts.push(retrial_core::record::Artifact {
                path: name(i),
                content: "blake3:22".to_owned(),
                bytes: 1,
            });
        }
    }
    let mut sheet = sheet(&records);
    let grid = |pattern: &str| FigureSpec {
        table: Some(pattern.to_owned()),
        series: Some("size_px".to_owned()),
        x: None,
        y: Vec::new(),
        ..figure(FigureKind::ImageGrid, "rmse")
    };
    sheet.report.figures = vec![grid("digit-*.png"), grid("face-*.png")];
    let folder = results(root.path(), &sheet, &records);
    for record in &records {
        for i in 0..2u8 {
            let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([200 * i, 10, 20]));
            let path = folder.join(&record.trial).join(name(usize::from(i)));
            picture.save(path).unwrap();
        }
    }
    let summary = render_all(root.path());
    assert_eq!(
        (summary.figures, summary.faults.len()),
        (1, 1),
        "{summary:?}"
    );
    assert!(summary.faults[0].contains("no artifact fits `face-*.png`"));
    let svg = read(root.path(), "figures/fake-sweep-pictures.svg");
    assert_eq!(svg.matches("<image ").count(), 6);
    assert!(svg.contains("aria-label=\"size 20 px\""), "{svg}");
    let png = root.path().join("reports/figures/fake-sweep-pictures.png");
    let drawn = image::open(png).unwrap().to_rgb8();
    let red = drawn.pixels().filter(|p| p.0 == [200, 10, 20]).count();
    let black = drawn.pixels().filter(|p| p.0 == [0, 10, 20]).count();
    assert!(
        red > 10_000 && black.abs_diff(red) < red / 20,
        "{red} {black}"
    );
}
