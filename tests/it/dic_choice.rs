//! The filter and the order that `retrial dic` chooses for the pictures.

use retrial_image::GrayImage;

use crate::dic_command::{arguments, pair, speckles, write_pgm};

#[test]
fn the_filter_that_suits_the_first_pair_is_taken_and_said() {
    let project = pair();
    let facts = |options: &[&str]| {
        let all: Vec<&str> = options
            .iter()
            .chain(&["--format", "csv", "--force"])
            .copied()
            .collect();
        let images = ["ref.pgm", "def.pgm"];
        project
            .retrial(&arguments(&images, &all))
            .exits(0)
            .says("expected: bias up to");
        let text = std::fs::read_to_string(project.path().join("out/run.yaml"));
        text.expect("facts of the run")
    };
    let text = facts(&[]);
    for part in [
        "filter_chosen_by: spectra of the pair with def.pgm",
        "expected_bias_up_to: ",
        "expected_random_error: ",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let text = facts(&["--filter", "0.7"]);
    for part in [
        "prefilter: gaussian, 0.7 px, window 7 px",
        "spline_degree: 3",
        "filter_chosen_by: user",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    // A still picture says nothing of the pixels between; the next one does.
    write_pgm(&project.path().join("still.pgm"), &speckles(0.0, 0.0));
    let by = |images: &[&str]| {
        project
            .retrial(&arguments(images, &["--format", "csv", "--force"]))
            .exits(0);
        let text = std::fs::read_to_string(project.path().join("out/run.yaml"));
        let text = text.expect("facts of the run");
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("filter_chosen_by: "));
        line.expect("it says so").to_owned()
    };
    let still = ["ref.pgm", "still.pgm"];
    assert_eq!(by(&still), "default, no picture tells which one suits");
    let series = ["ref.pgm", "still.pgm", "def.pgm"];
    assert_eq!(by(&series), "spectra of the pair with def.pgm");
    // What is known to be refused is refused before the files of the run before are replaced.
    write_pgm(
        &project.path().join("small.pgm"),
        &GrayImage::new(80, 80, vec![1.0; 6400]).expect("a size"),
    );
    project
        .retrial(&arguments(&["ref.pgm", "small.pgm"], &["--force"]))
        .exits(2)
        .complains("80");
    assert!(project.path().join("out/0002_def.csv").exists());
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &["--filter", "soft"]))
        .exits(2)
        .complains("must be auto or a number of pixels");
}

/// The order that suits the pictures is the default, a chosen one is left alone, and the files say who chose it.
#[test]
fn the_order_that_suits_the_pictures_is_taken_and_said() {
    let project = pair();
    let still = speckles(0.0, 0.0);
    let stretched = GrayImage::from_fn(160, 120, |x, y| {
        let (x, y) = (x as f64, y as f64);
        // Bilinear between the pixels: a tension of two percent about the middle.
        let (x, y) = (80.0 + (x - 80.0) / 1.02, 60.0 + (y - 60.0) / 1.02);
        let (left, top) = (x as usize, y as usize);
        let (part_x, part_y) = ((x - left as f64) as f32, (y - top as f64) as f32);
        let at = |dx: usize, dy: usize| still.get(left + dx, top + dy).unwrap_or(0.0);
        let row = |dy: usize| at(0, dy) * (1.0 - part_x) + at(1, dy) * part_x;
        row(0) * (1.0 - part_y) + row(1) * part_y
    });
    write_pgm(
        &project.path().join("tension.pgm"),
        &stretched.expect("a size"),
    );
    let told = |images: &[&str], options: &[&str]| {
        let all: Vec<&str> = options
            .iter()
            .chain(&["--format", "csv", "--force"])
            .copied()
            .collect();
        project.retrial(&arguments(images, &all)).exits(0);
        let text = std::fs::read_to_string(project.path().join("out/run.yaml"));
        let text = text.expect("facts of the run");
        let of = |key: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(key));
            line.unwrap_or_else(|| panic!("no {key} in {text}"))
                .to_owned()
        };
        (of("shape_order: "), of("order_chosen_by: "))
    };
    let is = |told: (String, String), order: &str, by: &str| {
        assert_eq!((&told.0[..], &told.1[..]), (order, by));
    };
    is(
        told(&["ref.pgm", "def.pgm"], &[]),
        "0",
        "places of the pair with def.pgm",
    );
    // The last picture strains, and one in the middle.
    is(
        told(&["ref.pgm", "def.pgm", "tension.pgm"], &[]),
        "1",
        "places of the pair with tension.pgm",
    );
    is(
        told(&["ref.pgm", "def.pgm", "tension.pgm", "def.pgm"], &[]),
        "1",
        "places of the pair with tension.pgm",
    );
    is(
        told(&["ref.pgm", "def.pgm"], &["--order", "2"]),
        "2",
        "user",
    );
    // The reference itself tells nothing.
    is(
        told(&["ref.pgm", "def.pgm", "ref.pgm"], &[]),
        "1",
        "default, ref.pgm tells nothing of it",
    );
    let many: Vec<&str> = std::iter::once("ref.pgm")
        .chain(std::iter::repeat_n("def.pgm", 13))
        .collect();
    is(
        told(&many, &[]),
        "1",
        "default, order 0 suits the 12 asked of 13 pictures",
    );
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &["--order", "3"]))
        .exits(2)
        .complains("must be auto, 0, 1 or 2");
    // A last picture that cannot be used is named, and the other one is measured.
    let small = GrayImage::new(80, 80, vec![1.0; 6400]).expect("a size");
    write_pgm(&project.path().join("small.pgm"), &small);
    project
        .retrial(&arguments(
            &["ref.pgm", "def.pgm", "small.pgm"],
            &["--force"],
        ))
        .exits(1)
        .complains("small.pgm");
    assert!(project.path().join("out/0001_def.csv").exists());
}
