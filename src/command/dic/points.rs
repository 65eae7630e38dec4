//! Chosen points from a text file.

use std::path::Path;

use crate::failure::Failure;

/// Names of the columns of a point, in small letters.
const NAMES: [&[&str]; 2] = [&["x", "x_px", "column", "col"], &["y", "y_px", "row"]];

/// Chosen points: a line each, column and row of a pixel. A line of names says which columns they are, in any
/// order; without one there are two columns. Lines that begin with `#` are comments.
pub(super) fn read_points(path: &Path) -> Result<Vec<(usize, usize)>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut points: Vec<(usize, usize)> = Vec::new();
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
            if is_names && !line.contains(|c: char| c.is_ascii_digit()) || named(&cells).is_some() {
                let at = named(&cells).ok_or_else(|| {
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
            points.push(point(&cells, [0, 1]).map_err(fault)?);
            continue;
        };
        if cells.len() != width {
            return Err(fault(format!(
                "expected {width} values, found {} in {line:?}; numbers are written with a point: 50.0",
                cells.len()
            )));
        }
        points.push(point(&cells, at).map_err(fault)?);
    }
    if points.is_empty() {
        let path = path.display();
        return Err(Failure::usage(format!("{path} holds no point")));
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

/// The places of the columns `x` and `y`.
fn named(cells: &[&str]) -> Option<[usize; 2]> {
    let place = |names: &[&str]| {
        let is_one = |cell: &&str| names.contains(&cell.to_lowercase().as_str());
        cells.iter().position(is_one)
    };
    Some([place(NAMES[0])?, place(NAMES[1])?])
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
    if value >= 0.0 && value <= 1e9 && value.fract() == 0.0 {
        Ok(value as usize)
    } else {
        Err(format!(
            "expected column and row as whole pixels, from 0, found {cell:?}"
        ))
    }
}
