//! Figures of records, and fields without records.

use std::collections::BTreeMap;
use std::fs;

use retrial_core::record::Record;
use retrial_core::report_spec::{FigureSpec, Scale};
use retrial_report::{
    HistogramWords, SheetPicture, SheetRow, contact_sheet_png, field_png, histogram_png,
};

use crate::results_folder::{figure, read, render_all, results, sheet, six};

#[test]
fn figures_are_files_in_two_formats_and_the_page_needs_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.figures = vec![
        figure("line", "rmse"),
        figure("scatter", "rmse"),
        figure("bar", "rmse"),
        figure("histogram", "rmse"),
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
fn a_kind_of_a_newer_program_is_named() {
    let root = tempfile::tempdir().unwrap();
    let records = six();
    let mut sheet = sheet(&records);
    sheet.report.figures = vec![figure("pie", "rmse"), figure("bar", "rmse")];
    results(root.path(), &sheet, &records);
    let summary = render_all(root.path());
    assert_eq!((summary.figures, summary.faults.len()), (1, 1));
    let fault = "figure “rmse against size” of fake/sweep: this program draws no `pie`";
    assert_eq!(summary.faults[0], fault);
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
        ..figure("heat", "y")
    };
    let absent = FigureSpec {
        table: Some("nowhere".to_owned()),
        ..heat("u")
    };
    sheet.report.figures = vec![heat("u"), heat("w"), absent, figure("line", "hole")];
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
    let grid = |table: &str, value: &str| FigureSpec {
        table: Some(table.to_owned()),
        value: Some(value.to_owned()),
        series: Some("size_px".to_owned()),
        x: None,
        y: Vec::new(),
        title: Some(value.to_owned()),
        ..figure("image_grid", "rmse")
    };
    sheet.report.figures = vec![grid("pictures", "file"), grid("pictures", "lost")];
    let folder = results(root.path(), &sheet, &records);
    for record in &records {
        for i in 0..2u8 {
            let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([200 * i, 10, 20]));
            let path = folder.join(&record.trial).join(name(usize::from(i)));
            picture.save(path).unwrap();
        }
        let rows = "file,lost\ndigit-0.png,face-0.png\ndigit-1.png,face-1.png\n";
        fs::write(folder.join(&record.trial).join("pictures.csv"), rows).unwrap();
    }
    let summary = render_all(root.path());
    assert_eq!(
        (summary.figures, summary.faults.len()),
        (1, 1),
        "{summary:?}"
    );
    assert!(summary.faults[0].contains("`face-0.png` is no artifact of trial"));
    let svg = read(root.path(), "figures/fake-sweep-file.svg");
    assert_eq!(svg.matches("<image ").count(), 6);
    assert!(svg.contains("aria-label=\"size 20 px\""), "{svg}");
    let png = root.path().join("reports/figures/fake-sweep-file.png");
    let drawn = image::open(png).unwrap().to_rgb8();
    let red = drawn.pixels().filter(|p| p.0 == [200, 10, 20]).count();
    let black = drawn.pixels().filter(|p| p.0 == [0, 10, 20]).count();
    assert!(
        red > 10_000 && black.abs_diff(red) < red / 20,
        "{red} {black}"
    );
}

#[test]
fn a_field_needs_no_record() {
    let (x, y) = ([0.0, 10.0, 0.0, 10.0], [0.0, 0.0, 10.0, 10.0]);
    let values = [-1.0, 1.0, f64::NAN, 0.5];
    let draw = |name: &str, unit: &str| {
        let png = field_png(&x, &y, &values, name, unit).unwrap();
        image::load_from_memory(&png).unwrap().to_rgb8()
    };
    let drawn = draw("u", "px");
    // Three of the four places have a colour of their own, the one without a value is grey.
    let count = |drawn: &image::RgbImage, grey: bool| {
        let mut found = BTreeMap::new();
        for pixel in drawn.pixels() {
            let [r, g, b] = pixel.0;
            let is_grey = r == g && g == b && (100..250).contains(&r);
            if is_grey == grey {
                *found.entry(pixel.0).or_insert(0_usize) += 1;
            }
        }
        found.values().copied().max().unwrap()
    };
    let place = count(&drawn, true);
    assert!(place > 50_000, "{place}");
    let full = field_png(&x, &y, &[-1.0, 1.0, 0.25, 0.5], "u", "px").unwrap();
    let full = image::load_from_memory(&full).unwrap().to_rgb8();
    assert!(count(&full, true) < place / 20);
    // Letters differ, and so do the pixels of the label alone.
    let renamed = draw("exx", "µε");
    let changed = |other: &image::RgbImage| {
        let pairs = drawn.enumerate_pixels().zip(other.pixels());
        let columns = pairs
            .filter(|((_, _, a), b)| a != b)
            .map(|((x, _, _), _)| x);
        columns.min().unwrap()
    };
    assert_eq!(renamed.dimensions(), drawn.dimensions());
    assert!(changed(&renamed) > drawn.width() * 9 / 10);
}

