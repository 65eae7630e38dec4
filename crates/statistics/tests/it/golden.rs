//! Values of SciPy and statsmodels, or of definitions evaluated another way (`../golden/make.py`).

use retrial_statistics::{
    Aim, Alternative, Confidence, Interval, PlannedTest, RatioSet, Sides, clopper_pearson, delong,
    equivalence, holm, logit_t_interval, paired_delong, paired_ratio, power, ratio, t_interval,
    t_test, wilson,
};
use serde_json::Value;

fn golden(section: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../golden/values.json")).expect("JSON");
    all[section].clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(number).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn whole(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a whole number")).expect("a small one")
}

/// Within 1e-9 of the value, or of 1 where the value is smaller.
fn assert_near(ours: f64, theirs: &Value, case: &Value) {
    let theirs = number(theirs);
    let off = (ours - theirs).abs() / theirs.abs().max(1.0);
    assert!(off < 1e-9, "{ours} in place of {theirs}: {case}");
}

fn assert_ends(ours: Interval, theirs: &Value, case: &Value) {
    assert_near(ours.low, &theirs[0], case);
    assert_near(ours.high, &theirs[1], case);
}

fn both() -> Confidence {
    Confidence::two_sided(0.95).expect("a level")
}

#[test]
fn intervals_agree_with_scipy() {
    for case in list(&golden("student")) {
        let sides = if case["sides"] == "two" {
            Sides::Two
        } else {
            Sides::One
        };
        let confidence = Confidence::new(number(&case["level"]), sides).expect("a level");
        let interval = t_interval(&numbers(&case["values"]), confidence).expect("values");
        assert_ends(interval, &case["ends"], case);
    }
}

#[test]
fn tests_agree_with_scipy() {
    let section = golden("tests");
    let values = numbers(&section["values"]);
    for case in list(&section["cases"]) {
        let alternative = match case["alternative"].as_str() {
            Some("greater") => Alternative::Greater,
            Some("less") => Alternative::Less,
            _ => Alternative::TwoSided,
        };
        let test = t_test(&values, number(&case["bound"]), alternative).expect("values");
        assert_near(test.t, &case["t"], case);
        assert_near(test.p / number(&case["p"]), &Value::from(1.0), case);
    }
}

#[test]
fn equivalence_agrees_with_statsmodels() {
    let section = golden("tost");
    let values = numbers(&section["values"]);
    for case in list(&section["cases"]) {
        let test = equivalence(&values, number(&case["low"]), number(&case["high"]));
        let test = test.expect("values");
        assert_near(test.p(), &case["p"], case);
        assert_near(test.above_low.p, &case["above"], case);
        assert_near(test.below_high.p, &case["below"], case);
    }
}

#[test]
fn bounded_intervals_agree_with_scipy() {
    for case in list(&golden("logit")) {
        let interval = logit_t_interval(&numbers(&case["values"]), (0.0, 1.0), both());
        assert_ends(interval.expect("values").interval(), &case["ends"], case);
    }
}

#[test]
fn intervals_of_counts_agree_with_statsmodels_and_scipy() {
    for case in list(&golden("counts")) {
        let (k, n) = (whole(&case["k"]), whole(&case["n"]));
        assert_ends(
            clopper_pearson(k, n, both()).expect("counts"),
            &case["exact"],
            case,
        );
        assert_ends(wilson(k, n, both()).expect("counts"), &case["wilson"], case);
    }
}

#[test]
fn ratios_are_where_the_test_has_its_level() {
    let case = golden("fieller");
    let pairs: Vec<(f64, f64)> = list(&case["pairs"])
        .iter()
        .map(|pair| (number(&pair[0]), number(&pair[1])))
        .collect();
    let ends = |set| match set {
        RatioSet::Between(interval) => interval,
        RatioSet::Outside { .. } | RatioSet::All => panic!("{set:?}"),
    };
    let paired = paired_ratio(&pairs, both()).expect("pairs");
    assert_ends(ends(paired.set), &case["paired"], &case);
    let first: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
    let apart = ratio(&first, &numbers(&case["second"]), both()).expect("values");
    assert_ends(ends(apart.set), &case["independent"], &case);
}

#[test]
fn adjusted_values_agree_with_statsmodels() {
    let case = golden("holm");
    let adjusted = holm(&numbers(&case["p"])).expect("p-values");
    for (ours, theirs) in adjusted.into_iter().zip(list(&case["adjusted"])) {
        assert_near(ours, theirs, &case);
    }
}

/// Two scores of each item, with ties; repeated from `make.py`.
fn scores(n: u32) -> (Vec<f64>, Vec<f64>, Vec<bool>) {
    let positive: Vec<bool> = (0..n).map(|i| i * 7919 % 10 < 3).collect();
    let with = |of: fn(u32) -> u32, plus: f64| -> Vec<f64> {
        let own = (0..n).zip(&positive);
        own.map(|(i, own)| f64::from(of(i)) / 10.0 + if *own { plus } else { 0.0 })
            .collect()
    };
    let first = with(|i| i * i * 31 % 97, 2.0);
    let second = with(|i| (i * i * 17 + 5 * i) % 89, 3.0);
    (first, second, positive)
}

#[test]
fn areas_agree_with_means_over_all_pairs() {
    for case in list(&golden("delong")) {
        let (first, second, positive) = scores(whole(&case["n"]));
        let areas = paired_delong(&first, &second, &positive).expect("two classes");
        let alone = delong(&first, &positive).expect("two classes");
        assert_eq!(areas.first, alone);
        assert_near(areas.first.area, &case["areas"][0], case);
        assert_near(areas.second.area, &case["areas"][1], case);
        let one = Value::from(1.0);
        let variances = &case["variances"];
        assert_near(alone.variance / number(&variances[0]), &one, case);
        assert_near(areas.second.variance / number(&variances[1]), &one, case);
        assert_near(areas.covariance / number(&case["covariance"]), &one, case);
        assert_near(areas.p().expect("a spread"), &case["p"], case);
        assert_ends(
            alone.interval(both()).expect("a spread"),
            &case["ends"],
            case,
        );
    }
}

#[test]
fn powers_agree_with_scipy() {
    for case in list(&golden("power")) {
        let aim = match case["aim"].as_str() {
            Some("beyond") => Aim::Beyond,
            Some("different") => Aim::Different,
            _ => Aim::Equivalent {
                margin: number(&case["margin"]),
            },
        };
        let test = PlannedTest {
            aim,
            effect: number(&case["effect"]),
            sd: number(&case["sd"]),
            error: number(&case["error"]),
        };
        let ours = power(&test, whole(&case["n"]) as usize).expect("a sound test");
        assert_near(ours, &case["power"], case);
    }
}
