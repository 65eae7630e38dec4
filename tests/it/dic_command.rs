//! The shortcut `retrial dic` on pictures of known displacement, and what it says of bad input.

use std::path::Path;
use std::process::Command;

use retrial_image::GrayImage;
use retrial_seed::Seed;

use crate::project::{Project, names};

/// A smooth random pattern, displaced by `(u, v)`.
pub(crate) fn speckles(u: f64, v: f64) -> GrayImage {
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

/// A PNM picture: `P5` grey or `P6` colour, 8 or 16 bits.
fn write_pnm(path: &Path, image: &GrayImage, kind: &str, most: u16) {
    let (width, height) = (image.width(), image.height());
    let mut bytes = format!("{kind}\n{width} {height}\n{most}\n").into_bytes();
    for value in image.pixels() {
        let scaled = (value * f32::from(most) / 255.0).round();
        let value = scaled.clamp(0.0, f32::from(most)) as u16;
        for _ in 0..if kind == "P6" { 3 } else { 1 } {
            match u8::try_from(value) {
                Ok(byte) if most < 256 => bytes.push(byte),
                _ => bytes.extend(value.to_be_bytes()),
            }
        }
    }
    std::fs::write(path, bytes).expect("written");
}

pub(crate) fn write_pgm(path: &Path, image: &GrayImage) {
    write_pnm(path, image, "P5", 255);
}

/// A project with `ref.pgm` and `def.pgm`, displaced by `(0.4, −0.3)` px.
pub(crate) fn pair() -> Project {
    let project = Project::new();
    write_pgm(&project.path().join("ref.pgm"), &speckles(0.0, 0.0));
    write_pgm(&project.path().join("def.pgm"), &speckles(0.4, -0.3));
    project
}

const SMALL: [&str; 4] = ["--subset", "31", "--step", "10"];

pub(crate) fn arguments<'a>(images: &[&'a str], options: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["dic"];
    all.extend(images);
    all.extend(SMALL);
    all.extend(["--out", "out"]);
    all.extend(options);
    all
}

/// Cells of a CSV file by column, without its comments.
fn cells(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).expect("a table");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().expect("names").split(',').collect();
    let row = |line: &str| {
        let cells = line.split(',').map(str::to_owned);
        names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(cells)
            .collect()
    };
    lines.map(row).collect()
}

#[test]
fn two_images_of_ones_own() {
    let project = pair();
    let options = [
        "--format",
        "csv,hdf5,npy,vtk,png",
        "--scale",
        "0.5",
        "--strain",
        "5",
    ];
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
        .exits(0)
        .says("converged")
        .says("points: converged ");
    let out = project.path().join("out");
    let rows = cells(&out.join("0001_def.csv"));
    assert!(rows.len() > 50);
    for row in &rows {
        let number = |name: &str| row[name].parse::<f64>().expect("a number");
        let (u, v) = (number("u"), number("v"));
        assert!((u - 0.4).hypot(v + 0.3) < 0.02, "{u} {v}");
        assert!((number("u_mm") - 0.5 * u).abs() < 1e-12);
        assert!(number("exx").abs() < 2e-3, "{}", row["exx"]);
        assert!((1e-4..0.1).contains(&number("u_std")), "{}", row["u_std"]);
        assert_eq!(row["status"], "converged");
    }
    let text = std::fs::read_to_string(out.join("0001_def.csv")).expect("a table");
    for part in [
        "# program: retrial ",
        "# reference_sha256: ",
        "# deformed: def.pgm",
        "# subset_size_px: ",
        "# criterion: znssd\n",
        "# split: automatic\n",
        "# u [px]: displacement to the right",
        "# u_mm [mm]: ",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{}", &text[..2000]);
    }
    let left = names(&out);
    for name in [
        "0001_def.h5",
        "0001_def.npy",
        "0001_def.vti",
        "0001_def_u.png",
        "0001_def_u_mm.png",
        "0001_def_exx.png",
        "0001_def_u_std.png",
        "0001_def_status.png",
        "fields.pvd",
        "run.yaml",
        "summary.csv",
    ] {
        assert!(left.iter().any(|own| own == name), "no {name} in {left:?}");
    }
    let summary = cells(&out.join("summary.csv"));
    assert_eq!(summary.len(), 1);
    assert_eq!(summary[0]["converged"], rows.len().to_string());
    assert!(summary[0]["mean_u"].parse::<f64>().expect("a number") > 0.39);
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
        .exits(2)
        .complains("use --force to replace its run");
    std::fs::write(out.join("mine.txt"), "kept").expect("written");
    let other = ["--format", "csv", "--force"];
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &other))
        .exits(0);
    let expected = ["0001_def.csv", "mine.txt", "run.yaml", "summary.csv"];
    assert_eq!(names(&out), expected);
}

