//! Faults of specs and manifests with the line they stand in.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use retrial_core::fault::Fault;
use retrial_core::yaml;

/// Prints every fault with a snippet of its file to standard error.
pub(crate) fn print(faults: &[Fault]) {
    let mut texts: HashMap<Arc<str>, Option<String>> = HashMap::new();
    let is_plain = !std::io::IsTerminal::is_terminal(&std::io::stderr())
        || std::env::var_os("NO_COLOR").is_some();
    let renderer = match is_plain {
        true => Renderer::plain(),
        false => Renderer::styled(),
    };
    for fault in faults {
        let whole = fault.place.line == 0;
        let text = texts
            .entry(fault.place.file.clone())
            .or_insert_with(|| yaml::read_file(Path::new(&*fault.place.file)).ok())
            .as_deref()
            .filter(|_| !whole);
        eprintln!("{}\n", renderer.render(&[group(fault, text)]));
    }
    let count = faults.len();
    eprintln!("{count} fault{}", if count == 1 { "" } else { "s" });
}

/// A fault with the line that it stands in.
fn group<'f>(fault: &'f Fault, text: Option<&'f str>) -> Group<'f> {
    let key = if fault.key.is_empty() {
        String::new()
    } else {
        format!("{}: ", fault.key)
    };
    let title = Level::ERROR.primary_title(format!("{}: {key}{}", fault.place, fault.message));
    let mut group = match text {
        Some(text) => title.element(snippet(fault, text)),
        None => Group::with_title(title),
    };
    if let Some(help) = &fault.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

fn snippet<'f>(fault: &'f Fault, text: &'f str) -> Snippet<'f, Annotation<'f>> {
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
    let from = start + column;
    Snippet::source(text)
        .path(&*fault.place.file)
        .annotation(AnnotationKind::Primary.span(from..(from + length).min(text.len())))
}
