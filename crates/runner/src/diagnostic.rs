//! Faults of specs and manifests with the line they stand in.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use retrial_core::fault::Fault;
use retrial_core::yaml;

/// Most faults that are printed.
const SHOWN: usize = 20;
/// The longest part of a line that is printed, in characters.
const WIDEST: usize = 200;

/// Prints faults with a snippet of their file to standard error, and how many there are.
pub(crate) fn print(faults: &[Fault]) {
    let mut texts: HashMap<Arc<str>, Option<String>> = HashMap::new();
    let is_plain = !std::io::IsTerminal::is_terminal(&std::io::stderr())
        || std::env::var_os("NO_COLOR").is_some();
    let renderer = match is_plain {
        true => Renderer::plain(),
        false => Renderer::styled(),
    };
    for fault in faults.iter().take(SHOWN) {
        let whole = fault.place.line == 0;
        let text = texts
            .entry(fault.place.file.clone())
            .or_insert_with(|| yaml::read_file(Path::new(&*fault.place.file)).ok())
            .as_deref()
            .filter(|_| !whole);
        eprintln!("{}\n", renderer.render(&[group(fault, text)]));
    }
    let count = faults.len();
    let more = match count.saturating_sub(SHOWN) {
        0 => String::new(),
        _ => format!("; the first {SHOWN} are shown"),
    };
    eprintln!("{count} fault{}{more}", if count == 1 { "" } else { "s" });
}

/// A fault with the line that it stands in.
fn group<'f>(fault: &'f Fault, text: Option<&'f str>) -> Group<'f> {
    let key = if fault.key.is_empty() {
        String::new()
    } else {
        format!("{}: ", fault.key)
    };
    let title = Level::ERROR.primary_title(format!("{}: {key}{}", fault.place, fault.message));
    let mut group = match text.and_then(|text| snippet(fault, text)) {
        Some(snippet) => title.element(snippet),
        None => Group::with_title(title),
    };
    if let Some(help) = &fault.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// The line of a fault, cut behind it; nothing where the fault is too far in a long line to be seen.
fn snippet<'f>(fault: &'f Fault, text: &'f str) -> Option<Snippet<'f, Annotation<'f>>> {
    let line = text.lines().nth(fault.place.line.saturating_sub(1))?;
    let mut columns = line.char_indices().map(|(at, _)| at);
    let end = columns.clone().nth(WIDEST).unwrap_or(line.len());
    let column = fault.place.column.saturating_sub(1);
    let from = columns.nth(column).unwrap_or(0);
    if from >= end && !line.is_empty() {
        return None;
    }
    let line = &line[..end];
    let marked = (line[from..].chars())
        .take_while(|c| ![',', '}', ']', '#'].contains(c))
        .take(60);
    let length = marked.map(char::len_utf8).sum::<usize>().max(1);
    let snippet = Snippet::source(line)
        .line_start(fault.place.line)
        .path(&*fault.place.file)
        .annotation(AnnotationKind::Primary.span(from..(from + length).min(line.len())));
    Some(snippet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrial_core::fault::Place;

    #[test]
    fn a_snippet_is_the_line_of_its_fault_and_no_more() {
        let text = format!("a: 1\nbé: [2, x, 3]\nc: {}", "y".repeat(100_000));
        let shown = |line, column| {
            let place = Place {
                file: "f.yaml".into(),
                line,
                column,
            };
            let fault = Fault {
                place,
                key: "k".to_owned(),
                message: "wrong".to_owned(),
                help: None,
            };
            Renderer::plain()
                .render(&[group(&fault, Some(&text))])
                .to_string()
        };
        let second = shown(2, 9);
        assert!(second.contains("--> f.yaml:2:9"), "{second}");
        assert!(second.contains("2 | bé: [2, x, 3]"), "{second}");
        assert!(
            second.contains(&format!("{}^\n", " ".repeat(8))) || second.ends_with('^'),
            "{second}"
        );
        assert!(!second.contains("a: 1") && !second.contains('y'.to_string().repeat(2).as_str()));
        let long = shown(3, 4);
        assert!(
            long.contains("--> f.yaml:3:4") && long.len() < 1000,
            "{}",
            long.len()
        );
        assert_eq!(shown(3, 9000), "error: f.yaml:3:9000: k: wrong");
        assert_eq!(shown(9, 1), "error: f.yaml:9:1: k: wrong");
    }
}
