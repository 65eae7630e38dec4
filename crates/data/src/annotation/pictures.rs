//! The pictures that are there, found by the names that annotations give them.

use std::collections::HashMap;

use super::fault::Problem;

/// Names and sizes of the pictures of a set.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    all: Vec<(String, [usize; 2])>,
    whole: HashMap<String, usize>,
    /// By file name alone, which several may have.
    last: HashMap<String, Vec<usize>>,
    /// By file name without its ending.
    stem: HashMap<String, Vec<usize>>,
}

/// How a picture was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundPicture<'p> {
    pub(crate) name: &'p str,
    /// Columns and rows.
    pub(crate) size: [usize; 2],
    /// Whether the name had to be changed: backslashes, what an upload put before it, no ending.
    pub(crate) repaired: bool,
}

impl Pictures {
    /// Pictures by name with columns and rows.
    pub fn new<'n>(pictures: impl IntoIterator<Item = (&'n str, [usize; 2])>) -> Self {
        let mut own = Self::default();
        for (name, size) in pictures {
            let place = own.all.len();
            own.whole.insert(name.to_owned(), place);
            let name_only = last(name);
            for (places, key) in [(&mut own.last, name_only), (&mut own.stem, stem(name_only))] {
                places.entry(key.to_owned()).or_default().push(place);
            }
            own.all.push((name.to_owned(), size));
        }
        own
    }

    /// The names of all pictures.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, [usize; 2])> {
        self.all.iter().map(|(name, size)| (name.as_str(), *size))
    }

    /// Whether there is none, so that nothing is known of names and sizes.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The picture of that path, else the one of that file name, else the one of that file name
    /// without the eight hex digits and the hyphen that Label Studio puts before it, else the one
    /// of that file name with an ending.
    ///
    /// # Errors
    /// [`Problem::AmbiguousPicture`] where a file name fits several, and
    /// [`Problem::MissingPicture`].
    pub(crate) fn find(&self, named: &str) -> Result<FoundPicture<'_>, Problem> {
        let slashed = named.replace('\\', "/");
        let name_only = last(&slashed);
        let exact = self.whole.get(&slashed).map(std::slice::from_ref);
        let fits = exact.or_else(|| of_name(&self.last, name_only));
        let plain = fits.is_some() && !named.contains('\\');
        let fits = fits.or_else(|| of_name(&self.last, without_upload(name_only)?));
        let fits = fits.or_else(|| of_name(&self.stem, name_only));
        match fits {
            Some(&[place]) => Ok(FoundPicture {
                name: &self.all[place].0,
                size: self.all[place].1,
                repaired: !plain,
            }),
            Some(places) => Err(Problem::AmbiguousPicture {
                name: named.to_owned(),
                fits: places.iter().map(|&p| self.all[p].0.clone()).collect(),
            }),
            None => {
                let near = of_name(&self.stem, stem(name_only)).and_then(<[usize]>::first);
                Err(Problem::MissingPicture {
                    name: named.to_owned(),
                    pictures: self.all.len(),
                    near: near.map(|&place| self.all[place].0.clone()),
                })
            }
        }
    }
}

fn of_name<'p>(places: &'p HashMap<String, Vec<usize>>, name: &str) -> Option<&'p [usize]> {
    places.get(name).map(Vec::as_slice)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A file name without its ending.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
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
        let there = [
            ("a/one.png", [1, 2]),
            ("b/two.png", [3, 4]),
            ("c/two.png", [5, 6]),
        ];
        let pictures = Pictures::new(there);
        let found = |named: &str| {
            let found = pictures.find(named).ok()?;
            Some((found.name.to_owned(), found.repaired))
        };
        let one = |repaired| Some(("a/one.png".to_owned(), repaired));
        assert_eq!(found("a/one.png"), one(false));
        assert_eq!(found("../elsewhere/one.png"), one(false));
        assert_eq!(found("a\\one.png"), one(true));
        assert_eq!(found("C:\\pictures\\one.png"), one(true));
        assert_eq!(found("/data/upload/1/0a1b2c3d-one.png"), one(true));
        assert_eq!(found("one"), one(true));
        assert_eq!(found("two"), None);
        assert_eq!(found("notahex1-one.png"), None);
        assert_eq!(found("two.png"), None, "there are two");
        assert_eq!(found("b/two.png"), Some(("b/two.png".to_owned(), false)));
        let lost = |named: &str| pictures.find(named).map(|_| ()).map_err(|p| p.to_string());
        let several = "fits 2 pictures: b/two.png, c/two.png; write the path of the one meant";
        for name in ["two.png", "0a1b2c3d-two.png", "two"] {
            assert_eq!(lost(name), Err(format!("{name:?} {several}")));
        }
        let near =
            "\"one.jpg\" is annotated and not among the 3 pictures; did you mean \"a/one.png\"?";
        assert_eq!(lost("one.jpg"), Err(near.to_owned()));
    }
}
