//! Faults of files that people write: what is wrong, where, and what would be right.
//!
//! A check collects *every* fault of a file instead of stopping at the first, so the unit here is
//! a list of [`Fault`]s, never one error.

use std::fmt;
use std::sync::Arc;

/// A place in a file, as an editor counts it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the person named it, or a command-line flag such as `--set`.
    pub file: Arc<str>,
    /// Line, from 1; 0 for a file whose text is not to be read.
    pub line: usize,
    /// Column, from 1; 0 beside line 0.
    pub column: usize,
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// The key concerned, dotted from the root: `params.step_px`; empty for the whole file.
    pub key: String,
    /// What is wrong, with the value found.
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

/// The faults found so far.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, place: &Place, key: &str, message: impl Into<String>) {
        self.push(place, key, message.into(), None);
    }

    /// Adds a fault together with what would be right.
    pub fn add_with_help(
        &mut self,
        place: &Place,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(place, key, message.into(), Some(help.into()));
    }

    fn push(&mut self, place: &Place, key: &str, message: String, help: Option<String>) {
        self.0.push(Fault {
            place: place.clone(),
            key: key.to_owned(),
            message,
            help,
        });
    }

    /// Adds faults found elsewhere.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.0.extend(faults);
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if nothing is wrong, otherwise every fault in the order of their places.
    ///
    /// # Errors
    /// The faults, when there are any.
    pub fn into_result<T>(mut self, value: Option<T>) -> Result<T, Vec<Fault>> {
        self.0.sort_by(|a, b| a.place.cmp(&b.place));
        self.0.dedup();
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}

/// A name, and what it was called before.
pub type Renamed<'a> = (&'a str, &'a [&'a str]);

/// A name that was never another.
#[must_use]
pub fn never_renamed(name: &str) -> Renamed<'_> {
    (name, &[])
}

/// What to write in place of a word that is not known: the new name of what was called so, the nearest one, or any.
#[must_use]
pub fn instead<'a>(word: &str, known: impl IntoIterator<Item = Renamed<'a>>) -> String {
    let known: Vec<Renamed<'a>> = known.into_iter().collect();
    let renamed = known.iter().filter(|(_, was)| was.contains(&word));
    let new: Vec<String> = renamed.map(|(name, _)| format!("`{name}`")).collect();
    if !new.is_empty() {
        return format!("it is called {} now", new.join(" or "));
    }
    let names = || known.iter().map(|(name, _)| *name);
    match nearest(word, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", names().collect::<Vec<_>>().join(", ")),
    }
}

/// The known word nearest to a mistyped one, if it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements that lead from one word to the other (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_its_neighbour() {
        let known = ["step_px", "prefilter_sigma_px", "order"];
        assert_eq!(nearest("stp_px", known), Some("step_px"));
        assert_eq!(
            nearest("prefilter_sigma", known),
            Some("prefilter_sigma_px")
        );
        assert_eq!(nearest("kappa", known), None);
    }

    #[test]
    fn a_word_of_before_leads_to_its_new_name() {
        let known: [Renamed<'_>; 2] = [("freeze_at", &["frozen_parts", "frozen"]), ("seed", &[])];
        let help = |word| instead(word, known);
        assert_eq!(help("frozen"), "it is called `freeze_at` now");
        assert_eq!(help("seeds"), "did you mean `seed`?");
        assert_eq!(help("kappa"), "known here: freeze_at, seed");
        let divided: [Renamed<'_>; 2] = [
            ("search_restarts", &["restarts"]),
            ("members", &["restarts"]),
        ];
        assert_eq!(
            instead("restarts", divided),
            "it is called `search_restarts` or `members` now"
        );
    }

    #[test]
    fn a_fault_reads_as_one_line() {
        let place = Place {
            file: "a.yaml".into(),
            line: 3,
            column: 7,
        };
        let mut faults = Faults::default();
        faults.add_with_help(&place, "params.order", "3 is not an order", "use 0, 1 or 2");
        let faults = faults.into_result(Some(())).expect_err("one fault");
        assert_eq!(
            faults[0].to_string(),
            "a.yaml:3:7: params.order: 3 is not an order; use 0, 1 or 2"
        );
    }
}
