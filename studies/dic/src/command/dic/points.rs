//! Chosen points from a text file.

use std::collections::HashMap;
use std::path::Path;

use retrial_dic::DicError;
use retrial_runner::{Failure, eprintln};

use super::refused;

/// Names of the columns of a point, in small letters.
const NAMES: [&[&str]; 2] = [&["x", "x_px", "column", "col"], &["y", "y_px", "row"]];

/// Chosen points with the place they come from.
pub(super) struct Points {
    path: String,
    /// Columns and rows of the pixels.
    pub(super) places: Vec<(usize, usize)>,
    /// The line of each, from 1.
    lines: Vec<usize>,
}

impl Points {
    /// Reads points, a line each, column and row of a pixel. A line of names says which columns they are, in any
    /// order; without one there are two columns. Lines that begin with `#` are comments. Warns of points that are
    /// there twice.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let (places, lines) = read_points(path)?.into_iter().unzip();
        let points = Self {
            path: path.display().to_string(),
            places,
            lines,
        };
        points.warn_of_doubles();
        Ok(points)
    }

    fn warn_of_doubles(&self) {
        let mut first = HashMap::new();
        let mut doubles = Vec::new();
        for (place, line) in self.places.iter().zip(&self.lines) {
            let before = *first.entry(place).or_insert(line);
            if before != line {
                doubles.push((place, before, line));
            }
        }
        if let Some(((x, y), before, line)) = doubles.first() {
            let (path, number) = (&self.path, doubles.len());
            eprintln!(
                "warning: {path}, line {line}: the point x {x}, y {y} is given in line {before} already; repeated points: \
                 {number}"
            );
        }
    }

    /// The error with the line of the point it speaks of.
    pub(super) fn refused(&self, error: DicError) -> Failure {
        let line = match error {
            DicError::PointOutside { x, y, .. } => {
                let place = self.places.iter().position(|place| *place == (x, y));
                place.map(|place| self.lines[place])
            }
            _ => None,
        };
        match line {
            Some(line) => Failure::usage(format!("{}, line {line}: {error}", self.path)),
            None => refused(error),
        }
    }
}

/// A point and the line that gives it.
type GivenPoint = ((usize, usize), usize);

fn read_points(path: &Path) -> Result<Vec<GivenPoint>, Failure> {
    let text = retrial_core::file::text(path, retrial_core::file::LARGEST)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut points = Vec::new();
    let mut places: Option<([usize; 2], usize)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |what: String| {
            let path = path.display();
            Failure::usage(format!("{path}, line {number}: {what}"))
        };
        let cells = cells(line);
        let Some((at, width)) = places else {
            let is_names = cells.iter().all(|cell| cell.parse::<f64>().is_err());
            let named = named(&cells).map_err(fault)?;
            if is_names && !line.contains(|c: char| c.is_ascii_digit()) || named.is_some() {
                let at = named.ok_or_else(|| {
                    fault(format!(
                        "the names are {}; a column `x` and a column `y` are needed",
                        cells.join(", ")
                    ))
                })?;
                places = Some((at, cells.len()));
                continue;
            }
            if cells.len() != 2 {
                return Err(fault(format!(
                    "expected column and row, found {} values in {line:?}; with more columns the first line must \
                     name `x` and `y`",
                    cells.len()
                )));
            }
            places = Some(([0, 1], 2));
            points.push((point(&cells, [0, 1]).map_err(fault)?, number));
            continue;
        };
        if cells.len() != width {
            // 50,0,60,0 in place of 50.0,60.0.
            let hint = match cells.len() == 2 * width && line.contains(',') {
                true => "; numbers are written with a point: 50.0",
                false => "",
            };
            return Err(fault(format!(
                "expected {width} values as in the first line, found {} in {line:?}{hint}",
                cells.len()
            )));
        }
        points.push((point(&cells, at).map_err(fault)?, number));
    }
    if points.is_empty() {
        let path = path.display();
        return Err(Failure::usage(format!("{path}: no point is given")));
    }
    Ok(points)
}

/// The cells of a line: a semicolon, a comma, a tab or blanks divide them, in this order.
fn cells(line: &str) -> Vec<&str> {
    let divide = |sign: char| {
        line.split(sign)
            .map(|cell| cell.trim().trim_matches('"'))
            .collect()
    };
    match [';', ',', '\t']
        .into_iter()
        .find(|sign| line.contains(*sign))
    {
        Some(sign) => divide(sign),
        None => line.split_whitespace().collect(),
    }
}

/// The places of the columns `x` and `y`; an error where several columns have such a name.
fn named(cells: &[&str]) -> Result<Option<[usize; 2]>, String> {
    let place = |names: &[&str]| {
        let is_one = |cell: &str| names.contains(&cell.to_lowercase().as_str());
        let mut found = (0..cells.len()).filter(|i| is_one(cells[*i]));
        match (found.next(), found.next()) {
            (Some(a), Some(b)) => Err(format!(
                "the columns `{}` and `{}` may both be meant; keep one column for x and one for y",
                cells[a], cells[b]
            )),
            (first, _) => Ok(first),
        }
    };
    let (x, y) = (place(NAMES[0])?, place(NAMES[1])?);
    Ok(x.zip(y).map(|(x, y)| [x, y]))
}

fn point(cells: &[&str], at: [usize; 2]) -> Result<(usize, usize), String> {
    let [x, y] = at.map(|at| whole(cells[at]));
    Ok((x?, y?))
}

/// A whole pixel, which may be written as 50, 50.0 or 5e1.
fn whole(cell: &str) -> Result<usize, String> {
    if cell.contains(',') {
        return Err(format!(
            "{cell:?} has a comma; a number is written with a point: 50.0"
        ));
    }
    let value: f64 = cell
        .parse()
        .map_err(|_| format!("expected column and row as whole pixels, found {cell:?}"))?;
    if (0.0..=1e9).contains(&value) && value.fract() == 0.0 {
        Ok(value as usize)
    } else {
        Err(format!(
            "expected column and row as whole pixels, from 0, found {cell:?}"
        ))
    }
}
