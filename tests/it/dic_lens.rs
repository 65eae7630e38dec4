//! `retrial calibrate` and `retrial dic` behind a lens with distortion.

use std::path::Path;

use retrial_image::GrayImage;

use crate::dic_command::{arguments, write_pgm};
use crate::project::Project;

/// A camera with distortion before a flat target: fx = 300 px, k1 = -0.3.
fn seen([x, y]: [f64; 2]) -> [f64; 2] {
    let s = 1.0 - 0.3 * (x * x + y * y);
    [300.0 * x * s + 79.5, 300.0 * y * s + 59.5]
}

/// Forty waves of 7 to 16 px by the golden angle: a pattern that does not repeat.
fn pattern(x: f64, y: f64) -> f64 {
    let waves = (0..40).map(|i| {
        let i = f64::from(i);
        let (sin, cos) = (2.4 * i).sin_cos();
        let number = 0.4 + 0.5 * (0.618 * i).fract();
        (number * (cos * x + sin * y) + 1.7 * i * i).sin()
    });
    9.0 * waves.sum::<f64>()
}

/// The specimen, 100 mm before the camera, moved by (u, v) mm without strain.
fn through_the_lens(u: f64, v: f64) -> GrayImage {
    GrayImage::from_fn(160, 120, |x, y| {
        let [dx, dy] = [(x as f64 - 79.5) / 300.0, (y as f64 - 59.5) / 300.0];
        let mut at = [dx, dy];
        for _ in 0..100 {
            let s = 1.0 - 0.3 * (at[0] * at[0] + at[1] * at[1]);
            at = [dx / s, dy / s];
        }
        // In units of a third of a millimetre, the size of a pixel.
        let (x, y) = (300.0 * at[0] - 3.0 * u, 300.0 * at[1] - 3.0 * v);
        (127.5 + pattern(x, y)) as f32
    })
    .expect("a size")
}

fn targets(shifted: Option<usize>) -> String {
    let mut text = String::from("image,x_px,y_px,X_mm,Y_mm\n");
    let tilts = [
        (0.4, 0.1),
        (-0.3, 0.3),
        (0.1, -0.4),
        (0.3, 0.35),
        (-0.35, -0.2),
        (0.0, 0.0),
    ];
    for (image, (a, b)) in tilts.into_iter().enumerate() {
        let ((sa, ca), (sb, cb)) = (f64::sin_cos(a), f64::sin_cos(b));
        for point in 0..35_usize {
            let place = |point: usize| {
                [
                    (point % 7) as f64 * 6.0 - 18.0,
                    (point / 7) as f64 * 6.0 - 12.0,
                ]
            };
            let [x, y] = place(point);
            let depth = 100.0 - sb * x + sa * cb * y;
            let [u, v] = seen([(cb * x + sa * sb * y) / depth, ca * y / depth]);
            // Rows off by one: the points of a row carry the places of the next one.
            let [x, y] = match shifted == Some(image) {
                true => place((point + 7) % 35),
                false => [x, y],
            };
            text.push_str(&format!("v{image},{u},{v},{x},{y}\n"));
        }
    }
    text
}

/// Cells of a field that are numbers.
fn column(path: &Path, name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(path).expect("a field");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let heads: Vec<&str> = lines.next().expect("names").split(',').collect();
    let at = heads
        .iter()
        .position(|head| *head == name)
        .expect("a column");
    let cells = lines.map(|line| line.split(',').nth(at).and_then(|cell| cell.parse().ok()));
    cells.flatten().collect()
}

