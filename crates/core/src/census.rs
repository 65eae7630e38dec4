//! What of a data set a trial uses, what it leaves out and why: lines for people.

use serde::{Deserialize, Serialize};

/// Most lines of one kind; further ones are counted.
const MOST: usize = 20;

/// `3 trials`, `1 trial`, `2 classes`.
#[must_use]
pub fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number if one.ends_with('s') => format!("{number} {one}es"),
        number => format!("{number} {one}s"),
    }
}

/// Facts and warnings about data, one sentence a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Census {
    /// What is there and what is used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// What was repaired, left out or looks wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Census {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.warnings.is_empty()
    }

    /// One more fact.
    pub fn fact(&mut self, line: impl Into<String>) {
        self.facts.push(line.into());
    }

    /// One more warning.
    pub fn warn(&mut self, line: impl Into<String>) {
        self.warnings.push(line.into());
    }

    /// The first warnings of one kind, each as a line, and how many more there are.
    pub fn warn_all<L: ToString>(&mut self, lines: &[L], kind: &str) {
        let shown = lines.iter().take(MOST);
        self.warnings.extend(shown.map(ToString::to_string));
        if lines.len() > MOST {
            self.warn(format!("… and {} more {kind}", lines.len() - MOST));
        }
    }

    /// The lines of another census behind one's own, each after the name of its data set.
    pub fn extend(&mut self, name: &str, other: Self) {
        let named = |line: String| format!("{name}: {line}");
        self.facts.extend(other.facts.into_iter().map(named));
        self.warnings.extend(other.warnings.into_iter().map(named));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_several() {
        let said = [count(0, "item"), count(1, "class"), count(2, "class")];
        assert_eq!(said, ["0 items", "1 class", "2 classes"]);
    }

    #[test]
    fn many_lines_are_counted_and_a_name_stands_before_each() {
        let mut census = Census::default();
        assert!(census.is_empty());
        census.fact("two pictures");
        census.warn_all(&["odd"; MOST + 3], "objects");
        assert_eq!(census.warnings.len(), MOST + 1);
        assert_eq!(census.warnings[MOST], "… and 3 more objects");
        let mut all = Census::default();
        all.extend("own", census);
        assert_eq!(all.facts, ["own: two pictures"]);
        assert_eq!(all.warnings[0], "own: odd");
    }
}
