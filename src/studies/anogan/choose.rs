//! Which rows are trained on, held out and judged, and what is said of that before and after a
//! trial.

use std::collections::{BTreeMap, HashSet};

use retrial_core::census::{Census, count};
use retrial_core::params::{ParamValue, Params};
use retrial_data::{Content, DigitSet, Digits};
use retrial_detect::threshold::conformal;

use crate::execute::context::TrialError;

/// The params by which the choice is made.
pub(super) const KEYS: &[&str] = &[
    "normal_digits",
    "anomalous_digits",
    "train_items",
    "validation_items",
    "test_items",
    "evaluation",
    "false_positive_rate",
];

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
pub(super) fn choose<'d>(params: &Params, content: &'d Content) -> Result<Choice<'d>, TrialError> {
    let Content::Digits(digits) = content else {
        return Err(TrialError::Other("the data set holds no digits".to_owned()));
    };
    let normal = digit_list(params, "normal_digits")?;
    let anomalous = digit_list(params, "anomalous_digits")?;
    let [train_items, held_out, test_items] =
        ["train_items", "validation_items", "test_items"].map(|name| number(params, name));
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
    let (judged_of, judged, from) = match is_choice(params) {
        false => {
            let judged = |d| normal.contains(&d) || anomalous.contains(&d);
            let rows = first_rows(&digits.test, 0, test_items, judged);
            let digits_of = format!("normal_digits {normal:?} and anomalous_digits {anomalous:?}");
            (
                &digits.test,
                rows,
                format!("the {digits_of}; the test part"),
            )
        }
        true => {
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
    pub(super) fn census(&self, params: &Params, content: &Content) -> Census {
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
        let rate = params.get("false_positive_rate");
        let rate = rate.and_then(ParamValue::as_f64).unwrap_or(0.0);
        let held_out = vec![0.0; self.validation.len()];
        if let (false, Err(error)) = (held_out.is_empty(), conformal(&held_out, rate)) {
            census.warn(format!(
                "no threshold can be chosen at false_positive_rate {rate} with validation_items {}: \
                 {error}",
                held_out.len()
            ));
        }
        let labels = self.judged.iter().map(|&row| self.judged_of.labels[row]);
        let anomalous = labels.filter(|&label| self.is_anomalous(label)).count();
        let (key, missing) = match anomalous {
            0 if is_choice(params) => ("normal_digits", "anomalous"),
            0 => ("anomalous_digits", "anomalous"),
            all if all == self.judged.len() => ("normal_digits", "normal"),
            _ => return census,
        };
        let digits = params
            .get(key)
            .map_or_else(String::new, ToString::to_string);
        census.warn(format!(
            "judged: none of {} is {missing} ({key} {digits}), so there is no AUROC and no \
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
pub(super) fn census(params: &Params, content: &Content) -> Result<Census, TrialError> {
    Ok(choose(params, content)?.census(params, content))
}

fn is_choice(params: &Params) -> bool {
    matches!(params.get("evaluation"), Some(ParamValue::Text(word)) if word == "validation")
}

fn number(params: &Params, name: &str) -> usize {
    let value = params.get(name).and_then(ParamValue::as_f64);
    value.map_or(0, |value| value as usize)
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

fn digit_list(params: &Params, name: &str) -> Result<Vec<u8>, TrialError> {
    let wrong = || TrialError::Other(format!("the param `{name}` is no list of digits"));
    let Some(ParamValue::List(list)) = params.get(name) else {
        return Err(wrong());
    };
    let digit = |value: &ParamValue| match value {
        ParamValue::Int(digit) => u8::try_from(*digit).ok(),
        _ => None,
    };
    list.iter()
        .map(digit)
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
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

    fn params(items: [i64; 3], evaluation: &str) -> Params {
        let mut params = Params::default();
        let digits =
            |digits: &[i64]| ParamValue::List(digits.iter().map(|&d| ParamValue::Int(d)).collect());
        params.set("normal_digits", digits(&[7, 8]));
        params.set("anomalous_digits", digits(&[2]));
        for (name, items) in ["train_items", "validation_items", "test_items"]
            .into_iter()
            .zip(items)
        {
            params.set(name, ParamValue::Int(items));
        }
        params.set("false_positive_rate", ParamValue::Float(0.5));
        params.set("evaluation", ParamValue::Text(evaluation.to_owned()));
        params
    }

    fn content(train: &[u8], test: &[u8]) -> Content {
        Content::Digits(Digits {
            train: set(train, 0),
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
            let census = census(&params(items, evaluation), &content).expect("enough items");
            census.warnings.join("\n")
        };
        assert_eq!(warned([2, 1, 3], "test", &[7, 2, 8]), "");
        let normal = warned([2, 1, 2], "test", &[7, 8, 2]);
        assert!(
            normal.contains("none of 2 items is anomalous (anomalous_digits [2])"),
            "{normal}"
        );
        let anomalous = warned([2, 1, 1], "test", &[2, 7]);
        assert!(
            anomalous.contains("none of 1 item is normal (normal_digits [7, 8])"),
            "{anomalous}"
        );
        // Behind rows 0 to 2 come an 8, a 3, which stands in for an anomaly, and a 7.
        assert_eq!(warned([2, 1, 3], "validation", &[]), "");
        let choice = warned([2, 1, 1], "validation", &[]);
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
            let census = census(&params([2, 1, 3], "test"), content);
            census.expect("enough items").warnings
        };
        assert_eq!(warned(&content), [""; 0]);
        for (pixels, expected) in [
            ([3, 100, 101], None),
            (
                [3, 1, 101],
                Some(
                    "judged: 1 of 3 items stands, to the byte, among those trained on or held out",
                ),
            ),
            ([2, 1, 0], Some("judged: 3 of 3 items stand, to the byte")),
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
        let mut params = params([2, 2, 2], "test");
        assert_eq!(census(&params, &content).expect("enough").warnings, [""; 0]);
        params.set("false_positive_rate", ParamValue::Float(0.1));
        let warned = census(&params, &content).expect("enough").warnings;
        let words = "no threshold can be chosen at false_positive_rate 0.1 with validation_items 2";
        assert!(warned[0].starts_with(words), "{warned:?}");
    }

    #[test]
    fn too_few_items_are_named_with_the_param_and_what_is_there() {
        let refused = |items, evaluation| {
            let content = content(&[7, 8, 7, 8, 3], &[2, 7]);
            let error = census(&params(items, evaluation), &content).expect_err("too few");
            error.to_string()
        };
        assert_eq!(
            refused([4, 2, 1], "test"),
            "train_items 4 and validation_items 2 ask for 6 items of the normal_digits [7, 8]; the \
             training part has 4"
        );
        assert_eq!(
            refused([2, 0, 3], "test"),
            "test_items 3 asks for so many items of the normal_digits [7, 8] and anomalous_digits \
             [2]; the test part has 2"
        );
        assert_eq!(
            refused([2, 2, 3], "validation"),
            "test_items 3 asks for so many items of digits other than the anomalous_digits [2]; \
             the training part behind those trained on and held out has 1"
        );
        assert!(refused([1, 1, 1], "test").contains("no item of digit 8"));
    }
}
