//! Tables in their three formats.

use retrial_core::params::ParamValue;
use retrial_core::record::Record;
use retrial_core::report_spec::TableSpec;

use crate::results_folder::{read, render_all, results, sheet, six, table};

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
fn a_table_says_what_it_pools() {
    let root = tempfile::tempdir().unwrap();
    let mut records = six();
    for record in &mut records {
        let kind = if record.seed == 0 { "round" } else { "square" };
        record
            .params
            .set("subset_kind", ParamValue::Text(kind.to_owned()));
    }
    let mut sheet = sheet(&records);
    sheet.swept.push("subset_kind".to_owned());
    let by_kind = TableSpec {
        rows: vec!["size_px".to_owned(), "subset_kind".to_owned()],
        title: Some("By kind".to_owned()),
        ..table(&["rmse"])
    };
    sheet.report.tables = vec![table(&["rmse"]), by_kind];
    results(root.path(), &sheet, &records);
    render_all(root.path());
    let note = "Values are pooled over subset kind, which this table does not show apart.";
    for page in ["fake.md", "index.html", "tables/fake-sweep-errors.tex"] {
        let text = read(root.path(), page);
        assert_eq!(text.matches(note).count(), 1, "{page}\n{text}");
    }
    assert!(!read(root.path(), "tables/fake-sweep-by-kind.tex").contains("pooled"));
}
