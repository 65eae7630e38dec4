//! Tables in CSV, with every digit, for other programs.

use retrial_core::exact::exact;

use super::Table;
use crate::csv_text::csv_text;

impl Table {
    /// Params, then mean, standard deviation, 95 % interval and n of every metric.
    pub(crate) fn csv(&self) -> Vec<u8> {
        let mut heads: Vec<String> = self.rows.iter().map(|(name, _)| name.clone()).collect();
        for value in &self.values {
            for part in ["mean", "sd", "ci95_low", "ci95_high", "n"] {
                heads.push(format!("{}_{part}", value.name));
            }
        }
        // Where planned trials are missing, no program should take the rest for all.
        let missing = self.lines.iter().any(|line| line.planned.is_some());
        if missing {
            heads.extend(["trials", "planned"].map(str::to_owned));
        }
        let mut lines = vec![heads];
        for line in &self.lines {
            let mut cells = line.key.clone();
            for cell in &line.cells {
                match cell {
                    Some(s) => {
                        let numbers = [s.mean, s.sd, s.ci95.0, s.ci95.1];
                        cells.extend(numbers.map(number));
                        cells.push(s.n.to_string());
                    }
                    None => cells.extend(["", "", "", "", "0"].map(str::to_owned)),
                }
            }
            if missing {
                cells.push(line.trials.to_string());
                cells.push(line.planned.unwrap_or(line.trials).to_string());
            }
            lines.push(cells);
        }
        csv_text(&lines).into_bytes()
    }
}

/// Every digit of a number; empty where there is none.
fn number(value: f64) -> String {
    match value.is_finite() {
        true => exact(value),
        false => String::new(),
    }
}