/// The layout that the README describes, read by programs that are not ours.
#[test]
#[ignore = "needs python3 with h5py and numpy"]
fn h5py_and_numpy_read_the_fields_with_python() {
    let project = pair();
    let options = ["--format", "csv,hdf5,npy", "--order", "2"];
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
        .exits(0);
    let script = r##"
import csv, hashlib, sys, h5py, numpy
with h5py.File("out/0001_def.h5") as file:
    assert file.attrs["layout"] == 1 and file.attrs["deformed"] == "def.pgm"
    digest = hashlib.sha256(open("ref.pgm", "rb").read()).hexdigest()
    assert file.attrs["reference_sha256"] == digest
    names = [n for n in ("x", "y", "u", "v", "u_x", "v_yy", "zncc", "status")]
    for name in names:
        assert file[name].shape == file["x"].shape, name
        assert file[name].attrs["meaning"] and "unit" in file[name].attrs, name
    assert file["u"].attrs["unit"] == "px" and file["v_yy"].attrs["unit"] == "1/px"
    codes = file["status"].attrs["codes"].split()
    u, status = file["u"][:], file["status"][:]
    assert codes[0] == "converged" and (status == 0).all()
    assert abs(u - 0.4).max() < 0.02
fields = numpy.load("out/0001_def.npy")
assert (fields["u"] == u).all() and "displacement to the right" in fields.dtype.fields["u"][2]
lines = (line for line in open("out/0001_def.csv") if not line.startswith("#"))
rows = list(csv.DictReader(lines))
assert [float(row["u"]) for row in rows] == list(u)
assert {row["status"] for row in rows} == {"converged"}
"##;
    let output = Command::new("python3")
        .args(["-c", script])
        .current_dir(project.path())
        .output()
        .expect("python3 starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
}

#[test]
fn chosen_points_and_masks() {
    let project = pair();
    project.write("points.csv", "x,y\n# the left hole\n40,50\n111,62\n41,50\n");
    let options = ["--points", "points.csv", "--format", "csv,vtk,png"];
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
        .exits(0)
        .says("chosen points are no grid");
    let rows = cells(&project.path().join("out/0001_def.csv"));
    let places: Vec<(&str, &str)> = rows.iter().map(|row| (&*row["x"], &*row["y"])).collect();
    assert_eq!(places, [("40", "50"), ("111", "62"), ("41", "50")]);
    assert!(names(&project.path().join("out")).contains(&"0001_def.vtp".to_owned()));
    let left = GrayImage::from_fn(160, 120, |x, _| if x < 80 { 255.0 } else { 0.0 });
    write_pgm(&project.path().join("mask.pgm"), &left.expect("a size"));
    let options = ["--mask", "mask.pgm", "--format", "csv", "--force"];
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
        .exits(0);
    let rows = cells(&project.path().join("out/0001_def.csv"));
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row["x"].parse::<usize>().expect("a column") < 80 - 15);
    }
}

