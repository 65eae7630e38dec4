//! Which rows are trained on, held out and judged, and what is said of that before and after a
//! trial.

use std::collections::{BTreeMap, HashSet};

use retrial_core::census::{Census, count};
use retrial_data::{Content, DigitSet, Digits};
use retrial_detect::threshold::conformal;
use retrial_runner::TrialError;

use super::params::{Evaluation, Judged, Normal, Scoring};

/// The params by which the choice is made.
pub(super) const KEYS: &[&str] = &[
    Normal::normal_digits,
    Judged::anomalous_digits,
    Normal::train_items,
    Judged::validation_items,
    Judged::test_items,
    Judged::evaluation_split,
    Scoring::target_fpr,
];

/// What the choice is made by.
#[derive(Clone, Copy)]
pub(super) struct Rows<'p> {
    pub(super) normal: &'p Normal,
    pub(super) judged: &'p Judged,
    pub(super) target_fpr: f64,
}

/// Chosen rows, each list in the order of its file.
pub(super) struct Choice<'d> {
    pub(super) digits: &'d Digits,
    pub(super) normal: Vec<u8>,
    /// Rows of the training part.
    pub(super) train: Vec<usize>,
    /// Rows of the training part behind them.
    pub(super) validation: Vec<usize>,
    /// The part that judged rows are of.
    pub(super) judged_of: &'d DigitSet,
    pub(super) judged: Vec<usize>,
}

/// Chooses the rows.
pub(super) fn choose<'d>(rows: Rows<'_>, content: &'d Content) -> Result<Choice<'d>, TrialError> {
    let Content::Digits(digits) = content else {
        return Err(TrialError::Other("the data set holds no digits".to_owned()));
    };
    let normal = labels(&rows.normal.normal_digits);
    let anomalous = labels(&rows.judged.anomalous_digits);
    let train_items = rows.normal.train_items;
    let (held_out, test_items) = (rows.judged.validation_items, rows.judged.test_items);
    let wanted = train_items + held_out;
    let mut train = first_rows(&digits.train, 0, wanted, |d| normal.contains(&d));
    if train.len() < wanted {
        return Err(TrialError::Other(format!(
            "train_items {train_items} and validation_items {held_out} ask for {wanted} items of the \
             normal_digits {normal:?}; the training part has {}",
            train.len()
        )));
    }
    let behind = train.last().map_or(0, |row| row + 1);
    let validation = train.split_off(train_items);
    let first = |digit: &u8| train.iter().any(|&row| digits.train.labels[row] == *digit);
    if let Some(digit) = normal.iter().find(|digit| !first(digit)) {
        return Err(TrialError::Other(format!(
            "no item of digit {digit} is among the first {train_items} of the normal_digits \
             {normal:?} (train_items)"
        )));
    }
    let (judged_of, judged, from) = match rows.judged.evaluation_split {
        Evaluation::Test => {
            let judged = |d| normal.contains(&d) || anomalous.contains(&d);
            let rows = first_rows(&digits.test, 0, test_items, judged);
            let digits_of = format!("normal_digits {normal:?} and anomalous_digits {anomalous:?}");
            (
                &digits.test,
                rows,
                format!("the {digits_of}; the test part"),
            )
        }
        Evaluation::Validation => {
            let judged = |d| !anomalous.contains(&d);
            let rows = first_rows(&digits.train, behind, test_items, judged);
            let part = "the training part behind those trained on and held out";
            let others = format!("digits other than the anomalous_digits {anomalous:?}");
            (&digits.train, rows, format!("{others}; {part}"))
        }
    };
    if judged.len() < test_items {
        return Err(TrialError::Other(format!(
            "test_items {test_items} asks for so many items of {from} has {}",
            judged.len()
        )));
    }
    Ok(Choice {
        digits,
        normal,
        train,
        validation,
        judged_of,
        judged,
    })
}