#[test]
fn a_rigid_motion_through_a_lens_has_no_strain() {
    let project = Project::new();
    project.write("targets.csv", &targets(None));
    let calibrate = [
        "calibrate",
        "targets.csv",
        "--out",
        "camera.yaml",
        "--image-size",
        "160x120",
    ];
    project.retrial(&calibrate).exits(0);
    write_pgm(&project.path().join("ref.pgm"), &through_the_lens(0.0, 0.0));
    write_pgm(
        &project.path().join("def.pgm"),
        &through_the_lens(1.5, -0.9),
    );
    let options = [
        "--calibration",
        "camera.yaml",
        "--strain",
        "5",
        "--format",
        "csv",
        "--force",
    ];
    let call = arguments(&["ref.pgm", "def.pgm"], &options);
    project.retrial(&call).exits(0);
    let field = project.path().join("out/0001_def.csv");
    for name in ["exx", "eyy", "exy"] {
        let errors = column(&field, name);
        let stated = column(&field, &format!("{name}_std"));
        let pairs = errors
            .iter()
            .zip(&stated)
            .filter(|(e, s)| e.is_finite() && s.is_finite());
        // Beside the noise, rounding to whole grey levels and the spline have their share.
        let covered = pairs
            .clone()
            .filter(|(e, s)| e.abs() < 1.96 * **s + 1e-4)
            .count();
        let n = pairs.count();
        assert!(n > 30 && 10 * covered >= 9 * n, "{name}: {covered} of {n}");
    }
    // The file keeps the size of its pictures.
    project.write(
        "wrong.yaml",
        &std::fs::read_to_string(project.path().join("camera.yaml"))
            .expect("a file")
            .replace("- 160", "- 320"),
    );
    let options = ["--calibration", "wrong.yaml", "--force"];
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
        .exits(2)
        .complains("calibrated with pictures of 320 × 120 px");
    let half = GrayImage::from_fn(80, 60, |x, y| ((x * 7 + y * 13) % 200) as f32).expect("a size");
    write_pgm(&project.path().join("half.pgm"), &half);
    project
        .retrial(&["calibrate", "targets.csv", "--out", "sizeless.yaml"])
        .exits(0);
    let options = ["--calibration", "sizeless.yaml", "--force"];
    project
        .retrial(&arguments(&["half.pgm", "half.pgm"], &options))
        .exits(2)
        .complains("outside of a reference of 80 × 60 px");
}

#[test]
fn calibration_points_are_flat_and_within_their_pictures() {
    let project = Project::new();
    let good = targets(None);
    let with_z = |z: &str| {
        let mut lines = good.lines();
        let head = format!("{},Z_mm\n", lines.next().expect("names"));
        let rows = lines.enumerate();
        let rows = rows.map(|(i, line)| format!("{line},{}\n", if i == 3 { z } else { "0" }));
        head + &rows.collect::<String>()
    };
    let out = [
        "calibrate",
        "targets.csv",
        "--out",
        "camera.yaml",
        "--force",
    ];
    let sized = ["--image-size", "160x120"];
    for (text, size, words) in [
        (
            &good,
            &["--image-size", "100x120"][..],
            "lies outside of a picture of 100 × 120 px",
        ),
        (&with_z("0.5"), &sized, "targets.csv, line 5: `Z_mm` is 0.5"),
        (
            &good.replacen("v0,", "v0,-", 1),
            &sized,
            "targets.csv, line 2: the point at x -",
        ),
    ] {
        project.write("targets.csv", text);
        project
            .retrial(&[&out[..], size].concat())
            .exits(2)
            .complains(words);
    }
    for text in [good.clone(), with_z("0.0"), good.replace(',', ";")] {
        project.write("targets.csv", &text);
        let said = project.retrial(&[&out[..], &sized].concat());
        said.exits(0);
        assert!(!said.err.contains("--image-size"), "{}", said.err);
        project
            .retrial(&out)
            .exits(0)
            .complains("without --image-size");
    }
}

#[test]
fn the_one_bad_view_of_a_calibration_is_named() {
    let project = Project::new();
    project.write("targets.csv", &targets(Some(2)));
    let said = project.retrial(&["calibrate", "targets.csv", "--out", "camera.yaml"]);
    assert!(said.err.contains("image v2"), "{}", said.err);
}
