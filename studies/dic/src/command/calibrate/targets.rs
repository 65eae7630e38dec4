//! Calibration points from tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use retrial_core::census::count;
use retrial_dic::calibration::CalibrationPoint;
use retrial_runner::Failure;

use crate::cli::CalibrateArgs;

/// The points of every image, in the order in which the images appear.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) names: Vec<String>,
    pub(super) views: Vec<Vec<CalibrationPoint>>,
    /// The line of every image's first point, from 1.
    pub(super) first_lines: Vec<usize>,
}

/// A file with a line of names, divided by commas, or by semicolons or tabs where that line has one.
struct Lines {
    path: String,
    names: Vec<String>,
    /// The number of the line of names, from 1.
    head: usize,
    /// Number and cells of every line.
    rows: Vec<(usize, Vec<String>)>,
}

impl Targets {
    pub(super) fn read(args: &CalibrateArgs) -> Result<Self, Failure> {
        let lines = Lines::read(&args.targets)?;
        let (x, y) = (lines.place("x_px")?, lines.place("y_px")?);
        let image = lines.place("image")?;
        let point = lines
            .has("point")
            .then(|| lines.place("point"))
            .transpose()?;
        let world = World::read(args, &lines)?;
        let camera = chosen_camera(args, &lines)?;
        let first = f64::from(args.first_pixel.unwrap_or(0));
        let mut found = Self {
            names: Vec::new(),
            views: Vec::new(),
            first_lines: Vec::new(),
        };
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (number, cells) in &lines.rows {
            if camera
                .as_ref()
                .is_some_and(|(at, name)| &cells[*at] != name)
            {
                continue;
            }
            let name = cells[image].as_str();
            if let Some(point) = point
                && !seen.insert((name, cells[point].as_str()))
            {
                let point = &cells[point];
                let what = format!("point {point} of image {name} is there twice");
                return Err(lines.fault(*number, &what));
            }
            let image_px = [
                lines.number(*number, cells, x)? - first,
                lines.number(*number, cells, y)? - first,
            ];
            if let Some(what) = off_the_picture(image_px, args.image_size) {
                return Err(lines.fault(*number, &what));
            }
            let world_mm = world.at(&lines, *number, cells)?;
            let view = *places.entry(name).or_insert_with(|| {
                found.names.push(name.to_owned());
                found.first_lines.push(*number);
                found.views.push(Vec::new());
                found.views.len() - 1
            });
            found.views[view].push(CalibrationPoint { world_mm, image_px });
        }
        if found.views.is_empty() {
            let which = args.camera.as_deref().unwrap_or("any");
            return Err(Failure::usage(format!(
                "{} holds no point of camera {which}",
                lines.path
            )));
        }
        Ok(found)
    }

    /// The place of an image.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| own == name)
    }
}

/// What is wrong with a place that no pixel of a picture has, whose size may be unknown.
fn off_the_picture([x, y]: [f64; 2], size: Option<(usize, usize)>) -> Option<String> {
    let is_within = |at: f64, most: Option<usize>| {
        at >= -0.5 && most.is_none_or(|most| at <= most as f64 - 0.5)
    };
    let (width, height) = size.unzip();
    if is_within(x, width) && is_within(y, height) {
        return None;
    }
    let size = size.map_or_else(String::new, |(width, height)| {
        format!(" of {width} × {height} px (--image-size)")
    });
    Some(format!(
        "the point at x {x}, y {y} px, pixels counted from 0, lies outside of a picture{size}"
    ))
}

/// The places of the target's points on its plane.
enum World {
    /// Two columns of the same file.
    Columns([usize; 2]),
    /// A file of its own, its lines named by its column `point`, or numbered from 0 without one.
    File {
        path: String,
        points: BTreeMap<String, [f64; 2]>,
        /// The first name and the last one of the file.
        span: [String; 2],
        point: usize,
    },
}

impl World {
    fn read(args: &CalibrateArgs, lines: &Lines) -> Result<Self, Failure> {
        let Some(path) = &args.world else {
            if ["X_mm", "Y_mm"].iter().any(|name| !lines.has(name)) {
                return Err(Failure::usage(format!(
                    "{} has no columns `X_mm` and `Y_mm`; name a file with them by --world",
                    lines.path
                )));
            }
            lines.check_flat()?;
            let columns = [lines.place("X_mm")?, lines.place("Y_mm")?];
            return Ok(Self::Columns(columns));
        };
        let world = Lines::read(path)?;
        world.check_flat()?;
        let (x, y) = (world.place("X_mm")?, world.place("Y_mm")?);
        let names = world
            .has("point")
            .then(|| world.place("point"))
            .transpose()?;
        let mut points = BTreeMap::new();
        let mut span: [Option<String>; 2] = [None, None];
        for (i, (number, cells)) in world.rows.iter().enumerate() {
            let name = names.map_or_else(|| i.to_string(), |names| point_name(&cells[names]));
            let place = [
                world.number(*number, cells, x)?,
                world.number(*number, cells, y)?,
            ];
            if points.insert(name.clone(), place).is_some() {
                return Err(world.fault(*number, &format!("point {name} is there twice")));
            }
            span[0].get_or_insert_with(|| name.clone());
            span[1] = Some(name);
        }
        if points.is_empty() {
            return Err(Failure::usage(format!("{} holds no point", world.path)));
        }
        Ok(Self::File {
            path: world.path.clone(),
            points,
            span: span.map(Option::unwrap_or_default),
            point: lines.place("point")?,
        })
    }

