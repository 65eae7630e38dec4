//! A rule for how the files of a crate use each other.

use std::collections::BTreeMap;

use crate::imports::{code, imports};
use crate::repository::{Fault, Repository};
use crate::sources::without_tests;

/// Crates whose files stand one above the other.
const LAYERED: &[&str] = &[
    "classical",
    "data",
    "detect",
    "dic",
    "image",
    "instances",
    "kernels",
    "nets",
    "report",
    "seed",
    "similarity",
    "store",
    "words",
];

/// No two files of a crate import each other, nor do several in a circle.
///
/// Files that declare modules are left out: they name what is below them, and what is below may name them.
#[must_use]
pub fn circles(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in LAYERED {
        let folder = format!("crates/{name}/src/");
        let files: BTreeMap<&str, String> = repository
            .sources()
            .filter_map(|(path, text)| {
                let module = path.strip_prefix(&folder)?.strip_suffix(".rs")?;
                let declares = module == "lib" || module == "main" || module.ends_with("/mod");
                (!declares).then(|| (module, code(without_tests(text))))
            })
            .collect();
        let imported = |from: &str| -> Vec<&str> {
            let text = &files[from];
            let others = files.keys().copied().filter(|to| *to != from);
            others.filter(|to| names(text, from, to)).collect()
        };
        let below: BTreeMap<&str, Vec<&str>> =
            files.keys().map(|from| (*from, imported(from))).collect();
        if let Some(circle) = circle(&below) {
            let path = format!("{folder}{}.rs", circle[0]);
            let what = format!("is imported by what it imports: {}", circle.join(", "));
            faults.push(Fault::new(&path, what));
        }
    }
    faults
}

/// Whether the code of the module `from` names the module `to`, by its path or as its neighbour.
fn names(code: &str, from: &str, to: &str) -> bool {
    let split = |module: &str| -> (String, String) {
        let (folder, own) = module.rsplit_once('/').unwrap_or(("", module));
        (folder.to_owned(), own.to_owned())
    };
    let ((here, _), (folder, own)) = (split(from), split(to));
    let parent = match folder.as_str() {
        "" => "crate".to_owned(),
        folder => format!("crate::{}", folder.replace('/', "::")),
    };
    imports(code, &parent, &own) || (here == folder && imports(code, "super", &own))
}

/// Modules of which each imports the next, and the last one the first.
fn circle<'m>(below: &BTreeMap<&'m str, Vec<&'m str>>) -> Option<Vec<&'m str>> {
    // What imports nothing that is left is taken away, again and again.
    let mut left: Vec<&str> = below.keys().copied().collect();
    loop {
        let before = left.len();
        let stays = |module: &&str| below[*module].iter().any(|to| left.contains(to));
        let next: Vec<&str> = left.iter().copied().filter(stays).collect();
        left = next;
        if left.len() == before {
            break;
        }
    }
    let mut way = vec![*left.first()?];
    loop {
        let last = way[way.len() - 1];
        let next = *below[last].iter().find(|to| left.contains(to))?;
        if let Some(start) = way.iter().position(|module| *module == next) {
            return Some(way.split_off(start));
        }
        way.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_import_each_other() {
        let check = |a: &str, b: &str| {
            circles(&Repository::of(&[
                (
                    "crates/dic/src/lib.rs",
                    "mod a;\nmod b;\nmod deep;\npub use a::A;",
                ),
                ("crates/dic/src/a.rs", a),
                ("crates/dic/src/b.rs", b),
                ("crates/dic/src/deep/mod.rs", "mod c;\npub use c::C;"),
                (
                    "crates/dic/src/deep/c.rs",
                    "use super::d::D;\nuse crate::a::A;",
                ),
                ("crates/dic/src/deep/d.rs", "use crate::b::B;"),
            ]))
        };
        assert_eq!(check("pub struct A;", "use crate::a::A;"), []);
        let told = check("use crate::{b::B, error};", "use crate::a::A;");
        assert_eq!(told.len(), 1);
        let told = told[0].to_string();
        assert!(
            told.ends_with("is imported by what it imports: a, b"),
            "{told}"
        );
        assert_eq!(
            check("let x = crate::b::B::new();", "use super::a::A;").len(),
            1
        );
        assert_eq!(check("use crate::deep::c::C;", "pub struct B;").len(), 1);
        let tests = "#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n";
        assert_eq!(check(tests, "use crate::a::A;"), []);
    }

    #[test]
    fn longer_circles() {
        let below = BTreeMap::from([
            ("a", vec!["b"]),
            ("b", vec!["c", "e"]),
            ("c", vec!["d"]),
            ("d", vec!["b"]),
            ("e", vec![]),
        ]);
        assert_eq!(circle(&below), Some(vec!["b", "c", "d"]));
        let below = BTreeMap::from([("a", vec!["b"]), ("b", vec![])]);
        assert_eq!(circle(&below), None);
    }
}
