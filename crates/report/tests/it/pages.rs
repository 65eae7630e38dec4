//! What the pages say of claims, data, failures and damage.

use std::fs;

use retrial_core::claim::{Claim, Expect, Origin, Verdict};
use retrial_core::params::ParamValue;
use retrial_core::record::{Build, Library, Outcome};
use retrial_report::{load, verdicts};

use crate::results_folder::{params, read, record, render_all, results, sheet, six, write_trial};

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
        origin: Origin::Publication,
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
    let counts: Vec<_> = summary.verdicts.iter().map(|(_, _, n)| *n).collect();
    assert_eq!(counts, [1; 4]);
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
        "format: 5\ntrial: [",
    )
    .unwrap();
    fs::create_dir_all(folder.join("size-30-old")).unwrap();
    fs::write(folder.join("size-30-old/trial.yaml"), "format: 0\n").unwrap();
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
    assert!(experiment.damaged[2].reason.contains("it has format 0"));
    let summary = render_all(root.path());
    assert_eq!(summary.faults, Vec::<String>::new());
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
fn a_record_of_another_program_names_both_sources() {
    let root = tempfile::tempdir().unwrap();
    let mut records = six();
    for record in &mut records {
        record.provenance.build = Some(Build {
            program: Some("buffon".to_owned()),
            retrial: Some(Library {
                version: "0.3.0".to_owned(),
                revision: Some("fedcba9876543210".to_owned()),
            }),
            ..Build::default()
        });
    }
    results(root.path(), &sheet(&records), &records);
    render_all(root.path());
    let page = read(root.path(), "fake.md");
    let both = "buffon 0.1.0 at 0123456789ab, with uncommitted changes, with retrial 0.3.0 at fedcba987654";
    assert!(page.contains(both), "{page}");
}

#[test]
fn every_data_set_is_named_with_its_terms() {
    let root = tempfile::tempdir().unwrap();
    results(root.path(), &sheet(&[]), &[]);
    render_all(root.path());
    let page = read(root.path(), "fake.md");
    let made =
        "Data: **Made up** (`made-up`). Licence: CC0 1.0. Nobody 2026. Generated by retrial.\n";
    let measured = "Data: **Measured** (`measured`). Licence: With \\<citation>. Somebody 2025.\n";
    let places = (page.find(made).unwrap(), page.find(measured).unwrap());
    assert!(places.0 < places.1);
    let html = read(root.path(), "index.html");
    assert!(html.contains("<b>Made up</b>") && html.contains("With &lt;citation&gt;. Somebody"));
    assert_eq!(html.matches("Generated by retrial.").count(), 1);
}