    fn at(&self, lines: &Lines, number: usize, cells: &[String]) -> Result<[f64; 2], Failure> {
        match self {
            Self::Columns([x, y]) => Ok([
                lines.number(number, cells, *x)?,
                lines.number(number, cells, *y)?,
            ]),
            Self::File {
                path,
                points,
                span: [first, last],
                point,
            } => points
                .get(&point_name(&cells[*point]))
                .copied()
                .ok_or_else(|| {
                    let what = format!(
                        "point {:?}; {path} has the points {first} to {last}",
                        cells[*point]
                    );
                    lines.fault(number, &what)
                }),
        }
    }
}

/// The name of a point; whole numbers are the same with zeros before them and without.
fn point_name(cell: &str) -> String {
    cell.parse::<u64>()
        .map_or_else(|_| cell.to_owned(), |number| number.to_string())
}

/// The column `camera` and the camera asked for; an error where the file has several and none is.
fn chosen_camera(args: &CalibrateArgs, lines: &Lines) -> Result<Option<(usize, String)>, Failure> {
    let at = lines
        .has("camera")
        .then(|| lines.place("camera"))
        .transpose()?;
    match (at, &args.camera) {
        (None, None) => Ok(None),
        (None, Some(_)) => lines.place("camera").map(|_| None),
        (Some(at), Some(camera)) => Ok(Some((at, camera.clone()))),
        (Some(at), None) => {
            let cameras: BTreeSet<&str> = lines
                .rows
                .iter()
                .map(|(_, cells)| cells[at].as_str())
                .collect();
            if cameras.len() > 1 {
                let all: Vec<&str> = cameras.into_iter().collect();
                return Err(Failure::usage(format!(
                    "{} holds the cameras {}; choose one by --camera",
                    lines.path,
                    all.join(", ")
                )));
            }
            Ok(None)
        }
    }
}

impl Lines {
    fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let text = retrial_core::file::text(path, retrial_core::file::LARGEST)
            .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
        let mut names: Vec<String> = Vec::new();
        let mut head = 0;
        let mut rows = Vec::new();
        let mut sign = ',';
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if names.is_empty() {
                sign = [';', '\t']
                    .into_iter()
                    .find(|sign| line.contains(*sign))
                    .unwrap_or(',');
            }
            let cells = line.split(sign).map(|cell| cell.trim().to_owned());
            let cells: Vec<String> = cells.collect();
            if names.is_empty() {
                (names, head) = (cells, number);
            } else if cells.len() == names.len() {
                rows.push((number, cells));
            } else {
                return Err(Failure::usage(format!(
                    "{shown}, line {number}: {}, the line of names has {}",
                    count(cells.len(), "cell"),
                    names.len()
                )));
            }
        }
        let lines = Self {
            path: shown,
            names,
            head,
            rows,
        };
        lines.check_case()?;
        Ok(lines)
    }

    /// Refuses a name that differs from a known one by its case alone, and so would be passed over.
    fn check_case(&self) -> Result<(), Failure> {
        for name in &self.names {
            let known = COLUMNS.iter().find(|own| own.eq_ignore_ascii_case(name));
            if let Some(known) = known.filter(|known| *known != name) {
                let what = format!("the column `{name}` must be named `{known}`");
                return Err(self.fault(self.head, &what));
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// The place of a column; an error where there is none, and where two have its name.
    fn place(&self, name: &str) -> Result<usize, Failure> {
        let mut places = (0..self.names.len()).filter(|place| self.names[*place] == name);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (Some(_), Some(_)) => {
                let what = format!("two columns are named `{name}`; keep the one that is meant");
                Err(self.fault(self.head, &what))
            }
            (None, _) => {
                let names = self.names.join(", ");
                Err(Failure::usage(format!(
                    "{} has no column `{name}`; its first line names {names}",
                    self.path
                )))
            }
        }
    }

    fn number(&self, line: usize, cells: &[String], column: usize) -> Result<f64, Failure> {
        let cell = &cells[column];
        let name = &self.names[column];
        let value = cell.parse::<f64>().map_err(|_| {
            let what = format!("`{name}` must be a number, found {cell:?}");
            self.fault(line, &what)
        })?;
        if !value.is_finite() {
            let what =
                format!("`{name}` is {cell}; leave out the line of a point that was not seen");
            return Err(self.fault(line, &what));
        }
        Ok(value)
    }

    /// Refuses a target that is not flat: a column `Z_mm` that is not zero, or one of depths in another unit.
    fn check_flat(&self) -> Result<(), Failure> {
        let depths: Vec<&String> = self.names.iter().filter(|name| is_depth(name)).collect();
        let Some(name) = depths.first() else {
            return Ok(());
        };
        if let Some(other) = depths.iter().find(|name| **name != DEPTH) {
            let what = format!(
                "the column `{other}` must be named `{DEPTH}`, with 0 at every point of the flat target; leave it out \
                 if it is no depth"
            );
            return Err(self.fault(self.head, &what));
        }
        let z = self.place(name)?;
        for (number, cells) in &self.rows {
            let value = self.number(*number, cells, z)?;
            if value != 0.0 {
                let what =
                    format!("`{DEPTH}` is {value}; the target must be flat, with 0 at every point");
                return Err(self.fault(*number, &what));
            }
        }
        Ok(())
    }

    fn fault(&self, line: usize, what: &str) -> Failure {
        Failure::usage(format!("{}, line {line}: {what}", self.path))
    }
}

/// Columns that are read, but for [`DEPTH`].
const COLUMNS: [&str; 7] = ["image", "point", "camera", "x_px", "y_px", "X_mm", "Y_mm"];
/// The column of depths.
const DEPTH: &str = "Z_mm";

/// Whether a column of that name holds depths, in whatever unit: `Z`, `z_mm`, `Z [m]`.
fn is_depth(name: &str) -> bool {
    let rest = name.strip_prefix(['Z', 'z']);
    rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}
