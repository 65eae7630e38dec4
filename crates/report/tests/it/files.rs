//! Which files a report writes, leaves and removes.

use std::fs;
use std::path::PathBuf;

use retrial_report::{ReportError, check, load, render};

use crate::results_folder::{figure, read, render_all, results, sheet, six, table};

#[test]
fn the_same_records_give_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.tables = vec![table(&["rmse"])];
    sheet.report.figures = vec![figure("line", "rmse")];
    results(root.path(), &sheet, &records);
    let out = root.path().join("reports");
    let experiments = load(&root.path().join("results")).unwrap();
    assert_eq!(check(&experiments, &out).unwrap().len(), 7);
    let first = render(&experiments, &out).unwrap();
    assert_eq!((first.written, first.fresh), (7, 0));
    let again = render(&load(&root.path().join("results")).unwrap(), &out).unwrap();
    assert_eq!((again.written, again.fresh), (0, 7));
    assert_eq!(check(&experiments, &out).unwrap(), Vec::<PathBuf>::new());
    // Every byte of a picture counts, and an empty one is none.
    let picture = fs::read_dir(out.join("figures")).unwrap();
    let picture = picture.map(|entry| entry.unwrap().path());
    let mut pictures = picture.filter(|path| path.extension().is_some_and(|end| end == "png"));
    let picture = pictures.next().unwrap();
    let whole = fs::read(&picture).unwrap();
    for place in [20, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&picture, bytes).unwrap();
        assert_eq!(
            check(&experiments, &out).unwrap(),
            std::slice::from_ref(&picture)
        );
    }
    fs::write(&picture, "").unwrap();
    assert_eq!(
        check(&experiments, &out).unwrap(),
        std::slice::from_ref(&picture)
    );
    assert_eq!(render(&experiments, &out).unwrap().written, 1);
    assert_eq!(fs::read(&picture).unwrap(), whole);
    // A link to the same bytes is no picture.
    let elsewhere = root.path().join("elsewhere.png");
    fs::rename(&picture, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &picture).unwrap();
    assert_eq!(
        check(&experiments, &out).unwrap(),
        std::slice::from_ref(&picture)
    );
    assert_eq!(render(&experiments, &out).unwrap().written, 1);
    assert!(!picture.is_symlink());
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
fn a_page_whose_records_are_gone_is_stale_and_stays() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.tables = vec![table(&["rmse"])];
    let folder = results(root.path(), &sheet, &records);
    let out = root.path().join("reports");
    render_all(root.path());
    fs::write(out.join("README.md"), "not ours").unwrap();
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    let experiments = load(&root.path().join("results")).unwrap();
    let stale = check(&experiments, &out).unwrap();
    let names = ["fake.md", "index.html"].map(|name| out.join(name));
    assert!(names.iter().all(|name| stale.contains(name)), "{stale:?}");
    assert_eq!(stale.len(), 2 + 3, "{stale:?}");
    let before = read(root.path(), "fake.md");
    let kept = render(&experiments, &out).unwrap().kept;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].path, out.join("fake.md"));
    assert_eq!(kept[0].experiments, ["sweep"]);
    assert_eq!(read(root.path(), "fake.md"), before);
    assert_eq!(fs::read_dir(out.join("tables")).unwrap().count(), 3);
    // A sheet without a record is no record.
    results(root.path(), &sheet, &[]);
    assert_eq!(render_all(root.path()).kept, kept);
    // One record is: the page then says how many are left.
    results(root.path(), &sheet, &records[..1]);
    assert_eq!(render_all(root.path()).kept, []);
    assert!(read(root.path(), "fake.md").contains("1 of 6 planned trials finished"));
    assert!(out.join("README.md").exists());
}

#[test]
fn a_page_that_showed_no_trial_goes_with_its_experiment() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let folder = results(root.path(), &sheet(&records), &[]);
    render_all(root.path());
    let page = root.path().join("reports/fake.md");
    assert!(page.exists());
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    assert_eq!(render_all(root.path()).kept, []);
    assert!(!page.exists());
}

#[test]
fn results_that_are_missing_are_no_empty_report() {
    let root = tempfile::tempdir().unwrap();
    let results = root.path().join("results");
    let error = load(&results).unwrap_err();
    assert!(matches!(error, ReportError::NoResults { .. }), "{error}");
    std::os::unix::fs::symlink("nowhere", &results).unwrap();
    assert!(
        load(&results)
            .unwrap_err()
            .to_string()
            .contains("leads nowhere")
    );
    fs::remove_file(&results).unwrap();
    fs::create_dir(&results).unwrap();
    assert!(load(&results).unwrap().is_empty());
    std::os::unix::fs::symlink("nowhere", results.join("fake")).unwrap();
    assert!(
        load(&results)
            .unwrap_err()
            .to_string()
            .contains("leads nowhere")
    );
}

#[test]
fn an_experiment_without_its_sheet_is_damaged() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let folder = results(root.path(), &sheet(&records), &records);
    let path = folder.join("experiment.yaml");
    let whole = fs::read_to_string(&path).unwrap();
    assert_eq!(
        load(&root.path().join("results")).unwrap()[0]
            .finished
            .len(),
        6
    );
    let mut said = Vec::new();
    let puts = [
        None,
        Some(whole.replace("format: 2", "format: 1")),
        Some(whole.replace("a|b", "a")),
        Some(format!("{whole}\n")),
    ];
    for put in puts {
        let _ = fs::remove_file(&path);
        if let Some(text) = put {
            fs::write(&path, text).unwrap();
        }
        let experiments = load(&root.path().join("results")).unwrap();
        assert_eq!(experiments.len(), 1);
        assert!(experiments[0].finished.is_empty());
        assert_eq!(experiments[0].damaged[0].path, "fake/sweep/experiment.yaml");
        said.push(experiments[0].damaged[0].reason.clone());
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    said.push(
        load(&root.path().join("results")).unwrap()[0].damaged[0]
            .reason
            .clone(),
    );
    for (said, word) in said.iter().zip([
        "No such file",
        "only 2 is read",
        "was changed",
        "was changed",
        "no regular file",
    ]) {
        assert!(said.contains(word), "{said}");
    }
    render_all(root.path());
    assert!(read(root.path(), "fake.md").contains("fake/sweep/experiment.yaml"));
}

#[test]
fn nothing_run_yet_is_a_page_too() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.tables = vec![table(&["rmse"])];
    sheet.report.figures = vec![figure("line", "rmse")];
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
fn a_sheet_of_a_newer_version_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = results(root.path(), &sheet(&[]), &[]);
    fs::write(folder.join("experiment.yaml"), "format: 9\n").unwrap();
    let error = load(&root.path().join("results")).unwrap_err();
    assert!(
        matches!(
            error,
            ReportError::Newer {
                found: 9,
                newest: 2,
                ..
            }
        ),
        "{error}"
    );
}
