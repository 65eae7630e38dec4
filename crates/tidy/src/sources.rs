//! Rules for one Rust file at a time.

use crate::repository::{Fault, Repository};

/// Code lines that a file may have, tests aside.
const LONGEST: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "misc", "stuff",
];

/// Every file starts with `//!`: what it is, and what it is not.
#[must_use]
pub fn opening_paragraph(repository: &Repository) -> Vec<Fault> {
    repository
        .sources()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| Fault::new(path, "does not start with a `//!` paragraph"))
        .collect()
}

/// No file has more than 500 code lines without its tests.
#[must_use]
pub fn length(repository: &Repository) -> Vec<Fault> {
    let lines = |text| {
        without_tests(text)
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count()
    };
    repository
        .sources()
        .map(|(path, text)| (path, lines(text)))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| {
            Fault::new(
                path,
                format!("has {lines} code lines, {LONGEST} are allowed"),
            )
        })
        .collect()
}

/// No debugging output, no unfinished code, no notes to oneself.
#[must_use]
pub fn leftovers(repository: &Repository) -> Vec<Fault> {
    // In two parts, so that this file keeps its own rule.
    let words = [
        concat!("dbg", "!"),
        concat!("todo", "!"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
    ];
    let mut faults = Vec::new();
    for (path, text) in repository.sources() {
        for (number, line) in (1..).zip(text.lines()) {
            for word in words.iter().filter(|word| has_word(line, word)) {
                faults.push(Fault::new(path, format!("line {number} has `{word}`")));
            }
        }
    }
    faults
}

/// No file or folder is named after nothing, such as `utils`.
#[must_use]
pub fn names(repository: &Repository) -> Vec<Fault> {
    let empty = |name: &&str| {
        let stem = name.split('.').next().unwrap_or_default();
        EMPTY_NAMES.contains(&stem.to_lowercase().as_str())
    };
    repository
        .files()
        .filter_map(|(path, _)| Some((path, path.split('/').find(empty)?)))
        .map(|(path, name)| Fault::new(path, format!("`{name}` does not say what is inside")))
        .collect()
}

/// The text before the module of tests; nothing of a file that is one as a whole.
#[must_use]
pub fn without_tests(text: &str) -> &str {
    let mut offset = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if line.trim() == "#![cfg(test)]" {
            return "";
        }
        let opens = |next: &&str| next.contains("mod ") && !next.trim_end().ends_with(';');
        if line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(opens) {
            return &text[..offset];
        }
        offset += line.len();
    }
    text
}

/// Whether `word` stands in `line` with no letter, digit or `_` at its ends.
#[must_use]
pub fn has_word(line: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let open = !word.ends_with(inner);
        !before.is_some_and(inner) && (open || !after.is_some_and(inner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Repository {
        Repository::of(&[(path, text)])
    }

    #[test]
    fn a_file_without_a_paragraph() {
        assert_eq!(opening_paragraph(&one("src/a.rs", "//! A.\n")), []);
        assert_eq!(
            opening_paragraph(&one("src/a.rs", "use a;\n//! A.\n")).len(),
            1
        );
        for path in ["crates/x/src/a.rs", "examples/x/src/a.rs"] {
            assert_eq!(opening_paragraph(&one(path, "")).len(), 1, "{path}");
        }
        assert_eq!(opening_paragraph(&one("notes/a.rs", "use a;")), []);
    }

    #[test]
    fn a_long_file() {
        let code = "let a = 1;\n".repeat(LONGEST);
        let tests = format!("//! A.\n\n{code}#[cfg(test)]\nmod tests {{\n{code}}}\n");
        assert_eq!(length(&one("src/a.rs", &tests)), []);
        let faults = length(&one("src/a.rs", &format!("{code}let a = 1;\n")));
        assert_eq!(
            faults[0].to_string(),
            "src/a.rs: has 501 code lines, 500 are allowed"
        );
        // The declaration of a module elsewhere does not end the code.
        let declared = format!("#[cfg(test)]\nmod tests;\n{code}");
        assert_eq!(length(&one("src/a.rs", &declared)).len(), 1);
    }

    #[test]
    fn leftovers_are_found_as_words() {
        for word in [
            concat!("dbg", "!(x)"),
            concat!("todo", "!()"),
            concat!("// FIX", "ME: x"),
        ] {
            assert_eq!(leftovers(&one("src/a.rs", word)).len(), 1, "{word}");
        }
        assert_eq!(
            leftovers(&one("src/a.rs", concat!("// X", "XX later"))).len(),
            1
        );
        assert_eq!(leftovers(&one("src/a.rs", concat!("\"a.X", "XXXX\""))), []);
    }

    #[test]
    fn empty_names() {
        for path in [
            "src/utils.rs",
            "crates/dic/src/helpers/a.rs",
            "common/a.md",
            "src/misc.rs",
        ] {
            assert_eq!(names(&one(path, "")).len(), 1, "{path}");
        }
        assert_eq!(names(&one("src/commonplace.rs", "")), []);
    }
}
