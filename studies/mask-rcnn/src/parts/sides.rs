//! Which of two equal parts is the left one.

use std::collections::BTreeMap;

use crate::items::Object;

const LEFT: &str = "left-";
const RIGHT: &str = "right-";

/// Numbers of the left and the right one of every pair of equal parts, by class from 1.
///
/// A device looks the same from behind: its `left-column` may be seen on the right. A net that
/// looks at one picture cannot know, so the left one is the one that is seen on the left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sides(BTreeMap<usize, Vec<(usize, usize)>>);

impl Sides {
    /// The pairs among named parts: class from 1, number of the part, its name.
    pub(crate) fn new<'n>(named: impl IntoIterator<Item = (usize, usize, &'n str)>) -> Self {
        let mut known: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (class, number, name) in named {
            known.insert((class, name), number);
        }
        let mut pairs: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for ((class, name), &left) in &known {
            let Some(rest) = name.strip_prefix(LEFT) else {
                continue;
            };
            let twin = format!("{RIGHT}{rest}");
            if let Some(&right) = known.get(&(*class, twin.as_str())) {
                pairs.entry(*class).or_default().push((left, right));
            }
        }
        Self(pairs)
    }

    /// Gives the equal parts of an object the numbers of the sides on which they are seen. One of
    /// which the twin is hidden is on the side of the box's middle on which its centre is.
    pub(crate) fn arrange(&self, object: &mut Object) {
        let [x0, _, x1, _] = object.corners;
        let middle = (x0 + x1) / 2.0;
        for &(left, right) in self.0.get(&object.class).into_iter().flatten() {
            if object.parts.is_empty() {
                continue;
            }
            if object.parts.len() <= left.max(right) {
                object.parts.resize(left.max(right) + 1, None);
            }
            let x = |part: usize| object.parts[part].map(|part| part.centre[0]);
            let exchanged = match (x(left), x(right)) {
                (Some(left), Some(right)) => left > right,
                (Some(left), None) => left > middle,
                (None, Some(right)) => right < middle,
                (None, None) => false,
            };
            if exchanged {
                object.parts.swap(left, right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use retrial_image::InstanceMask;

    use super::*;
    use crate::items::PartBox;

    fn part(x: f32) -> Option<PartBox> {
        Some(PartBox {
            centre: [x, 5.0],
            corners: [x - 1.0, 4.0, x + 1.0, 6.0],
            max_c: None,
            mean_c: None,
            hot: Some(x > 5.0),
        })
    }

    fn object(class: usize, parts: Vec<Option<PartBox>>) -> Object {
        Object {
            outlined: true,
            class,
            mask: InstanceMask::empty(10, 10),
            corners: [0.0, 0.0, 10.0, 10.0],
            crowd: false,
            parts,
        }
    }

    fn sides() -> Sides {
        Sides::new([
            (1, 0, "left-column"),
            (1, 1, "right-column"),
            (1, 2, "blade"),
            (2, 0, "cap"),
            (3, 0, "left-only"),
        ])
    }

    #[test]
    fn the_left_one_is_the_one_seen_on_the_left() {
        let mut turned = object(1, vec![part(8.0), part(2.0), part(5.0)]);
        sides().arrange(&mut turned);
        assert_eq!(turned.parts, [part(2.0), part(8.0), part(5.0)]);
        let before = turned.parts.clone();
        sides().arrange(&mut turned);
        assert_eq!(turned.parts, before);
    }

    #[test]
    fn a_single_one_is_on_the_side_of_the_middle() {
        let mut alone = object(1, vec![part(8.0)]);
        sides().arrange(&mut alone);
        assert_eq!(alone.parts, [None, part(8.0)]);
        let mut alone = object(1, vec![None, part(2.0), part(9.0)]);
        sides().arrange(&mut alone);
        assert_eq!(alone.parts, [part(2.0), None, part(9.0)]);
    }

    #[test]
    fn other_parts_stay() {
        for class in [2, 3] {
            let mut own = object(class, vec![part(8.0), part(2.0)]);
            sides().arrange(&mut own);
            assert_eq!(own.parts, [part(8.0), part(2.0)]);
        }
        let mut none = object(1, Vec::new());
        sides().arrange(&mut none);
        assert!(none.parts.is_empty());
    }
}
