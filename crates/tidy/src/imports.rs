//! Rules for what a source file may use of the language's library and of its neighbours.

use crate::repository::{Fault, Repository};
use crate::sources::{has_word, without_tests};

/// Crates whose functions get arguments and give values.
const PURE: &[&str] = &[
    "crates/classical/src/",
    "crates/detect/src/",
    "crates/dic/src/",
    "crates/image/src/",
    "crates/instances/src/",
    "crates/kernels/src/",
    "crates/nets/src/",
    "crates/seed/src/",
    "crates/similarity/src/",
];

/// Modules of `std` that reach outside.
const OUTSIDE: &[&str] = &["fs", "env", "time", "net", "process"];

const PRINTING: &[&str] = &["println!", "print!", "eprintln!", "eprint!"];

/// Algorithms touch no file, clock, environment or terminal, their tests aside.
#[must_use]
pub fn pure_algorithms(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in repository.sources() {
        if !PURE.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let code = code(without_tests(text));
        let modules = OUTSIDE
            .iter()
            .filter(|module| imports(&code, "std", module));
        let printing = PRINTING.iter().filter(|call| has_word(&code, call));
        for what in modules.chain(printing) {
            faults.push(Fault::new(path, format!("uses `{what}`")));
        }
    }
    faults
}

/// Calls that look a param, a metric or a column up by a text.
const BY_TEXT: &[&str] = &[".get(\"", ".set(\"", ".metric(\"", ".with(\"", ".table(\""];

/// No study looks up by a text what it declares; its tests and commands may.
#[must_use]
pub fn declared_items(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in repository.sources() {
        if !path.starts_with("studies/") || path.contains("/command/") {
            continue;
        }
        let code = code(without_tests(text));
        let calls = BY_TEXT.iter().filter(|call| code.contains(**call));
        for call in calls {
            let what = format!("calls `{call}…\")`; name the item that `declare` made");
            faults.push(Fault::new(path, what));
        }
    }
    faults
}

/// The text without comment lines.
pub(crate) fn code(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n")
}

/// Whether `parent::child` is named, also in a list such as `parent::{a, child}`.
pub(crate) fn imports(code: &str, parent: &str, child: &str) -> bool {
    let lead = format!("{parent}::");
    code.match_indices(&lead).any(|(start, _)| {
        let rest = &code[start + lead.len()..];
        let listed = rest
            .strip_prefix('{')
            .and_then(|list| list.split(';').next())
            .is_some_and(|list| first_names(list).any(|name| name == child));
        listed || identifier(rest) == child
    })
}

/// The first name of each entry of a list: `a` and `b` of `a::{x, y}, b::c}`.
fn first_names(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    list.split_inclusive([',', '{', '}'])
        .filter_map(move |part| {
            let at_top = depth == 0;
            match part.chars().next_back() {
                Some('{') => depth += 1,
                Some('}') => depth -= 1,
                _ => {}
            }
            at_top.then(|| identifier(part.trim_start()))
        })
}

fn identifier(text: &str) -> &str {
    &text[..identifier_end(text)]
}

/// Where the identifier ends with which a text begins.
#[must_use]
pub fn identifier_end(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_that_looks_outside() {
        let check = |text: &str| pure_algorithms(&Repository::of(&[("crates/dic/src/a.rs", text)]));
        for bad in [
            "use std::fs;",
            "use std::{fmt, env::var};",
            "use std::{\n    collections::{BTreeMap, BTreeSet},\n    time::Instant,\n};",
            "let now = std::time::Instant::now();",
            "    println!(\"{x}\");",
            "eprintln!(\"{x}\");",
        ] {
            assert_eq!(check(bad).len(), 1, "{bad}");
        }
        for good in [
            "// std::fs would be wrong here, and println! too",
            "use std::fmt;\nuse std::{f64::consts::PI, iter};",
            "use std::{fmt::{self, time}};",
            "#[cfg(test)]\nmod tests {\n    println!(\"a\");\n}\n",
        ] {
            assert_eq!(check(good), [], "{good}");
        }
        let elsewhere = Repository::of(&[("crates/data/src/a.rs", "use std::fs;")]);
        assert_eq!(pure_algorithms(&elsewhere), []);
    }

    #[test]
    fn a_study_that_looks_up_by_a_text() {
        let check = |path: &str, text: &str| declared_items(&Repository::of(&[(path, text)]));
        let study = "studies/dic/src/trial.rs";
        for bad in [
            "let step = params.get(\"step_px\");",
            "context.metric(\"rmse\", 0.1)?;",
            "let table = Table::new().with(\"x\", x)?;",
        ] {
            assert_eq!(check(study, bad).len(), 1, "{bad}");
            assert_eq!(
                check("studies/dic/src/command/dic/mod.rs", bad),
                [],
                "{bad}"
            );
        }
        for good in [
            "context.metric(metric::rmse, 0.1)?;",
            "// as params.get(\"step_px\") would",
            "#[cfg(test)]\nmod tests {\n    params.set(\"step_px\", value);\n}\n",
        ] {
            assert_eq!(check(study, good), [], "{good}");
        }
    }
}