impl Choice<'_> {
    pub(super) fn is_anomalous(&self, label: u8) -> bool {
        !self.normal.contains(&label)
    }

    /// What is there and what is used of it.
    pub(super) fn census(&self, by: Rows<'_>, content: &Content) -> Census {
        let mut census = content.census();
        for (what, set, rows) in [
            ("trained on", &self.digits.train, &self.train),
            ("held out", &self.digits.train, &self.validation),
            ("judged", self.judged_of, &self.judged),
        ] {
            census.fact(format!("{what}: {}", by_label(set, rows)));
        }
        let again = self.judged_again();
        if again > 0 {
            census.warn(format!(
                "judged: {again} of {} {}, to the byte, among those trained on or held out, which flatters",
                count(self.judged.len(), "item"),
                if again == 1 { "stands" } else { "stand" }
            ));
        }
        let rate = by.target_fpr;
        let held_out = vec![0.0; self.validation.len()];
        if let (false, Err(error)) = (held_out.is_empty(), conformal(&held_out, rate)) {
            census.warn(format!(
                "no threshold can be chosen at target_fpr {rate} with validation_items {}: \
                 {error}",
                held_out.len()
            ));
        }
        let labels = self.judged.iter().map(|&row| self.judged_of.labels[row]);
        let anomalous = labels.filter(|&label| self.is_anomalous(label)).count();
        let normal = (Normal::normal_digits, &by.normal.normal_digits);
        let named = (Judged::anomalous_digits, &by.judged.anomalous_digits);
        let ((key, digits), missing) = match anomalous {
            0 if by.judged.evaluation_split == Evaluation::Validation => (normal, "anomalous"),
            0 => (named, "anomalous"),
            all if all == self.judged.len() => (normal, "normal"),
            _ => return census,
        };
        census.warn(format!(
            "judged: none of {} is {missing} ({key} {digits:?}), so there is no AUROC and no \
             average precision, and F1 says nothing",
            count(self.judged.len(), "item")
        ));
        census
    }

    /// How many judged items stand, to the byte, among those trained on or held out.
    fn judged_again(&self) -> usize {
        let learned = self.train.iter().chain(&self.validation);
        let learned: HashSet<_> = learned.map(|&row| self.digits.train.item(row)).collect();
        let judged = self.judged.iter().map(|&row| self.judged_of.item(row));
        judged.filter(|item| learned.contains(item)).count()
    }
}

/// What is said of data before a trial.
pub(super) fn census(rows: Rows<'_>, content: &Content) -> Result<Census, TrialError> {
    Ok(choose(rows, content)?.census(rows, content))
}

/// Digits as the labels of a file.
fn labels(digits: &[usize]) -> Vec<u8> {
    let digits = digits.iter().filter_map(|&digit| u8::try_from(digit).ok());
    digits.collect()
}

/// The first `most` rows from `from` on whose label is wanted.
fn first_rows(set: &DigitSet, from: usize, most: usize, wanted: impl Fn(u8) -> bool) -> Vec<usize> {
    let rows = (from..set.labels.len()).filter(|&row| wanted(set.labels[row]));
    rows.take(most).collect()
}

