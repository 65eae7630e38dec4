//! What `retrial dic` says of a series: a row an image, and the last words on the terminal.

use retrial_dic::{Field, Status};
use retrial_store::csv::Table;
use retrial_store::{Quantity, StoreError};

use super::columns::numbers;
use super::frames::Frames;
use crate::cli::{DicArgs, FieldFormat};
use crate::command::count;

/// One row an image.
#[derive(Default)]
pub(super) struct Summary {
    rows: Vec<Row>,
}

struct Row {
    number: usize,
    name: String,
    statuses: [usize; Status::ALL.len()],
    ranges: Vec<Range>,
    median_zncc: f64,
}

/// Converged values of one column.
struct Range {
    name: &'static str,
    unit: &'static str,
    mean: f64,
    low: f64,
    high: f64,
}

/// The columns whose range is told, where they are there.
const RANGES: [&str; 7] = ["u", "v", "u_mm", "v_mm", "exx", "eyy", "exy"];

/// The columns whose median is told as noise, where they are there.
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
            median_zncc: median(converged.map(|p| p.zncc).collect()),
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
            let name = range.name;
            table = table.with(&format!("mean_{name}"), cells(|r| r.mean))?;
            table = table.with(&format!("min_{name}"), cells(|r| r.low))?;
            table = table.with(&format!("max_{name}"), cells(|r| r.high))?;
        }
        Ok(table)
    }

    /// Whether any point of any image converged.
    pub(super) fn any_converged(&self) -> bool {
        self.rows.iter().any(|row| row.statuses[0] > 0)
    }

    /// The last words: points by status, and where the files are.
    pub(super) fn print(&self, args: &DicArgs) {
        let totals = Status::ALL.iter().enumerate().filter_map(|(i, status)| {
            let total: usize = self.rows.iter().map(|row| row.statuses[i]).sum();
            (total > 0).then(|| format!("{} {total}", status.name()))
        });
        let totals: Vec<String> = totals.collect();
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

impl Row {
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
            if NOISE.contains(&range.name) {
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
            .filter(|range| NOISE.contains(&range.name))
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
        name: column.name,
        unit: column.unit,
        mean: finite().sum::<f64>() / n,
        low,
        high,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
