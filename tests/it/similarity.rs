//! `retrial similarity` on textures of known roughness, against the library called directly, and
//! what it says of bad input.

use std::path::Path;
use std::time::{Duration, Instant};

use retrial_seed::{Seed, Stream};
use retrial_similarity::{
    Angles, FeatureKind, FeatureSettings, GlcmSettings, Moments, Property, Reduction,
    SimilaritySettings, Targets, Weights, count, draw, features, log_similarities, quantise_f32,
};

use crate::project::{Project, names};

const SIZE: u32 = 32;

/// A random walk along the rows with steps of this size.
fn texture(stream: &mut Stream, step: f64) -> Vec<u8> {
    let mut value = 128.0;
    let pixel = |_| {
        value += step * stream.normal() + 0.05 * (128.0 - value);
        value.clamp(0.0, 255.0) as u8
    };
    (0..SIZE * SIZE).map(pixel).collect()
}

fn save(path: &Path, pixels: &[u8]) {
    let png = retrial_report::gray_png(SIZE, SIZE, pixels).expect("a full picture");
    std::fs::write(path, png).expect("written");
}

/// `target` has smooth pictures; every fourth of `source` is as smooth, the others are rough.
fn domains(source: usize) -> Project {
    let project = Project::new();
    let at = |name: &str| project.path().join(name);
    std::fs::create_dir_all(at("target")).expect("a folder");
    std::fs::create_dir_all(at("source/smooth")).expect("a folder");
    std::fs::create_dir_all(at("source/rough")).expect("a folder");
    let mut stream = Seed(9).stream("pictures");
    for i in 0..12 {
        let step = 3.0 + stream.uniform();
        save(&at(&format!("target/{i}.png")), &texture(&mut stream, step));
    }
    for i in 0..source {
        let (folder, step) = match i % 4 {
            0 => ("smooth", 3.0),
            _ => ("rough", 25.0),
        };
        let step = step + stream.uniform();
        let name = format!("source/{folder}/{i:05}.png");
        save(&at(&name), &texture(&mut stream, step));
    }
    project
}

/// The rows of `weights.csv`: path, then numbers.
fn rows(project: &Project, out: &str) -> Vec<(String, [f64; 3])> {
    let path = project.path().join(out).join("weights.csv");
    let text = std::fs::read_to_string(path).expect("a table");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(
        lines.next(),
        Some("path,log_weight,weight_times_n,draws"),
        "{text}"
    );
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse().expect("a number");
        (cells[0].to_owned(), [number(1), number(2), number(3)])
    };
    lines.map(row).collect()
}

fn run_yaml(project: &Project, out: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(project.path().join(out).join("run.yaml"));
    serde_yaml::from_str(&text.expect("a file")).expect("YAML")
}

/// The same weights by the library alone: logarithms in the order of the names.
fn by_library(project: &Project, bandwidth: f64, reduction: Reduction) -> Vec<(String, f64)> {
    let folder = |name: &str| {
        let all = names(&project.path().join(name));
        let own = all.into_iter().filter(|own| own != "broken.png");
        own.map(|own| format!("{name}/{own}")).collect::<Vec<_>>()
    };
    let row = |name: &String| {
        let image = retrial_data::read_gray(&project.path().join(name)).expect("a picture");
        let unit: Vec<f32> = image.pixels().iter().map(|v| v / 255.0).collect();
        let levels = quantise_f32(image.height(), image.width(), &unit, 32, [0.0, 1.0]);
        let counted = count(&levels.expect("levels"), &GlcmSettings::default()).expect("pairs");
        let six = FeatureKind::Properties(Property::SIX.to_vec());
        let settings = FeatureSettings::new(six, Angles::Averaged);
        features(&counted, &settings).expect("features")
    };
    let source = [folder("source/rough"), folder("source/smooth")].concat();
    let mut sources: Vec<f64> = source.iter().flat_map(row).collect();
    let mut targets: Vec<f64> = folder("target").iter().flat_map(row).collect();
    let mut moments = Moments::new(6);
    for row in sources.chunks(6).chain(targets.chunks(6)) {
        moments.push(row).expect("finite");
    }
    let standard = moments.standardiser().expect("pictures");
    standard.apply(&mut sources).expect("rows");
    standard.apply(&mut targets).expect("rows");
    let targets = Targets::new(6, targets).expect("rows");
    let settings = SimilaritySettings::default()
        .with_bandwidth(bandwidth)
        .with_reduction(reduction);
    let log = log_similarities(&sources, &targets, &settings).expect("rows");
    let short = source
        .into_iter()
        .map(|name| name["source/".len()..].to_owned());
    short.zip(log).collect()
}