/// Rows by label.
fn by_label(set: &DigitSet, rows: &[usize]) -> String {
    let mut counts = BTreeMap::<u8, usize>::new();
    for &row in rows {
        *counts.entry(set.labels[row]).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(d, n)| format!("{d} ({n})")).collect();
    let items = count(rows.len(), "item");
    match counts.is_empty() {
        true => items,
        false => format!("{items} of the digits {}", counts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use retrial_core::declare::ParamGroup as _;

    use super::*;

    /// Items of one pixel, each of another grey value.
    fn set(labels: &[u8], first: u8) -> DigitSet {
        DigitSet {
            width: 1,
            height: 1,
            labels: labels.to_vec(),
            pixels: (first..).take(labels.len()).collect(),
        }
    }

    /// The items of a choice of 7 and 8 against 2, at a rate of a half.
    fn params(items: [usize; 3], evaluation: Evaluation) -> (Normal, Judged) {
        let defaults = |table| retrial_core::params::defaults(table);
        let mut normal = Normal::read(&defaults(Normal::TABLE)).expect("defaults");
        let mut judged = Judged::read(&defaults(Judged::TABLE)).expect("defaults");
        normal.train_items = items[0];
        judged.validation_items = items[1];
        judged.test_items = items[2];
        judged.evaluation_split = evaluation;
        (normal, judged)
    }

    fn census_at(
        rate: f64,
        (normal, judged): &(Normal, Judged),
        content: &Content,
    ) -> Result<Census, TrialError> {
        let target_fpr = rate;
        census(
            Rows {
                normal,
                judged,
                target_fpr,
            },
            content,
        )
    }

    fn content(train: &[u8], test: &[u8]) -> Content {
        Content::Digits(Digits {
            train: set(train, 200),
            test: set(test, 100),
            repairs: Vec::new(),
        })
    }

    #[test]
    fn rows_come_in_the_order_of_the_file() {
        let set = set(&[7, 2, 8, 7, 7], 0);
        assert_eq!(first_rows(&set, 0, 2, |d| d == 7), [0, 3]);
        assert_eq!(first_rows(&set, 1, 9, |d| d != 2), [2, 3, 4]);
    }

    #[test]
    fn a_judged_part_of_one_kind_is_said() {
        let warned = |items, evaluation, test: &[u8]| {
            let content = content(&[7, 8, 7, 8, 3, 7], test);
            let census =
                census_at(0.5, &params(items, evaluation), &content).expect("enough items");
            census.warnings.join("\n")
        };
        assert_eq!(warned([2, 1, 3], Evaluation::Test, &[7, 2, 8]), "");
        let normal = warned([2, 1, 2], Evaluation::Test, &[7, 8, 2]);
        assert!(
            normal.contains("none of 2 items is anomalous (anomalous_digits [2])"),
            "{normal}"
        );
        let anomalous = warned([2, 1, 1], Evaluation::Test, &[2, 7]);
        assert!(
            anomalous.contains("none of 1 item is normal (normal_digits [7, 8])"),
            "{anomalous}"
        );
        // Behind rows 0 to 2 come an 8, a 3, which stands in for an anomaly, and a 7.
        assert_eq!(warned([2, 1, 3], Evaluation::Validation, &[]), "");
        let choice = warned([2, 1, 1], Evaluation::Validation, &[]);
        assert!(
            choice.contains("is anomalous (normal_digits [7, 8])"),
            "{choice}"
        );
    }

    #[test]
    fn judged_items_that_were_learned_are_counted() {
        // Trained on are the rows 0 and 1, held out is row 2.
        let mut content = content(&[7, 8, 7, 8], &[7, 2, 8]);
        let warned = |content: &Content| {
            let census = census_at(0.5, &params([2, 1, 3], Evaluation::Test), content);
            census.expect("enough items").warnings
        };
        assert_eq!(warned(&content), [""; 0]);
        for (pixels, expected) in [
            ([203, 100, 101], None),
            (
                [203, 201, 101],
                Some(
                    "judged: 1 of 3 items stands, to the byte, among those trained on or held out",
                ),
            ),
            (
                [202, 201, 200],
                Some("judged: 3 of 3 items stand, to the byte"),
            ),
        ] {
            let Content::Digits(digits) = &mut content else {
                panic!("digits");
            };
            digits.test.pixels = pixels.to_vec();
            let found = warned(&content);
            let found = found.first().map(String::as_str);
            match expected {
                None => assert_eq!(found, None),
                Some(words) => {
                    assert!(found.is_some_and(|own| own.starts_with(words)), "{found:?}");
                }
            }
        }
    }

    #[test]
    fn too_few_held_out_items_for_a_threshold_are_said() {
        let content = content(&[7, 8, 7, 8, 3, 7], &[7, 2]);
        let params = params([2, 2, 2], Evaluation::Test);
        let warned = |rate| census_at(rate, &params, &content).expect("enough").warnings;
        assert_eq!(warned(0.5), [""; 0]);
        let warned = warned(0.1);
        let words = "no threshold can be chosen at target_fpr 0.1 with validation_items 2";
        assert!(warned[0].starts_with(words), "{warned:?}");
    }

    #[test]
    fn too_few_items_are_named_with_the_param_and_what_is_there() {
        let refused = |items, evaluation| {
            let content = content(&[7, 8, 7, 8, 3], &[2, 7]);
            let error = census_at(0.5, &params(items, evaluation), &content).expect_err("too few");
            error.to_string()
        };
        assert_eq!(
            refused([4, 2, 1], Evaluation::Test),
            "train_items 4 and validation_items 2 ask for 6 items of the normal_digits [7, 8]; the \
             training part has 4"
        );
        assert_eq!(
            refused([2, 0, 3], Evaluation::Test),
            "test_items 3 asks for so many items of the normal_digits [7, 8] and anomalous_digits \
             [2]; the test part has 2"
        );
        assert_eq!(
            refused([2, 2, 3], Evaluation::Validation),
            "test_items 3 asks for so many items of digits other than the anomalous_digits [2]; \
             the training part behind those trained on and held out has 1"
        );
        assert!(refused([1, 1, 1], Evaluation::Test).contains("no item of digit 8"));
    }
}