#[test]
fn colour_and_16_bits_give_the_same_displacements() {
    let project = Project::new();
    for (name, kind, most) in [
        ("grey", "P5", 255),
        ("rgb", "P6", 255),
        ("deep", "P5", 65_535),
    ] {
        let at = |part: &str| project.path().join(format!("{name}-{part}.pnm"));
        write_pnm(&at("a"), &speckles(0.0, 0.0), kind, most);
        write_pnm(&at("b"), &speckles(0.4, -0.3), kind, most);
        let (a, b) = (format!("{name}-a.pnm"), format!("{name}-b.pnm"));
        let options = ["--format", "csv", "--force"];
        project.retrial(&arguments(&[&a, &b], &options)).exits(0);
        let rows = cells(&project.path().join(format!("out/0001_{name}-b.csv")));
        assert!(!rows.is_empty(), "{name}");
        for row in rows {
            let u: f64 = row["u"].parse().expect("a number");
            assert!((u - 0.4).abs() < 0.02, "{name} {u}");
        }
    }
}

#[test]
fn pictures_without_a_pattern_have_a_status_at_every_point() {
    let project = pair();
    let flat = GrayImage::from_fn(160, 120, |_, _| 90.0).expect("a size");
    write_pgm(&project.path().join("flat.pgm"), &flat);
    let brightened = speckles(0.0, 0.0);
    let brightened = brightened.pixels().iter().map(|v| (v * 2.0).min(255.0));
    let bright = GrayImage::new(160, 120, brightened.collect()).expect("a size");
    write_pgm(&project.path().join("bright.pgm"), &bright);
    let dark = speckles(0.0, 0.0);
    let dark = dark.pixels().iter().map(|v| (v - 90.0).max(0.0)).collect();
    let dark = GrayImage::new(160, 120, dark).expect("a size");
    write_pgm(&project.path().join("dark.pgm"), &dark);
    for (images, code, status, words) in [
        (
            ["flat.pgm", "def.pgm"],
            1,
            "flat_subset",
            "every pixel of flat.pgm",
        ),
        (
            ["ref.pgm", "flat.pgm"],
            1,
            "flat_subset",
            " flat_subset\nhelp: the subsets hold one grey value",
        ),
        (["bright.pgm", "bright.pgm"], 0, "converged", "is saturated"),
        (
            ["dark.pgm", "dark.pgm"],
            0,
            "converged",
            "smallest grey value, 0; the picture is clipped to black",
        ),
        (
            ["ref.pgm", "dark.pgm"],
            0,
            "converged",
            "1 of 1 deformed image is clipped to black: dark.pgm",
        ),
    ] {
        let options = ["--format", "csv,png", "--force"];
        project
            .retrial(&arguments(&images, &options))
            .exits(code)
            .complains(words);
        let stem = images[1].trim_end_matches(".pgm");
        let rows = cells(&project.path().join(format!("out/0001_{stem}.csv")));
        assert!(!rows.is_empty());
        for row in rows {
            assert_eq!(row["status"], status);
            assert_eq!(row["u"] == "NaN", status != "converged");
        }
    }
}

/// A series of which a picture is missing is refused before its first field.
#[test]
fn a_picture_that_is_not_there_is_missed_at_once() {
    let project = pair();
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm", "gone.pgm"], &[]))
        .exits(2)
        .complains("cannot read gone.pgm");
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &["--truncate", "0.5"]))
        .exits(2)
        .complains("--truncate=0.5");
    assert!(!project.path().join("out").exists());
}

#[test]
fn a_grey_mask_is_warned_of() {
    let project = pair();
    let grey = GrayImage::from_fn(160, 120, |x, _| if x < 80 { 255.0 } else { 3.0 });
    write_pgm(&project.path().join("mask.pgm"), &grey.expect("a size"));
    let options = ["--mask", "mask.pgm", "--format", "csv"];
    project
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
        .exits(0)
        .complains("mask.pgm has several grey values");
}

