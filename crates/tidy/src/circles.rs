//! A rule for the modules of a crate: none imports another that imports it again, be it by way of others.
//!
//! A module and its parent may import each other. What a module hands on with `pub use` is imported from where it is
//! declared. Tests are left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::imports::{code, identifier_end};
use crate::repository::{Fault, Repository};
use crate::sources::without_tests;

/// Crates in which the rule holds.
const CRATES: &[&str] = &[
    "classical",
    "data",
    "detect",
    "instances",
    "similarity",
    "store",
    "tidy",
];

/// The names that lead from the root of a crate to a module or an item.
type Path = Vec<String>;

/// The modules of the listed crates import one another in no circle.
#[must_use]
pub fn import_circles(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in CRATES {
        let modules = Modules::read(repository, &format!("crates/{name}/src/"));
        let edges = modules.edges();
        for (module, (file, _)) in &modules.imports {
            let Some(circle) = circle(module, &edges) else {
                continue;
            };
            // Every module of a circle finds one; its first module tells.
            if circle.iter().all(|other| module <= other) {
                let names: Vec<String> = circle.iter().map(|path| path.join("::")).collect();
                faults.push(Fault::new(
                    file,
                    format!("imports in a circle: {}", names.join(" → ")),
                ));
            }
        }
    }
    faults
}

/// The modules of a crate.
#[derive(Default)]
struct Modules<'r> {
    /// By path: the file, and the paths that it imports, as written.
    imports: BTreeMap<Path, (&'r str, Vec<String>)>,
    /// What modules hand on: the module and the name, and the path as written.
    handed_on: BTreeMap<(Path, String), String>,
}

impl<'r> Modules<'r> {
    fn read(repository: &'r Repository, folder: &str) -> Self {
        let mut modules = Self::default();
        for (file, text) in repository.sources() {
            let Some(own) = file.strip_prefix(folder) else {
                continue;
            };
            let mut module: Path = own
                .trim_end_matches(".rs")
                .split('/')
                .map(str::to_owned)
                .collect();
            if matches!(
                module.last().map(String::as_str),
                Some("mod" | "lib" | "main")
            ) {
                module.pop();
            }
            let (uses, rest) = statements(&code(without_tests(text)));
            let mut imported = inline(&rest);
            for (is_public, path) in uses {
                if is_public {
                    let name = path.rsplit("::").next().unwrap_or_default().to_owned();
                    modules.handed_on.insert((module.clone(), name), path);
                } else {
                    imported.push(path);
                }
            }
            modules.imports.insert(module, (file, imported));
        }
        modules
    }

    /// Which modules each module imports, its parent and its children left out.
    fn edges(&self) -> BTreeMap<&Path, BTreeSet<Path>> {
        let edges = self.imports.iter().map(|(module, (_, imported))| {
            let homes = imported.iter().filter_map(|path| self.home(module, path));
            let others = homes.filter(|home| home != module && !are_kin(home, module));
            (module, others.collect())
        });
        edges.collect()
    }

    /// The module that declares what `module` imports by a path; nothing for another crate's.
    fn home(&self, module: &[String], written: &str) -> Option<Path> {
        let mut path = self.absolute(module, written)?;
        // Names are handed on a few times at most; a name that is handed round has no home.
        for _ in 0..8 {
            let mut lengths = (0..=path.len()).rev();
            let length = lengths.find(|&end| self.imports.contains_key(&path[..end]))?;
            let (home, names) = path.split_at(length);
            let handed_on = names.first().and_then(|name| {
                let from = self.handed_on.get(&(home.to_vec(), name.clone()))?;
                self.absolute(home, from)
            });
            let Some(mut next) = handed_on else {
                return Some(home.to_vec());
            };
            next.extend_from_slice(&names[1..]);
            path = next;
        }
        None
    }

    /// The path from the root of the crate.
    fn absolute(&self, module: &[String], written: &str) -> Option<Path> {
        let mut names = written.split("::").map(str::trim).peekable();
        let mut path = module.to_vec();
        match *names.peek()? {
            "crate" => path.clear(),
            "self" | "super" => {}
            child => {
                path.push(child.to_owned());
                if !self.imports.contains_key(&path) {
                    return None;
                }
                path.pop();
            }
        }
        for name in names {
            match name {
                "crate" | "self" => {}
                "super" => drop(path.pop()),
                name => path.push(name.to_owned()),
            }
        }
        Some(path)
    }
}

/// Whether one is the parent of the other.
fn are_kin(a: &[String], b: &[String]) -> bool {
    let is_parent = |a: &[String], b: &[String]| a.len() + 1 == b.len() && b.starts_with(a);
    is_parent(a, b) || is_parent(b, a)
}

