//! The study `dic` and the shortcut `retrial dic`.

use retrial_core::image::GrayImage;

use crate::project::{Project, mirror, names};

/// A smooth random pattern, displaced by `(u, v)`.
fn speckles(u: f64, v: f64) -> GrayImage {
    GrayImage::from_fn(160, 120, |x, y| {
        let (x, y) = (x as f64 - u, y as f64 - v);
        let wave = |a: f64, b: f64, c: f64| (a * x + b * y + c).sin();
        let sum = wave(0.55, 0.31, 0.2)
            + wave(-0.37, 0.62, 1.3)
            + wave(0.21, -0.73, 2.1)
            + wave(0.83, 0.47, 0.7)
            + wave(-0.69, -0.29, 3.0);
        (127.5 + 24.0 * sum) as f32
    })
    .expect("a size")
}

fn write_pgm(path: &std::path::Path, image: &GrayImage) {
    let mut bytes = format!("P5\n{} {}\n255\n", image.width(), image.height()).into_bytes();
    bytes.extend(
        image
            .pixels()
            .iter()
            .map(|v| v.round().clamp(0.0, 255.0) as u8),
    );
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn two_images_of_ones_own() {
    let project = Project::new();
    write_pgm(&project.path().join("ref.pgm"), &speckles(0.0, 0.0));
    write_pgm(&project.path().join("def.pgm"), &speckles(0.4, -0.3));
    let arguments = [
        "dic",
        "ref.pgm",
        "def.pgm",
        "--subset-size",
        "31",
        "--step",
        "10",
        "--order",
        "1",
        "--output",
        "out",
    ];
    project.retrial(&arguments).exits(0).says("converged");
    let text = std::fs::read_to_string(project.path().join("out/fields.csv")).expect("fields");
    let header = text.lines().next().expect("a header");
    assert!(header.starts_with("image,name,x,y,u,v,"), "{header}");
    let errors: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |i: usize| cells[i].parse::<f64>().expect("a number");
            (number(4) - 0.4).hypot(number(5) + 0.3)
        })
        .collect();
    assert!(errors.len() > 50);
    assert!(errors.iter().all(|&error| error < 0.02), "{errors:?}");
    let left = names(&project.path().join("out"));
    assert!(left.iter().any(|name| name == "fields.h5"));
    assert!(left.iter().any(|name| name.ends_with(".png")), "{left:?}");
    project
        .retrial(&arguments)
        .exits(2)
        .complains("use --force to replace it");
}

#[test]
fn images_that_cannot_be_correlated() {
    let project = Project::new();
    write_pgm(&project.path().join("ref.pgm"), &speckles(0.0, 0.0));
    write_pgm(
        &project.path().join("small.pgm"),
        &GrayImage::from_fn(20, 20, |_, _| 1.0).expect("a size"),
    );
    project.write("text.pgm", "this is no image");
    for (deformed, options, words) in [
        ("small.pgm", &[][..], "20"),
        ("text.pgm", &[], "text.pgm"),
        ("gone.pgm", &[], "gone.pgm"),
        ("ref.pgm", &["--subset-size", "40"], "40"),
        ("ref.pgm", &["--subset-size", "501"], "501"),
        ("ref.pgm", &["--step", "0"], "step"),
    ] {
        let mut arguments = vec!["dic", "ref.pgm", deformed, "--output", "out", "--force"];
        arguments.extend(options);
        project.retrial(&arguments).exits(2).complains(words);
    }
}

#[test]
fn the_same_trial_twice_gives_the_same_content_for_any_number_of_threads() {
    let spec = "format: 1\nstudy: dic\nquestion: q\ndataset: speckle-smoke\nparams: {subset_size_px: 21}\n";
    let contents: Vec<_> = ["1", "2"]
        .into_iter()
        .map(|threads| {
            let project = Project::new().with("a", spec);
            let mut command = project.command(&["run", "experiments/a.yaml", "--no-report"]);
            let status = command
                .env("RAYON_NUM_THREADS", threads)
                .status()
                .expect("a run");
            assert!(status.success());
            project.contents("dic", "a")
        })
        .collect();
    assert_eq!(contents[0], contents[1]);
    assert_eq!(contents[0].len(), 1);
}

#[test]
fn challenge_sample_1_and_3_reach_the_range_of_good_engines() {
    if mirror().is_none() {
        return;
    }
    let spec = "format: 1\nstudy: dic\nquestion: q\nparams: {step_px: 20}\n\
                sweep: {dataset: [dic-challenge-sample01, dic-challenge-sample03]}\n";
    let project = Project::new().with("a", spec);
    project
        .retrial(&["run", "experiments/a.yaml", "--offline", "--no-report"])
        .exits(0);
    for record in project.records("dic", "a").values() {
        let (limit, bias) = match record.dataset.as_ref().expect("data").name.as_str() {
            "dic-challenge-sample01" => (0.0015, 0.0005),
            _ => (0.0047, 0.001),
        };
        let metric = |name| record.metric(name).expect("a metric");
        assert!(
            metric("rmse") <= limit,
            "{}: rmse {}",
            record.trial,
            metric("rmse")
        );
        assert!(metric("bias_u").abs() <= bias && metric("bias_v").abs() <= bias);
        assert_eq!(metric("failed_points"), 0.0);
    }
}
