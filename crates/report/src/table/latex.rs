//! Tables in LaTeX, set with booktabs.

use retrial_core::metric::Direction;
use retrial_core::statistics::Summary;

use super::{Line, Table, ValueColumn};
use crate::number::MINUS;

impl Table {
    /// A `table` environment; it needs the packages `booktabs` and an input encoding of UTF-8.
    pub(crate) fn latex(&self, label: &str) -> String {
        let mut columns = "l".repeat(self.rows.len());
        columns.push_str(&"r".repeat(self.values.len() + usize::from(self.repeated)));
        let mut heads: Vec<String> = self.rows.iter().map(|(_, label)| escape(label)).collect();
        heads.extend(self.values.iter().map(|value| {
            let arrow = match value.direction {
                Direction::Higher => r" $\uparrow$",
                Direction::Lower => r" $\downarrow$",
                Direction::Zero => r" $\to 0$",
                Direction::None => "",
            };
            format!("{}{arrow}", escape(&value.label))
        }));
        if self.repeated {
            heads.push("$n$".to_owned());
        }
        let mut caption = escape(&self.title);
        if let Some(legend) = self.legend() {
            caption.push_str(". ");
            caption.push_str(&escape(&legend));
        }
        let mut text =
            String::from("% Needs \\usepackage{booktabs}.\n\\begin{table}\n  \\centering\n");
        text.push_str(&format!("  \\caption{{{caption}}}\n"));
        text.push_str(&format!("  \\label{{tab:{label}}}\n"));
        text.push_str(&format!(
            "  \\begin{{tabular}}{{{columns}}}\n    \\toprule\n"
        ));
        text.push_str(&format!("    {} \\\\\n    \\midrule\n", heads.join(" & ")));
        for line in &self.lines {
            let mut cells: Vec<String> = line.key.iter().map(|key| escape(key)).collect();
            let values = self.values.iter().zip(&line.cells);
            cells.extend(values.map(|(value, cell)| cell_latex(value, line, cell.as_ref())));
            if self.repeated {
                cells.push(line.count());
            }
            let row = cells.join(" & ");
            // A bracket at the beginning of a row is taken for the argument of the `\\` before it.
            let guard = if row.starts_with(['[', '*']) {
                "{}"
            } else {
                ""
            };
            text.push_str(&format!("    {guard}{row} \\\\\n"));
        }
        text.push_str("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n");
        text
    }
}

fn cell_latex(value: &ValueColumn, line: &Line, cell: Option<&Summary>) -> String {
    let Some(cell) = cell else {
        return "--".to_owned();
    };
    let mut text = math(value.style.mean_sd(cell));
    if let Some(interval) = value.style.interval(cell) {
        text.push(' ');
        text.push_str(&math(interval));
    }
    if cell.n != line.trials {
        text.push_str(&format!(" ($n = {}$)", cell.n));
    }
    text
}

/// Numbers in a formula; each power of ten, of which an interval has several, is its own exponent.
fn math(text: String) -> String {
    let mut formula = String::from("$");
    let mut raised = false;
    for c in text.chars() {
        let power = match c {
            '⁻' => Some('-'),
            '¹' => Some('1'),
            '²' => Some('2'),
            '³' => Some('3'),
            '⁰'..='⁹' => char::from_digit(u32::from(c) - 0x2070, 10),
            _ => None,
        };
        if power.is_some() != raised {
            formula.push_str(if raised { "}" } else { "^{" });
            raised = power.is_some();
        }
        match c {
            _ if power.is_some() => formula.extend(power),
            MINUS => formula.push('-'),
            '±' => formula.push_str(r"\pm"),
            '·' => formula.push_str(r" \cdot "),
            c => formula.push(c),
        }
    }
    formula.push_str(if raised { "}$" } else { "$" });
    formula
}

/// Text that LaTeX shows as it is.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\\' => escaped.push_str(r"\textbackslash{}"),
            '~' => escaped.push_str(r"\textasciitilde{}"),
            '^' => escaped.push_str(r"\textasciicircum{}"),
            '<' => escaped.push_str(r"$<$"),
            '>' => escaped.push_str(r"$>$"),
            '±' => escaped.push_str(r"$\pm$"),
            '≤' => escaped.push_str(r"$\le$"),
            '≥' => escaped.push_str(r"$\ge$"),
            '×' => escaped.push_str(r"$\times$"),
            '→' => escaped.push_str(r"$\to$"),
            'µ' | 'μ' => escaped.push_str(r"$\mu$"),
            'λ' => escaped.push_str(r"$\lambda$"),
            'σ' => escaped.push_str(r"$\sigma$"),
            'Δ' => escaped.push_str(r"$\Delta$"),
            '²' => escaped.push_str(r"\textsuperscript{2}"),
            '³' => escaped.push_str(r"\textsuperscript{3}"),
            '°' => escaped.push_str(r"$^\circ$"),
            '–' => escaped.push_str("--"),
            '“' => escaped.push_str("``"),
            '”' => escaped.push_str("''"),
            MINUS => escaped.push_str("$-$"),
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
