//! Tables in Markdown, with columns aligned so that the file reads well as it is.

use super::Table;

impl Table {
    /// The table as GitHub-flavoured Markdown.
    pub(crate) fn markdown(&self) -> String {
        let lines = self.lines.iter().map(|line| {
            let cells = (self.values.iter().zip(&line.cells))
                .map(|(value, cell)| value.cell(line, cell.as_ref()));
            let mut cells: Vec<String> = line.key.iter().cloned().chain(cells).collect();
            if self.repeated {
                cells.push(line.count());
            }
            cells
        });
        aligned(&self.heads(), &lines.collect::<Vec<_>>(), self.rows.len())
    }
}

/// A Markdown table; the first `left` columns are set flush left, the others flush right.
pub(crate) fn aligned(heads: &[String], lines: &[Vec<String>], left: usize) -> String {
    let heads: Vec<String> = heads.iter().map(|head| escape(head)).collect();
    let lines: Vec<Vec<String>> = (lines.iter())
        .map(|line| line.iter().map(|cell| escape(cell)).collect())
        .collect();
    let width = |i: usize| {
        let cells = lines.iter().filter_map(|line| line.get(i));
        let widths = cells.chain([&heads[i]]).map(|cell| cell.chars().count());
        widths.max().unwrap_or(0).max(4)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let row = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate();
        let cells = cells.map(|(i, (cell, &width))| match i < left {
            true => format!("{cell:<width$}"),
            false => format!("{cell:>width$}"),
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rules: Vec<String> = (widths.iter().enumerate())
        .map(|(i, &width)| match i < left {
            true => "-".repeat(width),
            false => format!("{}:", "-".repeat(width - 1)),
        })
        .collect();
    let mut text = row(&heads);
    text.push_str(&format!("| {} |\n", rules.join(" | ")));
    for line in &lines {
        text.push_str(&row(line));
    }
    text
}

/// Text that Markdown shows as it is, within a table cell or a line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let special = match c {
            '|' | '*' | '`' | '\\' | '<' => true,
            // Brackets mean nothing until a parenthesis makes them a link; underscores within a
            // word mean nothing in GitHub-flavoured Markdown and in CommonMark.
            ']' => chars.peek() == Some(&'('),
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(if matches!(c, '\n' | '\r') { ' ' } else { c });
    }
    escaped
}
