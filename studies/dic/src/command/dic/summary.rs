//! What `retrial dic` says of a series: a row an image, and the last words on the terminal.

use retrial_core::census::count;
use retrial_core::statistics::upper_median;
use retrial_dic::{Field, Status};
use retrial_runner::{eprintln, say};
use retrial_store::csv::Table;
use retrial_store::{Quantity, StoreError};
use serde::{Deserialize, Serialize};

use super::columns::numbers;
use super::frames::Frames;
use crate::cli::{DicArgs, FieldFormat};

/// One row an image.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Summary {
    rows: Vec<Row>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Row {
    number: usize,
    name: String,
    statuses: [usize; Status::ALL.len()],
    ranges: Vec<Range>,
    #[serde(with = "retrial_dic::float")]
    median_zncc: f64,
}

/// Converged values of one column.
#[derive(Clone, Serialize, Deserialize)]
struct Range {
    name: String,
    unit: String,
    #[serde(with = "retrial_dic::float")]
    mean: f64,
    #[serde(with = "retrial_dic::float")]
    low: f64,
    #[serde(with = "retrial_dic::float")]
    high: f64,
}

/// The columns whose range is given, where they are there.
const RANGES: [&str; 7] = ["u", "v", "u_mm", "v_mm", "exx", "eyy", "exy"];

/// The columns whose median is given as noise, where they are there.
pub(super) const NOISE: [&str; 2] = ["u_std", "v_std"];

impl Summary {
    /// Adds an image and says a line about it.
    pub(super) fn add(
        &mut self,
        frames: &Frames,
        index: usize,
        field: &Field,
        columns: &[Quantity],
    ) {
        let statuses = Status::ALL.map(|status| field.count(status));
        let converged = field
            .points
            .iter()
            .filter(|p| p.status == Status::Converged);
        let ranges: Vec<Range> = RANGES
            .iter()
            .chain(&NOISE)
            .filter_map(|name| range(columns, name))
            .collect();
        let row = Row {
            number: index + 1,
            name: frames.list[index].name.clone(),
            statuses,
            ranges,
            median_zncc: upper_median(converged.map(|p| p.zncc).collect()).unwrap_or(f64::NAN),
        };
        let (number, of) = (index + 1, frames.list.len());
        say!("[{number}/{of}] {}", row.line(field.points.len()));
        self.rows.push(row);
    }

    /// The table `summary.csv`.
    pub(super) fn table(&self) -> Result<Table, StoreError> {
        let numbers = self.rows.iter().map(|row| i64::try_from(row.number));
        let numbers: Vec<i64> = numbers.map(|n| n.unwrap_or(i64::MAX)).collect();
        let names: Vec<String> = self.rows.iter().map(|row| row.name.clone()).collect();
        let mut table = Table::new().with("image", numbers)?.with("name", names)?;
        for (i, status) in Status::ALL.iter().enumerate() {
            let counts = self.rows.iter().map(|row| row.statuses[i]);
            let counts: Vec<i64> = counts
                .map(|n| i64::try_from(n).unwrap_or(i64::MAX))
                .collect();
            table = table.with(status.name(), counts)?;
        }
        let zncc: Vec<f64> = self.rows.iter().map(|row| row.median_zncc).collect();
        table = table.with("median_zncc", zncc)?;
        let names = self.rows.first().map_or(&[][..], |row| &row.ranges);
        for (i, range) in names.iter().enumerate() {
            let cells = |value: fn(&Range) -> f64| -> Vec<f64> {
                self.rows.iter().map(|row| value(&row.ranges[i])).collect()
            };
            let name = &range.name;
            table = table.with(&format!("mean_{name}"), cells(|r| r.mean))?;
            table = table.with(&format!("min_{name}"), cells(|r| r.low))?;
            table = table.with(&format!("max_{name}"), cells(|r| r.high))?;
        }
        Ok(table)
    }

    /// The points of all images by their status; none of a status that no point has.
    pub(super) fn statuses(&self) -> Vec<(Status, usize)> {
        let totals = Status::ALL.iter().enumerate().map(|(i, status)| {
            let total: usize = self.rows.iter().map(|row| row.statuses[i]).sum();
            (*status, total)
        });
        totals.filter(|(_, total)| *total > 0).collect()
    }

