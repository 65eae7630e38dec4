//! `retrial speckle`: pictures with exact fields, as files that other programs read.

use retrial_data::read_gray;

use crate::project::{Project, names};

const SETTINGS: &str = "seed: 5\nwidth_px: 90\nheight_px: 70\ncamera: {bits: 12, read_noise: 2.0}\n\
    images:\n  - {truth: {kind: translation, u: 0.4, v: -0.3}}\n  \
    - {truth: {kind: crack, angle_deg: 30, cx: 45, cy: 35, opening: 2.0, sliding: 0.5}, gain: 1.1}\n";

#[test]
fn twelve_bits_are_stored_in_sixteen_and_found_again_by_correlation() {
    let project = Project::new();
    project.write("own.yaml", SETTINGS);
    project
        .retrial("speckle own.yaml --out made")
        .exits(0)
        .says("3 pictures of 90 × 70 px, 12 bits stored in 16");
    let made = project.path().join("made");
    let expected = ["0000.tif", "0001.tif", "0002.tif", "series.yaml"];
    assert_eq!(names(&made), expected);
    let bytes = std::fs::read(made.join("0000.tif")).expect("a picture");
    let text = b"12 bits stored in 16";
    assert!(bytes.windows(text.len()).any(|part| part == text));
    // Header, ten entries and the text, then two bytes a pixel.
    assert!((90 * 70 * 2..90 * 70 * 2 + 300).contains(&bytes.len()));
    let picture = read_gray(&made.join("0000.tif")).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (90, 70));
    let brightest = picture.pixels().iter().copied().fold(0.0, f32::max);
    // The background has 85 % of the full scale of 12 bits.
    assert!((3300.0..3600.0).contains(&brightest), "{brightest}");
    let facts = std::fs::read_to_string(made.join("series.yaml")).expect("facts");
    for words in [
        "bits: 12",
        "stored_bits: 16",
        "kind: crack",
        "opening: 2.0",
        "gain: 1.1",
    ] {
        assert!(facts.contains(words), "no `{words}` in {facts}");
    }
    project
        .retrial("speckle own.yaml --out made")
        .exits(2)
        .complains("use --force to replace its series");
    // Pictures of the longer series do not stay among those of a shorter one.
    let (shorter, _) = SETTINGS.split_at(SETTINGS.rfind("  - ").expect("two pictures"));
    project.write("shorter.yaml", shorter);
    let replace = ["speckle", "shorter.yaml", "--out", "made", "--force"];
    project.retrial(&replace).exits(0);
    assert_eq!(names(&made), ["0000.tif", "0001.tif", "series.yaml"]);
    project.retrial("speckle own.yaml --out again").exits(0);
    let again = std::fs::read(project.path().join("again/0000.tif")).expect("a picture");
    assert_eq!(again, bytes);
    let images = ["made/0000.tif", "made/0001.tif"];
    let options = ["--subset", "21", "--out", "out", "--format", "csv"];
    project
        .retrial(&[&["dic"][..], &images, &options].concat())
        .exits(0);
    let table = std::fs::read_to_string(project.path().join("out/summary.csv")).expect("a table");
    let (head, row) = (
        table.lines().find(|line| line.starts_with("image")),
        table.lines().last(),
    );
    let column = head
        .expect("names")
        .split(',')
        .position(|name| name == "mean_u");
    let mean = row
        .expect("a row")
        .split(',')
        .nth(column.expect("it is there"));
    let mean: f64 = mean.expect("a cell").parse().expect("a number");
    assert!((mean - 0.4).abs() < 0.01, "{mean}");
}

#[test]
fn a_generated_data_set_and_what_is_none() {
    let project = Project::new();
    project
        .retrial("speckle speckle-smoke --out made")
        .exits(0)
        .says("8 bits stored in 8");
    let picture = read_gray(&project.path().join("made/0001.tif")).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (96, 96));
    for (text, words) in [
        (SETTINGS.replace("bits: 12", "bits: 10"), "use 8, 12 or 16"),
        (
            SETTINGS.replace("kind: crack", "kind: krack"),
            "did you mean `crack`?",
        ),
        (SETTINGS.replace("seed: 5", "sead: 5"), "sead"),
        (
            SETTINGS.replace("width_px: 90", "width_px: 0"),
            "expected 1 to 8192",
        ),
        (
            format!("{SETTINGS}pattern: {{radius_px: 0}}\n"),
            "radius_px",
        ),
        (
            format!(
                "{}images: []\n",
                &SETTINGS[..SETTINGS.find("images:").unwrap_or(0)]
            ),
            "is empty: a series has at least one deformed picture",
        ),
        (
            SETTINGS.replace("read_noise: 2.0", "read_noise: -2.0"),
            "-2, expected 0 or more",
        ),
        (
            SETTINGS.replace("read_noise: 2.0", "dark: 0.9, bright: 0.2"),
            "0.9 is not below bright, 0.2",
        ),
    ] {
        project.write("bad.yaml", &text);
        project
            .retrial("speckle bad.yaml --out bad")
            .exits(2)
            .complains(words);
        assert!(!project.path().join("bad").exists());
    }
    for (name, words) in [
        ("mnist", "is no generated speckle series"),
        ("gone", "no data set `gone`"),
    ] {
        project
            .retrial(&["speckle", name, "--out", "bad"])
            .exits(2)
            .complains(words);
    }
}