#[test]
fn weights_are_the_library_s_and_smooth_pictures_are_drawn() {
    let project = domains(60);
    std::fs::write(project.path().join("source/rough/broken.png"), "none").expect("written");
    project.write("source/note.txt", "no picture");
    let said = project.retrial(&["similarity", "target", "source", "-o", "out", "--seed", "3"]);
    said.exits(0)
        .says("source: 60 pictures, 60 read, 0 by kept features")
        .says("target: 12 pictures, 12 read")
        .complains("1 picture of source cannot be read")
        .complains("rough/broken.png: not a TIFF, PNG");
    let table = rows(&project, "out");
    let expected = by_library(&project, 1.0, Reduction::Mean);
    assert_eq!(table.len(), 60);
    for ((name, [log, ..]), (expected_name, expected_log)) in table.iter().zip(&expected) {
        assert_eq!(name, expected_name);
        // The command has elementary functions of its own, this test has those of the C library.
        assert!((log / expected_log - 1.0).abs() < 1e-12, "{name}");
    }
    let weights = Weights::from_log(expected.iter().map(|(_, log)| *log).collect());
    let weights = weights.expect("weights");
    let mut drawn = vec![0.0; 60];
    for at in draw(&weights, 8000, &mut Seed(3).stream("source draw")) {
        drawn[at] += 1.0;
    }
    for ((name, [_, times, draws]), (weight, expected)) in
        table.iter().zip(weights.normalised().iter().zip(&drawn))
    {
        assert!((times / (weight * 60.0) - 1.0).abs() < 1e-12, "{name}");
        assert_eq!(draws, expected, "{name}");
    }
    // All smooth pictures are more likely than any rough one, and more than in a uniform draw.
    let of = |folder: &str| {
        let own = table.iter().filter(|(name, _)| name.starts_with(folder));
        own.map(|(_, row)| row[1]).collect::<Vec<f64>>()
    };
    let least = of("smooth/").into_iter().fold(f64::INFINITY, f64::min);
    let most = of("rough/").into_iter().fold(0.0, f64::max);
    assert!(least > 1.0 && most < 0.1, "{least} {most}");

    let run = run_yaml(&project, "out");
    let summary = &run["summary"];
    let effective = summary["effective_sample_size"].as_f64().expect("a size");
    assert!((effective - weights.effective_sample_size()).abs() < 1e-9);
    let similar = summary["most_similar"][0]["path"].as_str().expect("a name");
    assert!(similar.starts_with("smooth/"), "{similar}");
    let facts = &run["provenance"];
    for (key, value) in [
        ("source_pictures", "60"),
        ("source_unreadable", "1"),
        ("source_other_files", "1"),
        ("texture", "\"properties\""),
        ("texture_levels", "32"),
        ("texture_standardised", "true"),
        ("reduction", "\"mean\""),
        ("seed", "3"),
    ] {
        assert_eq!(facts[key].to_string(), value, "{key}");
    }
    let out = project.path().join("out");
    let unreadable = std::fs::read_to_string(out.join("unreadable.csv")).expect("a table");
    assert!(
        unreadable.contains("source,rough/broken.png,"),
        "{unreadable}"
    );
    for name in ["weights.png", "similar.png"] {
        let picture = retrial_data::read_colour(&out.join(name)).expect("a picture");
        assert!(
            picture.width > 1000 && picture.rgb.iter().any(|&v| v < 50),
            "{name}"
        );
    }
}

