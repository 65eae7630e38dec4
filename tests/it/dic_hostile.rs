//! `retrial dic` on whatever it is given: small pictures of every depth, broken files, masks and
//! points that do not fit, settings out of range. It never panics, and its exit code says whether
//! there is a field.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use retrial_image::GrayImage;
use retrial_store::tiff;

use crate::project::{Project, names};

/// A file that may be a picture.
#[derive(Clone, Debug)]
struct Picture {
    width: usize,
    height: usize,
    /// Bits of a TIFF; 1 stands for a PNM in colour.
    bits: u32,
    content: Pattern,
    /// Share of the file that is there, in percent.
    kept: usize,
}

#[derive(Clone, Copy, Debug)]
enum Pattern {
    Speckles,
    Constant,
    Noise,
    Saturated,
    Black,
}

impl Picture {
    fn of_size(&self, (width, height): (usize, usize)) -> Self {
        Self {
            width,
            height,
            ..self.clone()
        }
    }

    fn write(&self, path: &Path) {
        let most = if self.bits <= 8 { 255.0 } else { 65_535.0 };
        let image = GrayImage::from_fn(self.width, self.height, |x, y| {
            let (fx, fy) = (x as f32, y as f32);
            let share = match self.content {
                Pattern::Speckles => {
                    0.5 + 0.2 * (0.8 * fx + 0.5 * fy).sin() + 0.2 * (0.9 * fy - 0.3 * fx).cos()
                }
                Pattern::Constant => 0.4,
                Pattern::Noise => ((x * 7919 + y * 104_729 + x * y * 31) % 256) as f32 / 255.0,
                Pattern::Saturated => f32::from(u8::from((x / 3 + y / 3) % 2 == 0)),
                Pattern::Black => 0.0,
            };
            (most * share).round()
        });
        let image = image.expect("a size");
        let mut bytes = match self.bits {
            1 => {
                let mut bytes = format!("P6\n{} {}\n255\n", self.width, self.height).into_bytes();
                bytes.extend(image.pixels().iter().flat_map(|value| [*value as u8; 3]));
                bytes
            }
            bits => tiff::gray(&image, bits, ""),
        };
        bytes.truncate(bytes.len() * self.kept / 100);
        std::fs::write(path, bytes).expect("written");
    }
}

fn any_picture() -> impl Strategy<Value = Picture> {
    let content = select(vec![
        Pattern::Speckles,
        Pattern::Speckles,
        Pattern::Speckles,
        Pattern::Constant,
        Pattern::Noise,
        Pattern::Saturated,
        Pattern::Black,
    ]);
    let kept = prop_oneof![6 => Just(100_usize), 1 => 0_usize..100];
    (
        1_usize..56,
        1_usize..56,
        select(vec![1_u32, 8, 12, 16]),
        content,
        kept,
    )
        .prop_map(|(width, height, bits, content, kept)| Picture {
            width,
            height,
            bits,
            content,
            kept,
        })
}

/// Arguments whose value is mostly sensible.
fn settings() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let option = |name: &'static str, good: &[&'static str], bad: &[&'static str]| {
        let value = prop_oneof![5 => select(good.to_vec()), 1 => select(bad.to_vec())];
        value.prop_map(move |value| (name, value))
    };
    let huge = "18446744073709551615";
    (
        option(
            "--subset",
            &["5", "9", "11", "21"],
            &[
                "0",
                "1",
                "-3",
                "8",
                "40",
                "501",
                huge,
                "9223372036854775807",
                "NaN",
                "",
            ],
        ),
        option(
            "--step",
            &["1", "3", "7", "100"],
            &["0", "-1", huge, "1.5", "x"],
        ),
        option("--order", &["0", "1", "2"], &["3", "-1", "NaN"]),
        option(
            "--filter",
            &["0", "0.7", "2"],
            &["-1", "nan", "inf", "1e9", "1e-300"],
        ),
        option(
            "--strain",
            &["3", "5", "11"],
            &["0", "1", "2", "4", huge, "-5"],
        ),
        option(
            "--scale",
            &["0.1", "3"],
            &["0", "-1", "nan", "inf", "1e-320"],
        ),
        any::<[bool; 6]>(),
    )
        .prop_map(|(subset, step, order, filter, strain, scale, given)| {
            let all = [subset, step, order, filter, strain, scale];
            // Without a subset of its own the default of 41 px rarely fits.
            let given = given
                .into_iter()
                .enumerate()
                .map(|(i, given)| given || i == 0);
            all.into_iter()
                .zip(given)
                .filter(|item| item.1)
                .map(|item| item.0)
                .collect()
        })
}

