//! Rules for tests that need more than a machine with Rust has.

use crate::repository::{Fault, Repository};
use crate::sources::without_tests;

/// The reason of the tests that the recipe `test` takes in where the mirror is.
const MIRROR: &str = "needs RETRIAL_MIRROR";

/// The recipe leaves tests with such a name out, with the mirror or without.
const LEFT_OUT: &[&str] = &["with_python", "with_registry"];

/// A test that cannot run says why; the recipe can tell what it needs.
#[must_use]
pub fn reasons(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in repository.sources() {
        let mut lines = (1..).zip(text.lines().map(str::trim));
        while let Some((number, line)) = lines.next() {
            let Some(rest) = line.strip_prefix("#[ignore") else {
                continue;
            };
            let reason = rest.strip_prefix(" = \"").unwrap_or_default();
            let reason = reason.trim_end_matches("\"]");
            let function = lines.find(|(_, line)| line.contains("fn "));
            let function = function.map_or("", |(_, line)| line);
            let mut fault = |what: &str| {
                faults.push(Fault::new(path, format!("line {number} {what}")));
            };
            if !reason.starts_with("needs ") {
                fault("ignores a test and does not say what it needs");
            } else if reason != MIRROR && !LEFT_OUT.iter().any(|word| function.contains(word)) {
                fault("ignores a test whose name has neither `with_python` nor `with_registry`");
            }
        }
    }
    faults
}

/// No test passes without having run: none returns early or says that it was skipped.
#[must_use]
pub fn early_ends(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in repository.sources() {
        let is_test = path.starts_with("tests/") || path.contains("/tests/");
        let code = if is_test { "" } else { without_tests(text) };
        let before = code.lines().count();
        // The line that ends the test function at hand.
        let mut end: Option<String> = None;
        let mut previous = "";
        for (number, line) in (before + 1..).zip(text[code.len()..].lines()) {
            let words = line.trim();
            if words == "#[test]" {
                end = Some(line.replace("#[test]", "}"));
            } else if end.as_deref() == Some(line) {
                end = None;
            }
            let returns = ["{ return };", "=> return,"];
            let returns = words == "return;" || returns.iter().any(|own| words.ends_with(own));
            let is_else = previous.ends_with("else {") || words.contains(" else {");
            if returns && (end.is_some() || is_else) {
                faults.push(Fault::new(path, format!("line {number} ends a test early")));
            }
            // In two parts, so that this file keeps its own rule.
            if words.contains(concat!("SKIP", "PED")) {
                let what = format!("line {number} skips a test; ignore it with a reason");
                faults.push(Fault::new(path, what));
            }
            previous = words;
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Repository {
        Repository::of(&[(path, text)])
    }

    #[test]
    fn a_reason_that_is_missing_or_that_the_recipe_cannot_tell() {
        let check = |text: &str| reasons(&one("tests/it/a.rs", text));
        for bad in [
            "#[test]\n#[ignore]\nfn a() {}",
            "#[test]\n#[ignore = \"slow\"]\nfn a() {}",
            "#[test]\n#[ignore = \"needs python3\"]\nfn a() {}\nfn b_with_python() {}",
            "    #[ignore = \"needs npm\"]\n    #[test]\n    fn npm() {}",
        ] {
            assert_eq!(check(bad).len(), 1, "{bad}");
        }
        for good in [
            "#[test]\nfn a() {}",
            "#[test]\n#[ignore = \"needs RETRIAL_MIRROR\"]\nfn a() {}",
            "#[test]\n#[ignore = \"needs python3\"]\nfn a_with_python() {}",
            "    #[test]\n    #[ignore = \"needs npm\"]\n    fn a_with_registry() {}",
        ] {
            assert_eq!(check(good), [], "{good}");
        }
    }

    #[test]
    fn a_test_that_may_pass_without_running() {
        let module = |body: &str| format!("//! A.\n#[cfg(test)]\nmod tests {{\n{body}}}\n");
        let test = |body: &str| module(&format!("    #[test]\n    fn a() {{\n{body}    }}\n"));
        for bad in [
            test("        let Some(a) = b() else { return };\n"),
            test("        let Some(a) = b() else {\n            return;\n        };\n"),
            test("        if a {\n            return;\n        }\n"),
            test("        match a {\n            None => return,\n        }\n"),
            module("    fn check() {\n        let Some(a) = b() else {\n            return;\n"),
            module(concat!("    println!(\"SKIP", "PED: a\");\n")),
        ] {
            for path in ["src/a.rs", "tests/it/a.rs", "crates/a/tests/it/a.rs"] {
                assert_eq!(early_ends(&one(path, &bad)).len(), 1, "{path}: {bad}");
            }
        }
        for good in [
            "fn a() {\n    let Some(a) = b() else {\n        return;\n    };\n}\n".to_owned(),
            module("    fn wait() {\n        if a {\n            return;\n        }\n    }\n"),
            test("        let a = || return 1;\n"),
        ] {
            assert_eq!(early_ends(&one("src/a.rs", &good)), [], "{good}");
        }
    }
}