#[test]
fn points_off_a_grid_and_no_value_make_no_field() {
    let nan = [f64::NAN; 3];
    let corner = ([0.0, 10.0, 0.0], [0.0, 0.0, 10.0]);
    assert!(field_png(&corner.0, &corner.1, &[1.0, 2.0, 3.0], "u", "px").is_some());
    assert!(field_png(&corner.0, &corner.1, &nan, "u", "px").is_none());
    assert!(field_png(&[0.0, 10.0, 14.7], &[0.0; 3], &[1.0; 3], "u", "px").is_none());
    assert!(field_png(&[], &[], &[], "u", "px").is_none());
}

#[test]
fn a_histogram_needs_no_record() {
    let words = HistogramWords {
        name: "weight × n",
        of: "picture",
        legend: "n = 4",
        mark: (1.0, "uniform draw"),
    };
    let values = [0.0, 1e-6, 1e-3, 3.0];
    let (png, notes) = histogram_png(&values, Scale::Log, &words).unwrap();
    // 120 mm at 300 dpi.
    assert_eq!(image::load_from_memory(&png).unwrap().width(), 1417);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("1 picture below"), "{notes:?}");
    let (_, notes) = histogram_png(&values, Scale::Linear, &words).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    assert!(histogram_png(&[f64::NAN], Scale::Linear, &words).is_none());
    assert!(histogram_png(&[0.0, -1.0], Scale::Log, &words).is_none());
}

#[test]
fn a_contact_sheet_holds_pictures_of_any_size() {
    let picture = |width: usize, height: usize, rgb: [u8; 3]| SheetPicture {
        width,
        height,
        rgb: rgb.repeat(width * height),
        log10: -400.0,
    };
    let red = [200, 10, 20];
    let row = |pictures: Vec<SheetPicture>| SheetRow {
        title: "Most similar".to_owned(),
        pictures,
    };
    let drawn = |rows: &[SheetRow]| {
        let png = contact_sheet_png(rows, "below").unwrap();
        image::load_from_memory(&png).unwrap().to_rgb8()
    };
    let count = |drawn: &image::RgbImage| drawn.pixels().filter(|p| p.0 == red).count();
    let eight = |size: usize| vec![picture(size, size, red); 8];
    let small = drawn(&[row(eight(3)), row(eight(3))]);
    // 180 mm at 300 dpi, sixteen squares of 20.6 mm less their frames.
    assert_eq!(small.width(), 2126);
    let side = 20.5625 / 25.4 * 300.0;
    let ratio = count(&small) as f64 / (16.0 * side * side);
    assert!((0.95..1.0).contains(&ratio), "{ratio}");
    // A large picture takes the room of a small one, a flat one half of it.
    let large = drawn(&[row(eight(1500)), row(eight(3))]);
    assert!((count(&large) as f64 / count(&small) as f64 - 1.0).abs() < 0.01);
    let flat = drawn(&[row(vec![picture(80, 40, red); 8])]);
    let ratio = count(&flat) as f64 / (8.0 * side * side / 2.0);
    assert!((0.93..1.0).contains(&ratio), "{ratio}");
    assert!(contact_sheet_png(&[], "below").is_none());
    assert!(contact_sheet_png(&[row(Vec::new())], "below").is_none());
    let short = SheetPicture {
        width: 9,
        ..picture(3, 3, red)
    };
    assert!(contact_sheet_png(&[row(vec![short])], "below").is_none());
}
