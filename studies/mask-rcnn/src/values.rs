//! Whether the values of pictures fill the range in which the nets see them.

use retrial_core::census::count;

use super::choose::Choice;
use super::input_values::{Input, Scale, Values};
use super::params::Pictures;

/// Pictures whose middle values take a smaller share of the range show next to nothing.
const LITTLE: f64 = 1.0 / 16.0;
/// Share of the values that are the middle ones.
const MIDDLE: f64 = 0.99;
/// Largest share of the values that may lie outside the range: what the middle ones leave.
const OUTSIDE: f64 = 1.0 - MIDDLE;

/// How many pixels have each value.
struct Histogram {
    /// From the least 16-bit value with a sign to the greatest without.
    counts: Vec<u64>,
    all: u64,
}

const LEAST: i32 = i16::MIN as i32;
const LENGTH: usize = (u16::MAX as i32 - LEAST) as usize + 1;

impl Histogram {
    fn new() -> Self {
        Self {
            counts: vec![0; LENGTH],
            all: 0,
        }
    }

    fn of(values: impl Iterator<Item = i32>) -> Self {
        let mut own = Self::new();
        for value in values {
            own.counts[(value - LEAST) as usize] += 1;
            own.all += 1;
        }
        own
    }

    fn add(&mut self, other: &Self) {
        let pairs = self.counts.iter_mut().zip(&other.counts);
        pairs.for_each(|(own, other)| *own += other);
        self.all += other.all;
    }

    /// The value of the pixel at a place, from 0, in the order of values.
    fn at(&self, place: u64) -> i32 {
        let mut sum = 0;
        let value = self.counts.iter().position(|count| {
            sum += count;
            sum > place
        });
        value.map_or(0, |value| value as i32 + LEAST)
    }

    fn ends(&self) -> (i32, i32) {
        (self.at(0), self.at(self.all.saturating_sub(1)))
    }

    /// The ends of the middle values.
    fn middle(&self) -> (i32, i32) {
        let aside = ((1.0 - MIDDLE) / 2.0 * self.all as f64) as u64;
        (
            self.at(aside),
            self.at((self.all - aside).saturating_sub(1)),
        )
    }

    /// Pixels below and above a range.
    fn outside(&self, [black, white]: [i32; 2]) -> (u64, u64) {
        let place = |value: i32| (value - LEAST).clamp(0, LENGTH as i32) as usize;
        let below = self.counts[..place(black)].iter().sum();
        let above = self.counts[place(white + 1)..].iter().sum();
        (below, above)
    }

    /// The share of the range that the middle values take.
    fn share(&self, [black, white]: [i32; 2]) -> f64 {
        let (low, high) = self.middle();
        let seen = high.clamp(black, white) - low.clamp(black, white);
        f64::from(seen) / f64::from((white - black).max(1))
    }
}

/// The params on which [`warnings`] depends.
pub(super) const KEYS: [&str; 6] = [
    Pictures::split,
    Pictures::test_presets,
    Pictures::train_pictures,
    Pictures::input,
    Pictures::coldest_c,
    Pictures::hottest_c,
];

/// Which pictures show next to nothing, and why.
pub(super) fn warnings(params: &Pictures, choice: &Choice<'_>) -> Vec<String> {
    let input = Input::new(params);
    let mut warnings = Vec::new();
    let mut flat: Vec<(f64, &str)> = Vec::new();
    for (place, (name, set, _)) in choice.sets.iter().enumerate() {
        let of = match choice.sets.len() {
            1 => String::new(),
            _ => format!("{name}: "),
        };
        let range = set.grey_range();
        let own = choice.pictures.iter().filter(|own| own.set == place);
        let mut kinds = Vec::new();
        for values in Values::ALL {
            let scale = input.scale(values, range, set.stated_range.is_some());
            let mut all = Histogram::new();
            let mut each = Vec::new();
            let own = own.clone().map(|chosen| chosen.picture);
            for picture in own.filter(|picture| input.values(picture) == values) {
                let one = Histogram::of(input.raw(picture));
                all.add(&one);
                each.push((one.share(scale.range), picture.name.as_str()));
            }
            if each.is_empty() {
                continue;
            }
            kinds.push((each.len(), values, scale.range));
            match fault(&all, &scale, each.len()) {
                Some(fault) => warnings.push(format!("{of}{fault}")),
                None => flat.extend(each.into_iter().filter(|own| own.0 < LITTLE)),
            }
        }
        warnings.extend(mixed(&kinds, &of));
    }
    if let Some((share, name)) = flat.iter().min_by(|a, b| a.0.total_cmp(&b.0)) {
        warnings.push(format!(
            "next to nothing is seen in {} of {}: the middle 99 % of the values of {name} take \
             {} of the range",
            flat.len(),
            count(choice.pictures.len(), "picture"),
            percent(*share)
        ));
    }
    warnings
}

