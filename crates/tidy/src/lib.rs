//! House rules of the repository, as tests: `cargo test -p retrial-tidy` or `just tidy`.
//!
//! A rule is a function from the files of the repository to its faults, so that each is shown to
//! fail on a bad example as well as to hold here. What cannot be a rule is in CONTRIBUTING.md.

pub mod circles;
pub mod documents;
pub mod ignored;
pub mod imports;
pub mod manifests;
pub mod repository;
pub mod sources;
pub mod tracked;

use repository::{Fault, Repository};

/// A rule by name.
pub type Rule = (&'static str, fn(&Repository) -> Vec<Fault>);

/// Every rule. A new one is one function and one line here.
pub const RULES: &[Rule] = &[
    ("files open with a paragraph", sources::opening_paragraph),
    ("files stay short", sources::length),
    ("no leftovers", sources::leftovers),
    ("names say something", sources::names),
    ("crates import downwards", manifests::directions),
    (
        "heavy libraries stay in their crate",
        manifests::heavy_libraries,
    ),
    ("lints are shared", manifests::lints),
    ("libraries can be taken as they are", manifests::libraries),
    ("files stand one above the other", circles::circles),
    ("algorithms do no I/O", imports::pure_algorithms),
    ("studies name what they declare", imports::declared_items),
    ("ignored tests say what they need", ignored::reasons),
    ("no test passes without running", ignored::early_ends),
    ("nothing large or binary", tracked::size_and_kind),
    ("no path of one machine", tracked::machine_paths),
    ("README gives the two commands", documents::readme),
    (
        "experiments state source, cost and command",
        documents::experiments,
    ),
    ("data sets are described", documents::datasets),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_every_rule() {
        let repository = Repository::here();
        assert!(
            repository.get("Cargo.toml").is_some(),
            "the repository was not found"
        );
        let mut broken = String::new();
        for (name, rule) in RULES {
            for fault in rule(&repository) {
                broken += &format!("{name}: {fault}\n");
            }
        }
        assert!(broken.is_empty(), "house rules are broken\n{broken}");
    }

    #[test]
    fn nothing_is_wrong_with_nothing() {
        for (name, rule) in RULES {
            assert_eq!(rule(&Repository::default()), [], "{name}");
        }
    }
}