/// The shortest way from a module back to itself.
fn circle(start: &[String], edges: &BTreeMap<&Path, BTreeSet<Path>>) -> Option<Vec<Path>> {
    let mut ways = VecDeque::from([vec![start.to_vec()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let next = edges.get(way.last()?).into_iter().flatten();
        for module in next {
            let mut further = way.clone();
            further.push(module.clone());
            if *module == *start {
                return Some(further);
            }
            if seen.insert(module) {
                ways.push_back(further);
            }
        }
    }
    None
}

/// The paths of `use`, each with whether it is handed on, and the code without them.
fn statements(code: &str) -> (Vec<(bool, String)>, String) {
    let mut uses = Vec::new();
    let mut rest = String::new();
    let mut lines = code.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let handed_on = line
            .strip_prefix("pub")
            .and_then(|line| line.split_once(" use "));
        let tree = handed_on
            .map(|(_, tree)| tree)
            .or_else(|| line.strip_prefix("use "));
        let Some(tree) = tree else {
            rest += line;
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.ends_with(';') {
            let Some(more) = lines.next() else { break };
            tree += more;
        }
        let paths = expanded(tree.trim_end_matches(';'));
        uses.extend(paths.into_iter().map(|path| (handed_on.is_some(), path)));
    }
    (uses, rest)
}

/// The single paths of a `use`: `a::b` and `a::c::d` of `a::{b, c::d}`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((lead, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        return vec![path.trim().to_owned()];
    };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let mut depth = 0_i32;
    let parts = list.split(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts
        .flat_map(|part| expanded(&format!("{lead}{part}")))
        .collect()
}

/// Paths within the code that begin with `crate`, `super` or `self`.
fn inline(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for lead in ["crate::", "super::", "self::"] {
        for (start, _) in code.match_indices(lead) {
            let before = &code[..start];
            let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$');
            // `pub(in crate::a)` says who may see, and imports nothing.
            if before.ends_with(inner) || before.ends_with("(in ") {
                continue;
            }
            let mut end = start;
            loop {
                end += identifier_end(&code[end..]);
                match code[end..].strip_prefix("::") {
                    Some(_) => end += 2,
                    None => break,
                }
            }
            paths.push(code[start..end].trim_end_matches("::").to_owned());
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folder: &str, files: &[(&str, &str)]) -> Vec<String> {
        let mut repository = Repository::default();
        for (file, text) in files {
            repository.insert(&format!("{folder}/{file}"), text.as_bytes());
        }
        let faults = import_circles(&repository);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn modules_that_import_each_other() {
        let root = ("lib.rs", "pub mod a;\npub mod b;\npub mod c;\n");
        let by_three = [
            root,
            ("a.rs", "use crate::{\n    b::{self, B},\n    d,\n};\n"),
            ("b.rs", "fn f() {\n    super::c::g();\n}\n"),
            (
                "c.rs",
                "pub use crate::a::A;\nuse std::fmt;\nfn g(a: &crate::a::A) {}\n",
            ),
        ];
        let fault = "crates/data/src/a.rs: imports in a circle: a → b → c → a";
        assert_eq!(check("crates/data/src", &by_three), [fault]);
        assert_eq!(check("crates/unlisted/src", &by_three), [""; 0]);
        // Handed on by their parents, of which neither imports the other.
        let handed_on = [
            ("lib.rs", "mod a;\nmod b;\npub use b::B;\n"),
            ("a/mod.rs", "mod one;\npub use self::one::One;\n"),
            ("a/one.rs", "use crate::B;\n"),
            ("b/mod.rs", "mod two;\npub(crate) use two::B;\n"),
            ("b/two.rs", "use crate::a::One;\n"),
        ];
        let fault = "crates/data/src/a/one.rs: imports in a circle: a::one → b::two → a::one";
        assert_eq!(check("crates/data/src", &handed_on), [fault]);
    }

    #[test]
    fn parents_children_tests_and_words_are_no_circle() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\n"),
            (
                "a/mod.rs",
                "mod inner;\nuse inner::Inner;\nuse self::inner::run;\n",
            ),
            (
                "a/inner.rs",
                "use super::{Outer, more};\npub(in crate::b) fn run() {}\n// crate::b::B\n",
            ),
            (
                "b.rs",
                "use crate::a::Outer;\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n",
            ),
            (
                "c.rs",
                "use std::fmt;\n#[cfg(test)]\nmod tests {\n    use crate::d::D;\n}\n",
            ),
            ("d.rs", "use crate::c::C;\n"),
        ];
        assert_eq!(check("crates/data/src", &files), [""; 0]);
    }
}