    /// Says where so few points were found that some of them may be found by chance.
    fn warn_of_chance(&self) {
        let doubtful = self.rows.iter().filter_map(Row::found_by_chance);
        let doubtful: Vec<_> = doubtful.collect();
        let worst = doubtful.iter().min_by(|a, b| a.share.total_cmp(&b.share));
        let Some(worst) = worst else {
            return;
        };
        let others = match doubtful.len() {
            1 => String::new(),
            n => format!(", the least of {n} pictures"),
        };
        eprintln!(
            "warning: {}: {} of {} that could be found were{others}; of so few some may be found by chance: compare \
             the images, or try a larger --subset",
            worst.name,
            worst.found,
            count(worst.sought, "point"),
        );
    }

    /// The last words: points by status, and where the files are.
    pub(super) fn print(&self, args: &DicArgs) {
        self.warn_of_chance();
        let totals = self.statuses().into_iter();
        let totals: Vec<String> = totals
            .map(|(status, total)| format!("{} {total}", status.name()))
            .collect();
        say!("points: {}", totals.join(", "));
        let formats: Vec<&str> = args.format.iter().map(|format| format.word()).collect();
        say!(
            "{} as {} in {}; summary.csv and run.yaml say what they hold",
            count(self.rows.len(), "field"),
            formats.join(", "),
            args.out.display()
        );
        if args.points.is_some() && args.format.contains(&FieldFormat::Png) {
            say!("chosen points are no grid: no pictures were drawn");
        }
    }
}

/// A picture in which few of the points were found.
struct Chance<'r> {
    name: &'r str,
    found: usize,
    /// Points that neither mask, border nor a flat subset rules out.
    sought: usize,
    share: f64,
}

/// With a smaller share of points found, a picture may show another pattern.
const FEW: f64 = 0.25;

impl Row {
    fn found_by_chance(&self) -> Option<Chance<'_>> {
        let number = |wanted: &[Status]| -> usize {
            let all = Status::ALL.iter().zip(&self.statuses);
            all.filter(|(status, _)| wanted.contains(status))
                .map(|(_, number)| number)
                .sum()
        };
        let found = number(&[Status::Converged]);
        let sought = found
            + number(&[
                Status::LowCorrelation,
                Status::Diverged,
                Status::IterationLimit,
            ]);
        let share = found as f64 / sought as f64;
        (found > 0 && share < FEW).then(|| Chance {
            name: &self.name,
            found,
            sought,
            share,
        })
    }

    fn line(&self, points: usize) -> String {
        let mut line = format!(
            "{}: {} of {} converged",
            self.name,
            self.statuses[0],
            count(points, "point")
        );
        if self.statuses[0] == 0 {
            return line;
        }
        for range in &self.ranges {
            if NOISE.contains(&range.name.as_str()) {
                continue;
            }
            let Range {
                name,
                unit,
                low,
                high,
                ..
            } = range;
            let space = if unit.is_empty() { "" } else { " " };
            line.push_str(&format!(", {name} {low:.4} to {high:.4}{space}{unit}"));
        }
        let noise: Vec<String> = self
            .ranges
            .iter()
            .filter(|range| NOISE.contains(&range.name.as_str()))
            .map(|range| format!("{:.4}", range.mean))
            .collect();
        if !noise.is_empty() {
            line.push_str(&format!(", uncertainty {} px", noise.join(" and ")));
        }
        line
    }
}

fn range(columns: &[Quantity], name: &str) -> Option<Range> {
    let column = columns.iter().find(|column| column.name == name)?;
    let values = numbers(columns, name)?;
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let n = finite().count() as f64;
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in finite() {
        low = low.min(value);
        high = high.max(value);
    }
    if n == 0.0 {
        (low, high) = (f64::NAN, f64::NAN);
    }
    Some(Range {
        name: column.name.to_owned(),
        unit: column.unit.to_owned(),
        mean: finite().sum::<f64>() / n,
        low,
        high,
    })
}
