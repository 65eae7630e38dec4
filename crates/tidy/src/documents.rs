//! Rules for what is written for people: README, experiments, data sets.

use std::collections::BTreeSet;

use crate::repository::{Fault, Repository};

/// The README gives the two commands that everyone needs.
#[must_use]
pub fn readme(repository: &Repository) -> Vec<Fault> {
    let Some((path, text)) = repository.texts().find(|(path, _)| *path == "README.md") else {
        return Vec::new();
    };
    ["./justw run", "./justw test"]
        .into_iter()
        .filter(|command| !text.contains(command))
        .map(|command| Fault::new(path, format!("does not give `{command}`")))
        .collect()
}

/// The comments of every experiment say where its numbers come from, what it costs, how to run it.
#[must_use]
pub fn experiments(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in repository.texts() {
        let is_spec = path.ends_with(".yaml") || path.ends_with(".yml");
        let is_experiment = path.starts_with("experiments/") || path.contains("/experiments/");
        if !is_experiment || !is_spec {
            continue;
        }
        let says = |words: &[&str]| {
            text.lines()
                .filter_map(|line| line.trim().strip_prefix('#'))
                .any(|comment| {
                    let comment = comment.trim_start();
                    words.iter().any(|word| comment.starts_with(word))
                })
        };
        for words in [&["Published:", "Source:"][..], &["Cost:"], &["Run:"]] {
            if !says(words) {
                let what = format!("has no comment `# {} …`", words.join("` or `# "));
                faults.push(Fault::new(path, what));
            }
        }
    }
    faults
}

/// Every data set has a manifest and a page about it.
#[must_use]
pub fn datasets(repository: &Repository) -> Vec<Fault> {
    let folders: BTreeSet<&str> = repository
        .files()
        .filter_map(|(path, _)| path.strip_prefix("datasets/")?.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    let mut faults = Vec::new();
    for folder in folders {
        for name in ["manifest.yaml", "README.md"] {
            let path = format!("datasets/{folder}/{name}");
            if repository.get(&path).is_none() {
                faults.push(Fault::new(&path, "is missing"));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_without_a_command() {
        let check = |text: &str| readme(&Repository::of(&[("README.md", text)])).len();
        assert_eq!(check("    ./justw run\n    ./justw test\n"), 0);
        assert_eq!(check("    ./justw run\n"), 1);
        assert_eq!(check(""), 2);
    }

    #[test]
    fn an_experiment_that_states_nothing() {
        let check_at = |path: &str, text: &str| experiments(&Repository::of(&[(path, text)])).len();
        let check = |text: &str| check_at("experiments/dic/bias.yaml", text);
        let full = "# Published: Table 3.\n# Cost: 2 min.\n# Run: just run x\nformat: 1\n";
        assert_eq!(check(full), 0);
        assert_eq!(check(&full.replace("Published", "Source")), 0);
        assert_eq!(check(&full.replace("Cost", "Price")), 1);
        assert_eq!(check(&full.replace("# ", "")), 3);
        assert_eq!(check("format: 1\n"), 3);
        assert_eq!(
            check_at("examples/a/experiments/b/c.yaml", "format: 1\n"),
            3
        );
        assert_eq!(
            check_at("results/dic/bias/experiment.yaml", "format: 1\n"),
            0
        );
    }

    #[test]
    fn a_data_set_without_a_page() {
        let files = [
            ("datasets/mnist/manifest.yaml", ""),
            ("datasets/README.md", ""),
        ];
        let faults = datasets(&Repository::of(&files));
        assert_eq!(
            faults,
            [Fault::new("datasets/mnist/README.md", "is missing")]
        );
    }
}