/// Which points take part.
#[derive(Clone, Debug)]
enum Choice {
    All,
    Mask(Picture, bool),
    Points(Vec<[&'static str; 2]>),
}

fn any_choice() -> impl Strategy<Value = Choice> {
    let cell = || {
        select(vec![
            "5",
            "12",
            "20",
            "0",
            "NaN",
            "-3",
            "1e9",
            "18446744073709551615",
            "",
            "x",
        ])
    };
    let good = || select(vec!["8", "12", "14"]);
    let line = prop_oneof![4 => [good(), good()], 1 => [cell(), cell()]];
    prop_oneof![
        4 => Just(Choice::All),
        2 => (any_picture(), any::<bool>()).prop_map(|(mask, fits)| Choice::Mask(mask, fits)),
        1 => proptest::collection::vec(line, 0..4).prop_map(Choice::Points),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_exit_code_says_whether_there_is_a_field(
        reference in any_picture(),
        deformed in any_picture(),
        same_size in prop_oneof![5 => Just(true), 1 => Just(false)],
        settings in settings(),
        choice in any_choice(),
    ) {
        let project = Project::new();
        let at = |name: &str| project.path().join(name);
        let size = (reference.width, reference.height);
        let deformed = if same_size { deformed.of_size(size) } else { deformed };
        reference.write(&at("a.tif"));
        deformed.write(&at("b.tif"));
        let mut arguments = vec!["dic", "a.tif", "b.tif", "--out", "out", "--format", "csv,vtk"];
        for (name, value) in &settings {
            // `--strain` knows no chosen points; that is an error of its own, tested elsewhere.
            if *name != "--strain" || !matches!(choice, Choice::Points(_)) {
                arguments.extend([*name, *value]);
            }
        }
        match &choice {
            Choice::All => {}
            Choice::Mask(mask, fits) => {
                let mask = if *fits { mask.of_size(size) } else { mask.clone() };
                mask.write(&at("mask.tif"));
                arguments.extend(["--mask", "mask.tif"]);
            }
            Choice::Points(points) => {
                let lines: Vec<String> = points.iter().map(|line| line.join(",")).collect();
                project.write("points.csv", &lines.join("\n"));
                arguments.extend(["--points", "points.csv"]);
            }
        }
        let said = project.retrial(&arguments);
        prop_assert!(!said.err.contains("panicked"), "{arguments:?}: {}", said.err);
        let value = |wanted: &str| settings.iter().find(|item| item.0 == wanted).map(|item| item.1);
        let whole = |name| value(name).map(|text| text.parse::<usize>().unwrap_or(0));
        let impossible = whole("--subset").is_some_and(|n| n % 2 == 0 || n > size.0.min(size.1))
            || whole("--step") == Some(0)
            || reference.kept < 100
            || deformed.kept < 100
            || (deformed.width, deformed.height) != size;
        match said.code {
            Some(2) => {
                // Warnings may stand before it.
                let message = said.err.split_once("error: ").map(|parts| parts.1);
                let words = message.map_or(0, |text| text.split_whitespace().count());
                prop_assert!(words >= 3, "{arguments:?}: {}", said.err);
            }
            Some(code @ (0 | 1)) => {
                prop_assert!(!impossible, "{arguments:?} exits {code}");
                let left = names(&at("out"));
                for name in ["0001_b.csv", "run.yaml", "summary.csv"] {
                    prop_assert!(left.iter().any(|own| own == name), "{left:?}");
                }
                let nothing = said.out.contains(": 0 of ");
                prop_assert_eq!(code == 1, nothing, "{}", said.out);
                prop_assert_eq!(code == 1, said.err.contains("no point converged"), "{}", said.err);
            }
            other => prop_assert!(false, "{arguments:?} ends with {other:?}: {}", said.err),
        }
    }
}
