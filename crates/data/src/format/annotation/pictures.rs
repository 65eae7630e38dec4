//! The pictures that are there, found by the names that annotations give them.

use std::collections::HashMap;

/// Names and sizes of the pictures of a set.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    all: Vec<(String, [usize; 2])>,
    whole: HashMap<String, usize>,
    /// By file name alone; nothing where several have it.
    last: HashMap<String, Option<usize>>,
}

/// How a picture was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundPicture<'p> {
    pub(crate) name: &'p str,
    /// Columns and rows.
    pub(crate) size: [usize; 2],
    /// Whether the name had to be changed: backslashes, or what an upload put before it.
    pub(crate) repaired: bool,
}

impl Pictures {
    /// Pictures by name with columns and rows.
    pub fn new<'n>(pictures: impl IntoIterator<Item = (&'n str, [usize; 2])>) -> Self {
        let mut own = Self::default();
        for (name, size) in pictures {
            let place = own.all.len();
            own.whole.insert(name.to_owned(), place);
            own.last
                .entry(last(name).to_owned())
                .and_modify(|place| *place = None)
                .or_insert(Some(place));
            own.all.push((name.to_owned(), size));
        }
        own
    }

    /// The names of all pictures.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, [usize; 2])> {
        self.all.iter().map(|(name, size)| (name.as_str(), *size))
    }

    /// The picture of that path, else the only one of that file name, else the only one of that
    /// file name without the eight hex digits and the hyphen that Label Studio puts before it.
    pub(crate) fn find(&self, named: &str) -> Option<FoundPicture<'_>> {
        let slashed = named.replace('\\', "/");
        let by_last = |name: &str| self.last.get(name).copied().flatten();
        let place = self.whole.get(&slashed).copied();
        let place = place.or_else(|| by_last(last(&slashed)));
        let plain = place.is_some();
        let place = place.or_else(|| by_last(without_upload(last(&slashed))?))?;
        let (name, size) = &self.all[place];
        Some(FoundPicture {
            name,
            size: *size,
            repaired: !plain || named.contains('\\'),
        })
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn without_upload(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_at_checked(8)?;
    let hex = prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    rest.strip_prefix('-').filter(|_| hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_tools_write_them() {
        let there = [("a/one.png", [1, 2]), ("b/two.png", [3, 4]), ("c/two.png", [5, 6])];
        let pictures = Pictures::new(there);
        let found = |named: &str| {
            let found = pictures.find(named)?;
            Some((found.name.to_owned(), found.repaired))
        };
        let one = |repaired| Some(("a/one.png".to_owned(), repaired));
        assert_eq!(found("a/one.png"), one(false));
        assert_eq!(found("../elsewhere/one.png"), one(false));
        assert_eq!(found("a\\one.png"), one(true));
        assert_eq!(found("C:\\pictures\\one.png"), one(true));
        assert_eq!(found("/data/upload/1/0a1b2c3d-one.png"), one(true));
        assert_eq!(found("notahex1-one.png"), None);
        assert_eq!(found("two.png"), None, "there are two");
        assert_eq!(found("b/two.png"), Some(("b/two.png".to_owned(), false)));
    }
}