#[test]
fn what_cannot_be_correlated_is_named() {
    let project = pair();
    let size = |name: &str, width, height| {
        let image = GrayImage::from_fn(width, height, |_, _| 0.0).expect("a size");
        write_pgm(&project.path().join(name), &image);
    };
    size("small.pgm", 20, 20);
    size("one.pgm", 1, 1);
    size("none.pgm", 160, 120);
    project.write("text.pgm", "this is no image");
    project.write("far.csv", "5,5\n");
    project.write("words.csv", "x,y\n20,20\n30,thirty\n");
    project.write("empty.csv", "x,y\n");
    let tiff = truncated_tiff();
    std::fs::write(project.path().join("cut.tif"), tiff).expect("written");
    for (images, options, words) in [
        (
            ["ref.pgm", "small.pgm"],
            &[][..],
            "small.pgm: the reference has 160 × 120 px, the deformed image 20 × 20 px",
        ),
        (
            ["one.pgm", "one.pgm"],
            &[],
            "does not fit into an image of 1 × 1 px",
        ),
        (["ref.pgm", "text.pgm"], &[], "text.pgm"),
        (["ref.pgm", "gone.pgm"], &[], "gone.pgm"),
        (["ref.pgm", "cut.tif"], &[], "cut.tif"),
        (["cut.tif", "def.pgm"], &[], "cut.tif"),
        (
            ["ref.pgm", "def.pgm"],
            &["--subset", "40"],
            "odd and at least 3 px, got 40 px",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--subset", "501"],
            "subset of 501 px",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--step", "0"],
            "step must be at least 1 px",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--mask", "none.pgm"],
            "none of the 160 × 120 px",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--mask", "small.pgm"],
            "the mask 20 × 20 px",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--points", "far.csv"],
            "x = 5, y = 5",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--points", "words.csv"],
            "words.csv, line 3",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--points", "empty.csv"],
            "no point is given",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--points", "gone.csv"],
            "gone.csv",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--scale", "nan"],
            "must be a positive number",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--scale", "1", "--calibration", "x"],
            "cannot be used with",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--calibration", "gone.yaml"],
            "gone.yaml",
        ),
        (
            ["ref.pgm", "def.pgm"],
            &["--calibration", "text.pgm"],
            "text.pgm is no calibration",
        ),
        (["ref.pgm", "def.pgm"], &["--strain", "4"], "4"),
        (
            ["ref.pgm", "def.pgm"],
            &["--strain", "18446744073709551615"],
            "at most 501 a side",
        ),
        (["ref.pgm", "def.pgm"], &["--filter", "-1"], "-1"),
        (["ref.pgm", "def.pgm"], &["--format", "exodus"], "exodus"),
    ] {
        let mut all = vec!["dic"];
        all.extend(images);
        all.extend(["--out", "out", "--force"]);
        if !options.contains(&"--subset") {
            all.extend(["--subset", "31"]);
        }
        all.extend(options);
        project.retrial(&all).exits(2).complains(words);
    }
    project
        .retrial(&["dic", "ref.pgm", "--out", "out"])
        .exits(2)
        .complains("DEFORMED");
}

/// A TIFF of 160 × 120 grey pixels of which only a few bytes are there.
fn truncated_tiff() -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    let entries: [(u16, u16, u32); 8] = [
        (256, 4, 160),
        (257, 4, 120),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 122),
        (278, 4, 120),
        (279, 4, 160 * 120),
    ];
    bytes.extend(8_u16.to_le_bytes());
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend([7; 40]);
    bytes
}

/// A pattern of speckles that no other number gives.
fn noise(number: u64) -> GrayImage {
    let mut stream = Seed(number).stream("pattern");
    let raw: Vec<f64> = (0..162 * 122).map(|_| stream.uniform()).collect();
    GrayImage::from_fn(160, 120, |x, y| {
        let around = (0..9).map(|k| raw[(y + k / 3) * 162 + x + k % 3]);
        (127.5 + 300.0 * (around.sum::<f64>() / 9.0 - 0.5)) as f32
    })
    .expect("a size")
}

#[test]
fn few_points_found_are_a_warning() {
    let project = pair();
    for (name, number) in [("one.pgm", 1), ("other.pgm", 2)] {
        write_pgm(&project.path().join(name), &noise(number));
    }
    let call = |images: &str| {
        let call =
            format!("dic {images} --subset 11 --step 5 --order 1 --format csv --out out --force");
        project.retrial(&call.split(' ').collect::<Vec<_>>())
    };
    call("one.pgm other.pgm")
        .exits(0)
        .complains("warning: other.pgm: ")
        .complains("of so few some may be found by chance");
    let said = call("one.pgm one.pgm ref.pgm").err;
    assert!(!said.contains("warning: one.pgm: "), "{said}");
}
