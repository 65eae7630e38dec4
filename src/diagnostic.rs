//! Faults of specs and manifests with the line they stand in.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
    Severity,
};
use retrial_core::fault::Fault;
use retrial_core::yaml;

/// Prints every fault with a snippet of its file to standard error.
pub(crate) fn print(faults: &[Fault]) {
    let mut texts: HashMap<Arc<str>, Option<String>> = HashMap::new();
    let theme = if std::io::IsTerminal::is_terminal(&std::io::stderr())
        && std::env::var_os("NO_COLOR").is_none()
    {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100);
    for fault in faults {
        let whole = fault.place.line == 0;
        let text = texts
            .entry(fault.place.file.clone())
            .or_insert_with(|| yaml::read_file(Path::new(&*fault.place.file)).ok())
            .as_deref()
            .filter(|_| !whole);
        let mut out = String::new();
        let report = report(fault, text);
        if handler.render_report(&mut out, report.as_ref()).is_ok() {
            eprint!("{out}");
        } else {
            eprintln!("error: {fault}");
        }
    }
    let count = faults.len();
    eprintln!("{count} fault{}", if count == 1 { "" } else { "s" });
}

fn report(fault: &Fault, text: Option<&str>) -> Report {
    let key = if fault.key.is_empty() {
        String::new()
    } else {
        format!("{}: ", fault.key)
    };
    let message = format!("{}: {key}{}", fault.place, fault.message);
    let mut diagnostic = MietteDiagnostic::new(message).with_severity(Severity::Error);
    if let Some(help) = &fault.help {
        diagnostic = diagnostic.with_help(help.clone());
    }
    let Some(text) = text else {
        return Report::new(diagnostic);
    };
    let start: usize = text
        .split_inclusive('\n')
        .take(fault.place.line.saturating_sub(1))
        .map(str::len)
        .sum();
    let line = text[start..].lines().next().unwrap_or("");
    let column = line
        .char_indices()
        .nth(fault.place.column.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    let marked = (line[column..].chars())
        .take_while(|c| ![',', '}', ']', '#'].contains(c))
        .take(60);
    let length = marked.map(char::len_utf8).sum::<usize>().max(1);
    let label = LabeledSpan::at(start + column..start + column + length, "here");
    Report::new(diagnostic.with_label(label))
        .with_source_code(NamedSource::new(&*fault.place.file, text.to_owned()))
}