#[test]
fn a_second_run_reads_no_picture_again() {
    let project = domains(40);
    let first = ["similarity", "target", "source", "--out", "out"];
    project.retrial(&first).exits(0);
    project.retrial(&first).exits(2).complains("use --force");
    let digest = run_yaml(&project, "out")["provenance"]["source_digest"].clone();
    // Another bandwidth and reduction, in the same folder and in another with its features.
    let other = ["--bandwidth", "0.5", "--reduction", "to_mean"];
    let again: Vec<&str> = [&first[..], &other, &["--force"]].concat();
    let says = "source: 40 pictures, 0 read, 40 by kept features";
    project.retrial(&again).exits(0).says(says);
    let kept = ["-o", "b", "--features", "out/features"];
    let elsewhere: Vec<&str> = [&first[..3], &kept, &other].concat();
    project.retrial(&elsewhere).exits(0).says(says);
    assert_eq!(rows(&project, "out"), rows(&project, "b"));
    let expected = by_library(&project, 0.5, Reduction::ToMean);
    assert_eq!(expected.len(), rows(&project, "b").len());
    for ((_, [log, ..]), (name, expected)) in rows(&project, "b").iter().zip(expected) {
        assert_eq!(log.to_bits(), expected.to_bits(), "{name}");
    }
    assert_eq!(
        run_yaml(&project, "b")["provenance"]["source_digest"],
        digest
    );
    // Another texture, and a picture that has changed, are read.
    let texture: Vec<&str> = [&again[..], &["--texture", "matrix", "--levels", "8"]].concat();
    let said = project.retrial(&texture);
    said.exits(0).says("40 pictures, 40 read");
    let bytes = std::fs::read(project.path().join("source/rough/00001.png")).expect("a file");
    std::fs::write(project.path().join("source/smooth/00000.png"), bytes).expect("written");
    let said = project.retrial(&again);
    said.exits(0)
        .says("40 pictures, 1 read, 39 by kept features");
    let changed = run_yaml(&project, "out")["provenance"]["source_digest"].clone();
    assert_ne!(changed, digest);
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let project = domains(1500);
    // One thread and many levels, so that there is time to kill it.
    let slow = ["--texture-levels", "256", "--threads", "1"];
    let quiet: Vec<&str> = [
        &["similarity", "target", "source", "-o", "quiet"],
        &slow[..],
    ]
    .concat();
    project.retrial(&quiet).exits(0);
    let killed: Vec<&str> = [&["similarity", "target", "source", "-o", "out"], &slow[..]].concat();
    let mut run = project.start(&killed);
    let features = project.path().join("out/features");
    let record = 16 + 6 * 8 + 8;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let sizes = names(&features).into_iter();
        let bytes: u64 = sizes
            .filter_map(|name| std::fs::metadata(features.join(name)).ok())
            .map(|data| data.len())
            .sum();
        if bytes > 300 * record {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    run.kill().expect("killed");
    run.wait().expect("ended");
    let out = project.path().join("out");
    assert!(!out.join("run.yaml").exists(), "it was killed too late");
    // A record that was half written is cut off.
    let name = &names(&features)[0];
    let file = std::fs::File::options()
        .append(true)
        .open(features.join(name));
    std::io::Write::write_all(&mut file.expect("a file"), &[7; 31]).expect("written");
    let said = project.retrial(&killed);
    said.exits(0);
    let line = said.out.lines().find(|line| line.starts_with("source:"));
    let words: Vec<&str> = line.expect("a line").split([' ', ',']).collect();
    let number = |i: usize| words[i].parse::<usize>().expect("a number");
    let (all, read, kept) = (number(1), number(4), number(7));
    assert!(all == 1500 && read + kept == 1500, "{words:?}");
    assert!(kept >= 200 && read > 0, "{words:?}");
    assert_eq!(rows(&project, "out"), rows(&project, "quiet"));
}

#[test]
fn bad_input_is_named() {
    let project = domains(4);
    let at = |name: &str| project.path().join(name);
    std::fs::create_dir_all(at("empty")).expect("a folder");
    std::fs::create_dir_all(at("texts")).expect("a folder");
    std::fs::create_dir_all(at("broken")).expect("a folder");
    project.write("texts/a.txt", "");
    project.write("broken/a.png", "");
    project.write("broken/b.jpg", "none");
    project.write("file.png", "");
    for (arguments, words) in [
        ("missing source", "cannot read the folder missing"),
        ("target missing", "cannot read the folder missing"),
        ("file.png source", "file.png is no folder"),
        ("empty source", "no picture in empty, but no file"),
        ("target texts", "no picture in texts, but 1 other file"),
        (
            "target broken",
            "none of 2 pictures of broken can be read; the first, a.png:",
        ),
        ("target source --texture-levels 1", "1 is not in 2..=256"),
        (
            "target source --texture-levels 257",
            "257 is not in 2..=256",
        ),
        (
            "target source --bandwidth 0",
            "must be a number from 0.000001",
        ),
        ("target source --bandwidth nan", "must be a number"),
        ("target source --draws 0", "0 is not in 1..="),
        (
            "target source --reduction median",
            "possible values: mean, max, to_mean",
        ),
        (
            "target source --grey-range 5,1",
            "two numbers, the lower first",
        ),
        (
            "target source --distances 40",
            "none of 12 pictures of target can be read",
        ),
    ] {
        let mut all = vec!["similarity"];
        all.extend(arguments.split(' '));
        all.extend(["-o", "out"]);
        project.retrial(&all).exits(2).complains(words);
        assert!(!at("out/run.yaml").exists(), "{arguments}");
    }
    project
        .retrial(&["similarity", "target", "source", "-o", "source"])
        .exits(2)
        .complains("is a folder of pictures itself");
}

#[test]
fn every_texture_gives_weights() {
    let project = domains(24);
    let six = "--texture-levels 16 --distances 1,3 --angles 0,90";
    for (name, options) in [
        ("kept", format!("{six} --offsets kept --pairs directed")),
        ("own", format!("{six} --grey-range own --side 24")),
        (
            "stated",
            format!("{six} --grey-range 20,230 --reduction max"),
        ),
        (
            "raw",
            "--texture-standardised false --bandwidth 10".to_owned(),
        ),
        (
            "literal",
            "--texture matrix --texture-standardised false".to_owned(),
        ),
    ] {
        let mut all = vec!["similarity", "target", "source", "-o", name];
        all.extend(options.split(' '));
        project.retrial(&all).exits(0);
        let table = rows(&project, name);
        let sum: f64 = table.iter().map(|(_, row)| row[1]).sum();
        assert!((sum - 24.0).abs() < 1e-9, "{name}: {sum}");
        let of = |folder: &str| -> f64 {
            let own = table.iter().filter(|(path, _)| path.starts_with(folder));
            own.map(|(_, row)| row[1]).fold(0.0, f64::max)
        };
        assert!(of("smooth/") > of("rough/"), "{name}");
    }
    // The literal reading of the publication selects nothing.
    let share = run_yaml(&project, "literal")["summary"]["effective_sample_share"].clone();
    assert!(share.as_f64().expect("a share") > 0.99, "{share}");
}
