//! What drawing at two levels must give.

use retrial_seed::{Seed, Stream};
use retrial_statistics::{
    Bootstrapped, Confidence, Group, Items, Levels, Units, bootstrap, t_interval,
};

const SEEDS: usize = 12;
const ITEMS: usize = 40;

/// Scores of items by seed: what a seed has, what an item has, and noise.
fn scores(of_seed: f64, of_item: f64, stream: &mut Stream) -> Vec<Vec<f64>> {
    let items: Vec<f64> = (0..ITEMS).map(|_| of_item * stream.normal()).collect();
    (0..SEEDS)
        .map(|_| {
            let seed = of_seed * stream.normal();
            items
                .iter()
                .map(|item| seed + item + 0.1 * stream.normal())
                .collect()
        })
        .collect()
}

fn mean_of(scores: &[Vec<f64>], drawn: &[Group<'_>]) -> f64 {
    let all = drawn
        .iter()
        .flat_map(|own| own.items.iter().map(|item| scores[own.group][*item]));
    all.sum::<f64>() / drawn.iter().map(|own| own.items.len()).sum::<usize>() as f64
}

fn shared() -> Levels {
    Levels::new(Units::of(SEEDS), Items::Shared(Units::of(ITEMS))).expect("units")
}

fn own() -> Levels {
    let items = Items::Own(vec![Units::of(ITEMS); SEEDS]);
    Levels::new(Units::of(SEEDS), items).expect("units")
}

fn run(levels: &Levels, statistic: impl Fn(&[Group<'_>]) -> f64) -> Bootstrapped {
    let confidence = Confidence::two_sided(0.9).expect("a level");
    let mut stream = Seed(2).stream("bootstrap");
    bootstrap(levels, 1_500, confidence, &mut stream, statistic).expect("numbers")
}

#[test]
fn shared_items_add_their_spread_and_own_ones_average_it() {
    let scores = scores(0.2, 1.0, &mut Seed(1).stream("scores"));
    let shared = run(&shared(), |drawn| mean_of(&scores, drawn)).standard_error;
    let own = run(&own(), |drawn| mean_of(&scores, drawn)).standard_error;
    // Seeds: 0.2 / √12 = 0.058. Items: 1 / √40 = 0.158, and 1 / √480 = 0.046 where each has its own.
    assert!((0.12..0.22).contains(&shared), "{shared}");
    assert!((0.04..0.11).contains(&own), "{own}");
}

/// With one item a seed there is one level, of which Student's interval is known.
#[test]
fn one_level_agrees_with_student() {
    let mut stream = Seed(4).stream("values");
    let values: Vec<f64> = (0..80).map(|_| 3.0 + stream.normal()).collect();
    let levels = Levels::new(Units::of(80), Items::Shared(Units::of(1))).expect("units");
    let found = run(&levels, |drawn| {
        drawn.iter().map(|own| values[own.group]).sum::<f64>() / drawn.len() as f64
    });
    let student = t_interval(&values, Confidence::two_sided(0.9).expect("a level"));
    let student = student.expect("values");
    let width = student.high - student.low;
    let bca = found.bca.expect("a spread");
    for (ours, theirs) in [
        (found.percentile.low, student.low),
        (found.percentile.high, student.high),
        (bca.low, student.low),
        (bca.high, student.high),
    ] {
        assert!(
            (ours - theirs).abs() < 0.1 * width,
            "{found:?}, {student:?}"
        );
    }
}

/// BCa intervals follow a rising function of the statistic, percentile intervals too.
#[test]
fn intervals_follow_a_rising_function() {
    let scores = scores(0.3, 0.3, &mut Seed(1).stream("scores"));
    let plain = run(&shared(), |drawn| mean_of(&scores, drawn));
    let scaled = run(&shared(), |drawn| 5.0 * mean_of(&scores, drawn) - 2.0);
    let near = |a: f64, b: f64| (5.0 * a - 2.0 - b).abs() < 1e-9;
    assert!(near(plain.percentile.low, scaled.percentile.low));
    let (bca, other) = (plain.bca.expect("a spread"), scaled.bca.expect("a spread"));
    assert!(near(bca.low, other.low) && near(bca.high, other.high));
}

#[test]
fn what_two_methods_share_is_not_in_their_difference() {
    let scores = scores(1.0, 1.0, &mut Seed(1).stream("scores"));
    let better: Vec<Vec<f64>> = scores
        .iter()
        .map(|own| own.iter().map(|score| score + 0.05).collect())
        .collect();
    let paired = run(&shared(), |drawn| {
        mean_of(&better, drawn) - mean_of(&scores, drawn)
    });
    assert!(paired.standard_error < 1e-12, "{paired:?}");
    // Seeds of a stratum each do not pair; items still do.
    let strata: Vec<usize> = (0..SEEDS).map(|seed| seed / 6).collect();
    let levels = Levels::new(Units::in_strata(&strata), Items::Shared(Units::of(ITEMS)));
    let apart = run(&levels.expect("units"), |drawn| {
        let of = |low: bool| -> Vec<Group<'_>> {
            drawn
                .iter()
                .copied()
                .filter(|own| (own.group < 6) == low)
                .collect()
        };
        // All but one where the statistic is asked of all other units.
        assert!(of(true).len() >= 5 && of(false).len() >= 5);
        mean_of(&scores, &of(true)) - mean_of(&scores, &of(false))
    });
    // √(2 / 6) of a seed's spread of 1, and no item's.
    assert!((0.25..0.9).contains(&apart.standard_error), "{apart:?}");
}

#[test]
fn classes_keep_their_sizes_in_every_draw() {
    let classes = [0, 0, 0, 1, 1];
    let levels = Levels::new(Units::of(2), Items::Shared(Units::in_strata(&classes)));
    run(&levels.expect("units"), |drawn| {
        for own in drawn {
            let first = own.items.iter().filter(|item| **item < 3).count();
            // Without one item the other class has its size.
            let sizes = [(3, 2), (2, 2), (3, 1)];
            assert!(sizes.contains(&(first, own.items.len() - first)));
        }
        drawn[0].items[0] as f64
    });
}

#[test]
fn the_same_stream_gives_the_same_interval() {
    let scores = scores(0.3, 0.3, &mut Seed(1).stream("scores"));
    let once = || run(&own(), |drawn| mean_of(&scores, drawn));
    assert_eq!(once(), once());
}

#[test]
fn a_statistic_that_does_not_change_has_no_corrected_interval() {
    let found = run(&shared(), |_| 1.0);
    assert_eq!((found.percentile.low, found.percentile.high), (1.0, 1.0));
    assert_eq!((found.standard_error, found.bca), (0.0, None));
}

#[test]
fn levels_that_cannot_be() {
    let told = |groups, items| {
        let none = Levels::new(groups, items);
        none.expect_err("no levels").to_string()
    };
    assert_eq!(
        told(Units::of(3), Items::Own(vec![Units::of(2)])),
        "the items of groups has 1 values, 3 are needed"
    );
    assert_eq!(
        told(Units::of(3), Items::Shared(Units::of(0))),
        "a bootstrap over items needs at least 1 values, got 0"
    );
    let confidence = Confidence::two_sided(0.9).expect("a level");
    let mut stream = Seed(2).stream("bootstrap");
    let none = bootstrap(&shared(), 10, confidence, &mut stream, |_| f64::NAN);
    assert_eq!(
        none.expect_err("no number").to_string(),
        "the statistic of all items has NaN at index 0, not a finite number"
    );
}
