//! `retrial dic` on series as people have them: stacks, lost pictures, wrong orders, odd names, points from tables.

use retrial_image::GrayImage;

use crate::dic_command::{arguments, pair, speckles, write_pgm};
use crate::project::{Project, names};

/// A TIFF of several 8-bit pages, little-endian.
fn stack(pages: &[GrayImage]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    for (number, page) in pages.iter().enumerate() {
        let [width, height] = [page.width(), page.height()].map(|side| side as u32);
        let pixels_at = bytes.len() as u32 + 2 + 9 * 12 + 4;
        let next = pixels_at + width * height;
        let entries = [
            (256_u16, 4_u16, width),
            (257, 4, height),
            (258, 3, 8),
            (259, 3, 1),
            (262, 3, 1),
            (273, 4, pixels_at),
            (277, 3, 1),
            (278, 4, height),
            (279, 4, width * height),
        ];
        bytes.extend(9_u16.to_le_bytes());
        for (tag, kind, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        let is_last = number + 1 == pages.len();
        bytes.extend(if is_last { 0 } else { next }.to_le_bytes());
        bytes.extend(page.pixels().iter().map(|value| value.round() as u8));
    }
    bytes
}

/// The mean of a column of the summary, by the name of the picture.
fn mean(project: &Project, column: &str, name: &str) -> f64 {
    let text = std::fs::read_to_string(project.path().join("out/summary.csv")).expect("a table");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let heads: Vec<&str> = lines.next().expect("names").split(',').collect();
    let at = |column: &str| heads.iter().position(|head| *head == column).expect(column);
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let row = rows.iter().find(|row| row[at("name")] == name);
    row.expect(name)[at(column)].parse().expect("a number")
}

fn run_facts(project: &Project) -> serde_json::Value {
    let text = std::fs::read_to_string(project.path().join("out/run.yaml")).expect("a file");
    serde_yaml::from_str(&text).expect("YAML")
}

#[test]
fn every_page_of_a_stack_is_measured() {
    let project = pair();
    let pages = [0.0, 0.5, 1.0].map(|u| speckles(u, -0.5 * u));
    std::fs::write(project.path().join("stack.tif"), stack(&pages)).expect("written");
    project
        .retrial(&arguments(&["ref.pgm", "stack.tif"], &["--format", "csv"]))
        .exits(0)
        .says("stack.tif[3]")
        .complains("stack.tif[1] equals the reference image");
    for (page, u) in [(1, 0.0), (2, 0.5), (3, 1.0)] {
        let name = format!("stack.tif[{page}]");
        assert!((mean(&project, "mean_u", &name) - u).abs() < 0.01, "{name}");
        assert!(
            (mean(&project, "mean_v", &name) + 0.5 * u).abs() < 0.01,
            "{name}"
        );
    }
    project
        .retrial(&arguments(&["stack.tif", "def.pgm"], &["--force"]))
        .exits(2)
        .complains("stack.tif holds 3 pictures");
}

#[test]
fn a_stack_that_is_cut_is_lost_as_a_whole() {
    let project = pair();
    let whole = stack(&[0.0, 0.5, 1.0].map(|u| speckles(u, 0.0)));
    let cut = &whole[..2 * whole.len() / 3];
    std::fs::write(project.path().join("cut.tif"), cut).expect("written");
    let words = "cut.tif: not a readable TIFF";
    project
        .retrial(&arguments(&["ref.pgm", "cut.tif"], &["--format", "csv"]))
        .exits(2)
        .complains(words);
    project
        .retrial(&arguments(
            &["ref.pgm", "def.pgm", "cut.tif"],
            &["--format", "csv"],
        ))
        .exits(1)
        .complains("1 of 2 images was not measured")
        .complains(words);
    let small = GrayImage::from_fn(40, 30, |x, y| (x * 5 + y) as f32).expect("a size");
    let bytes = stack(&[speckles(0.4, 0.0), small]);
    std::fs::write(project.path().join("thumb.tif"), bytes).expect("written");
    let call = arguments(&["ref.pgm", "thumb.tif"], &["--format", "csv", "--force"]);
    project
        .retrial(&call)
        .exits(1)
        .complains("cannot correlate thumb.tif[2]: the reference has");
}

#[test]
fn a_file_of_two_pictures_is_refused_wherever_it_is_named() {
    let project = pair();
    let one = std::fs::read(project.path().join("def.pgm")).expect("a file");
    std::fs::write(project.path().join("two.pgm"), one.repeat(2)).expect("written");
    for (images, options) in [
        (["two.pgm", "def.pgm"], &[][..]),
        (["ref.pgm", "two.pgm"], &[]),
        (["ref.pgm", "def.pgm"], &["--mask", "two.pgm"]),
    ] {
        project
            .retrial(&arguments(&images, options))
            .exits(2)
            .complains("two.pgm: the file holds 2 pictures");
    }
    std::fs::create_dir(project.path().join("folder")).expect("a folder");
    for images in [["folder", "def.pgm"], ["ref.pgm", "folder"]] {
        project
            .retrial(&arguments(&images, &[]))
            .exits(2)
            .complains("cannot read folder: it is a folder; name its pictures");
    }
}

#[test]
fn a_bad_picture_is_left_out_and_named() {
    let bad: [(&str, Vec<u8>); 3] = [
        ("cut.pgm", b"P5\n160 120\n255\nabc".to_vec()),
        (
            "black.pgm",
            [b"P5\n160 120\n255\n".to_vec(), vec![7; 19_200]].concat(),
        ),
        (
            "small.pgm",
            [b"P5\n2 2\n255\n".to_vec(), vec![1, 2, 3, 4]].concat(),
        ),
    ];
    for (name, bytes) in bad {
        for place in 0..3 {
            let project = pair();
            std::fs::write(project.path().join(name), &bytes).expect("written");
            write_pgm(&project.path().join("next.pgm"), &speckles(0.8, -0.6));
            let mut images = vec!["ref.pgm", "def.pgm", "next.pgm"];
            images.insert(place + 1, name);
            project
                .retrial(&arguments(&images, &["--format", "csv"]))
                .exits(1)
                .complains("1 of 3 images was not measured")
                .complains(name);
            assert!(
                (mean(&project, "mean_u", "def.pgm") - 0.4).abs() < 0.01,
                "{name}"
            );
            assert!(
                (mean(&project, "mean_u", "next.pgm") - 0.8).abs() < 0.01,
                "{name}"
            );
            let facts = run_facts(&project);
            assert_eq!(facts["finished"], true);
            assert_eq!(facts["lost"][0]["image"], name);
        }
    }
}

#[test]
fn two_runs_are_never_mixed() {
    let project = pair();
    let out = project.path().join("out");
    let call = arguments(&["ref.pgm", "def.pgm"], &["--format", "csv"]);
    project.retrial(&call).exits(0);
    // As a run that was killed leaves it: a field, half a field, and a run.yaml from its beginning.
    let text = std::fs::read_to_string(out.join("run.yaml")).expect("a file");
    let text = text.replace("finished: true", "finished: false");
    std::fs::write(out.join("run.yaml"), text).expect("written");
    std::fs::write(out.join(".0001_def.csv.abc123.tmp"), "half").expect("written");
    std::fs::write(out.join("0001_def_cut.png"), "drawn").expect("written");
    let own = ["0001_def.csv.bak", "0001_def_notes.txt"];
    for name in own {
        std::fs::write(out.join(name), "of the user").expect("written");
    }
    project
        .retrial(&arguments(
            &["ref.pgm", "def.pgm"],
            &["--format", "csv", "--order", "1"],
        ))
        .exits(2)
        .complains("use --force");
    project.retrial(&call).exits(0);
    let [bak, notes] = own;
    let left = ["0001_def.csv", bak, notes, "run.yaml", "summary.csv"];
    assert_eq!(names(&out), left);
    std::fs::remove_file(out.join("run.yaml")).expect("removed");
    project
        .retrial(&call)
        .exits(2)
        .complains("0001_def.csv of a run without run.yaml");
}

#[test]
fn orders_and_names_that_mislead_are_told() {
    let project = pair();
    for number in [1, 2, 10] {
        let name = format!("img{number}.pgm");
        let shift = 0.1 * f64::from(number);
        write_pgm(&project.path().join(name), &speckles(shift, 0.0));
    }
    let images = ["ref.pgm", "ref.pgm", "img1.pgm", "img10.pgm", "img2.pgm"];
    project
        .retrial(&arguments(&images, &["--format", "csv"]))
        .exits(0)
        .complains("ref.pgm is the reference image itself")
        .complains("img2.pgm follows img10.pgm: the numbers in the names fall");
    std::os::unix::fs::symlink("img2.pgm", project.path().join("link.pgm")).expect("a link");
    let images = ["ref.pgm", "img1.pgm", "img2.pgm", "img1.pgm", "link.pgm"];
    project
        .retrial(&arguments(&images, &["--format", "csv", "--force"]))
        .exits(0)
        .complains("image 3, img1.pgm, is the same file as image 1, img1.pgm")
        .complains("image 4, link.pgm, is the same file as image 2, img2.pgm");
    let project = pair();
    for folder in ["a", "b"] {
        std::fs::create_dir(project.path().join(folder)).expect("a folder");
        let shift = if folder == "a" { 0.2 } else { 0.7 };
        let path = project.path().join(folder).join("x.pgm");
        write_pgm(&path, &speckles(shift, 0.0));
    }
    write_pgm(&project.path().join("it's #5.pgm"), &speckles(0.3, 0.0));
    let images = ["ref.pgm", "a/x.pgm", "b/x.pgm", "it's #5.pgm"];
    project
        .retrial(&arguments(&images, &["--format", "csv"]))
        .exits(0);
    assert!((mean(&project, "mean_u", "a/x.pgm") - 0.2).abs() < 0.01);
    assert!((mean(&project, "mean_u", "b/x.pgm") - 0.7).abs() < 0.01);
    let found = mean(&project, "mean_u", "\"it's #5.pgm\"");
    assert!((found - 0.3).abs() < 0.01, "{found}");
}

#[test]
fn points_are_read_by_the_names_of_their_columns() {
    for (text, count) in [
        ("x,y\n50,60\n100,40\n", "2 of 2"),
        ("y,x\n60,50\n40,100\n", "2 of 2"),
        ("node;x;y\n1;50;60\n2;100;40\n", "2 of 2"),
        ("\u{feff}50.0,60.0\r\n100.0,40.0\r\n", "2 of 2"),
        ("5.000e+01 6.000e+01\n1.0e+02 4.0e+01\n", "2 of 2"),
    ] {
        let project = pair();
        project.write("points.csv", text);
        let options = ["--points", "points.csv", "--format", "csv"];
        project
            .retrial(&arguments(&["ref.pgm", "def.pgm"], &options))
            .exits(0)
            .says(count);
        let field = std::fs::read_to_string(project.path().join("out/0001_def.csv"));
        let field = field.expect("a field");
        let mut rows = field.lines().filter(|line| !line.starts_with('#')).skip(1);
        assert!(rows.next().expect("a row").starts_with("50,60,"), "{text}");
        assert!(rows.next().expect("a row").starts_with("100,40,"), "{text}");
    }
    for (text, complaint) in [
        ("x;y\n50,0;60,0\n", "line 2"),
        ("50,0;60,0\n", "line 1"),
        ("1,50,60\n", "line 1"),
        ("x,y\n50.5,60\n", "line 2"),
        ("x,y\n-5,60\n", "line 2"),
        ("x,z\n50,60\n", "a column `x` and a column `y`"),
        (
            "x,y,x_px,y_px\n50,60,70,80\n",
            "`x` and `x_px` may both be meant",
        ),
        ("x,y,x\n50,60,70\n", "`x` and `x` may both be meant"),
        (
            "x,y\n50,60,\n",
            "expected 2 values as in the first line, found 3 in \"50,60,\"",
        ),
        ("x,y\n50,0,60,0\n", "numbers are written with a point"),
        ("x,y\n50,60\n250,60\n", "points.csv, line 3: a subset of"),
        ("", "points.csv: no point is given"),
    ] {
        let project = pair();
        project.write("points.csv", text);
        project
            .retrial(&arguments(
                &["ref.pgm", "def.pgm"],
                &["--points", "points.csv"],
            ))
            .exits(2)
            .complains(complaint);
    }
}

#[test]
fn points_are_told_of_that_stand_twice_or_nowhere() {
    let project = pair();
    project.write("points.csv", "x,y\n50,60\n100,40\n50,60\n");
    let call = arguments(
        &["ref.pgm", "def.pgm"],
        &["--points", "points.csv", "--format", "csv"],
    );
    project
        .retrial(&call)
        .exits(0)
        .complains("points.csv, line 4: the point x 50, y 60 is given in line 2 already");
    // Half a subset from the border, and moved over it.
    project.write("points.csv", "x,y\n15,15\n");
    write_pgm(&project.path().join("def.pgm"), &speckles(-3.0, -3.0));
    project
        .retrial(&[&call[..], &["--force"]].concat())
        .exits(1)
        .complains("no point converged: 1 uncertain")
        .complains("try a larger --subset");
}

/// Stopped by Ctrl-C after some images, the same call goes on, and its files are those of a run in one piece.
#[test]
fn a_stopped_series_goes_on() {
    let project = pair();
    let names: Vec<String> = (0..16).map(|i| format!("s{i:02}.pgm")).collect();
    for (i, name) in names.iter().enumerate() {
        let shift = 0.11 * i as f64;
        write_pgm(&project.path().join(name), &speckles(shift, -0.5 * shift));
    }
    // One that cannot be read is counted once.
    project.write("s01.pgm", "P5\n3");
    let mut call = vec!["ref.pgm"];
    call.extend(names.iter().map(String::as_str));
    let options = [
        "--format",
        "csv,vtk",
        "--subset",
        "61",
        "--step",
        "1",
        "--threads",
        "1",
    ];
    let call: Vec<&str> = ["dic"].into_iter().chain(call).chain(options).collect();
    let with = |out| [&call[..], &["--out", out]].concat();
    project.retrial(&with("whole")).exits(1);
    let mut run = project.start(&with("parts"));
    let begun = project.path().join("parts/0004_s03.csv");
    while !begun.exists() {
        let ended = run.try_wait().expect("a process");
        assert!(ended.is_none(), "ended before it could be stopped");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = nix::unistd::Pid::from_raw(i32::try_from(run.id()).expect("an id"));
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).expect("a signal");
    assert_eq!(run.wait().expect("ended").code(), Some(130));
    let parts = project.path().join("parts");
    assert!(parts.join("resume.json").exists());
    let done = std::fs::metadata(&begun).and_then(|file| file.modified());
    let done = done.expect("a time");
    // Neither another picture of the same name nor a field that was changed is taken for what was measured.
    let [picture, aside] = ["s02.pgm", "aside"].map(|name| project.path().join(name));
    std::fs::rename(&picture, &aside).expect("a picture");
    write_pgm(&picture, &speckles(0.22, -0.11));
    project
        .retrial(&with("parts"))
        .exits(2)
        .complains("s02.pgm was changed since it was measured; use --force");
    std::fs::rename(&aside, &picture).expect("a picture");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([&parts, &project.path().join("changed")])
        .status();
    assert!(copied.expect("cp").success());
    project.write("changed/0003_s02.csv", "");
    project
        .retrial(&with("changed"))
        .exits(1)
        .complains("the series begins anew: 0003_s02.csv is gone or was changed");
    project
        .retrial(&with("parts"))
        .exits(1)
        .says("going on after ")
        .complains("1 of 16 images was not measured");
    assert_eq!(
        std::fs::metadata(&begun)
            .and_then(|file| file.modified())
            .expect("a time"),
        done
    );
    assert!(!parts.join("resume.json").exists());
    let whole = project.path().join("whole");
    assert_eq!(crate::project::names(&parts), crate::project::names(&whole));
    for name in crate::project::names(&whole) {
        let [a, b] = [&parts, &whole].map(|folder| std::fs::read(folder.join(&name)));
        assert_eq!(a.expect("a file"), b.expect("a file"), "{name}");
    }
    project
        .retrial(&with("parts"))
        .exits(2)
        .complains("--force");
}

#[test]
fn a_strain_window_fits_into_the_field() {
    pair()
        .retrial(&arguments(&["ref.pgm", "def.pgm"], &["--strain", "101"]))
        .exits(2)
        .complains("a window of 101 x 101 points does not fit into the field of 13 x 9 points");
}

/// Blue light: red and green hold nothing, and the luma a tenth.
#[test]
fn a_channel_is_chosen() {
    let project = pair();
    for (name, shift) in [("a.ppm", 0.0), ("b.ppm", 0.6)] {
        let mut bytes = b"P6\n160 120\n255\n".to_vec();
        for value in speckles(shift, 0.0).pixels() {
            bytes.extend([90, 90, value.round() as u8]);
        }
        std::fs::write(project.path().join(name), bytes).expect("written");
    }
    let call = |channel| {
        arguments(
            &["a.ppm", "b.ppm"],
            &["--format", "csv", "--force", "--channel", channel],
        )
    };
    project.retrial(&call("blue")).exits(0);
    assert!((mean(&project, "mean_u", "b.ppm") - 0.6).abs() < 0.005);
    assert_eq!(run_facts(&project)["provenance"]["channel"], "blue");
    project.retrial(&call("red")).exits(1);
}