/// Why all pictures of a kind together show next to nothing, or lose what they show.
fn fault(all: &Histogram, scale: &Scale, pictures: usize) -> Option<String> {
    let Scale { range, values, .. } = scale;
    let show = |value: i32| values.shown(value);
    let (least, greatest) = all.ends();
    if least == greatest {
        return Some(format!(
            "nothing is seen in {}: all their {} are {}",
            count(pictures, "picture"),
            values.name(),
            show(least)
        ));
    }
    let [black, white] = range.map(show);
    let (below, above) = all.outside(*range);
    let outside = (below + above) as f64 / all.all as f64;
    let key = scale.key();
    if outside > OUTSIDE {
        return Some(format!(
            "{} of the {} lie outside {key} {black} to {white}: {below} below and {above} above of \
             {}; they go from {} to {}",
            percent(outside),
            values.name(),
            all.all,
            show(least),
            show(greatest)
        ));
    }
    let share = all.share(*range);
    let (low, high) = all.middle();
    (share < LITTLE).then(|| {
        format!(
            "next to nothing is seen: the middle 99 % of the {}, {} to {}, take {} of {key} {black} \
             to {white}{}",
            values.name(),
            show(low),
            show(high),
            percent(share),
            scale.advice(low, high)
        )
    })
}

/// Pictures of different values in one set: the same grey then means different things.
fn mixed(kinds: &[(usize, Values, [i32; 2])], of: &str) -> Option<String> {
    let grey = kinds.iter().filter(|own| own.1 != Values::Celsius);
    let grey: Vec<String> = grey
        .map(|(number, values, [black, white])| {
            let pictures = count(*number, "picture");
            format!("{pictures} with {} of {black} to {white}", values.name())
        })
        .collect();
    (grey.len() > 1).then(|| {
        format!(
            "{of}pictures of two depths are mixed, so that one grey stands for two values: {}",
            grey.join(", ")
        )
    })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(range: [i32; 2]) -> Scale {
        Scale {
            values: Values::Deep,
            range,
            stated: true,
        }
    }

    #[test]
    fn two_dead_pixels_make_a_range_wide_and_are_named_by_the_spread() {
        // Ten pixels for each of 2600 values, one dead and one hot pixel.
        let values = (28_400..31_000).flat_map(|v| [v; 10]).chain([0, 65_535]);
        let all = Histogram::of(values);
        assert_eq!(all.ends(), (0, 65_535));
        assert_eq!(all.middle(), (28_412, 30_987));
        let wide = fault(&all, &scale([0, 65_535]), 3).expect("a fault");
        assert!(wide.contains("28412 to 30987, take 3.9 % of"), "{wide}");
        assert!(wide.contains("`grey_range: [28412, 30987]`"), "{wide}");
        // A stated range that leaves the two out is right.
        assert_eq!(fault(&all, &scale([28_400, 31_000]), 3), None);
    }

    #[test]
    fn values_outside_a_range_are_counted_on_both_sides() {
        let all = Histogram::of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].into_iter());
        assert_eq!(all.outside([3, 9]), (2, 1));
        assert_eq!(all.outside([-5, 70_000]), (0, 0));
        let off = fault(&all, &scale([3, 9]), 1).expect("a fault");
        assert!(off.contains("30.0 % of the"), "{off}");
        assert!(off.contains("2 below and 1 above of 10"), "{off}");
        assert!(off.contains("they go from 1 to 10"), "{off}");
    }

    #[test]
    fn one_value_is_no_question_of_the_range() {
        let all = Histogram::of(std::iter::repeat_n(30_000, 12));
        let one = fault(&all, &scale([30_000, 30_000]), 1).expect("a fault");
        assert!(
            one.contains("are 30000") && !one.contains("grey_range"),
            "{one}"
        );
    }
}
