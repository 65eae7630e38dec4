//! Which files a report writes, leaves and removes.

use std::fs;
use std::path::PathBuf;

use retrial_core::report_spec::FigureKind;
use retrial_report::{ReportError, check, load, render};

use crate::results_folder::{figure, read, render_all, results, sheet, six, table};

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
