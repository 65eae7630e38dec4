//! Rules for Cargo.toml files: which crate may depend on which.

use crate::repository::{Fault, Repository, text};

/// Folder of a crate, and the crates of ours that it may depend on. A study may depend on all of them.
const ALLOWED: &[(&str, &[&str])] = &[
    ("build-info", &[]),
    ("elementary", &[]),
    ("image", &[]),
    ("kernels", &[]),
    ("seed", &[]),
    ("words", &[]),
    ("classical", &["image", "seed"]),
    ("core", &["words"]),
    ("detect", &["seed", "words"]),
    ("dic", &["image", "words"]),
    ("instances", &["image", "seed"]),
    ("net-study", &["nets", "runner", "store"]),
    ("nets", &["image", "instances", "kernels", "seed", "words"]),
    (
        "runner",
        &["core", "data", "elementary", "report", "seed", "store"],
    ),
    ("similarity", &["seed", "words"]),
    ("store", &["core", "image"]),
    ("report", &["core"]),
    ("synth", &["core", "image", "seed"]),
    ("data", &["core", "image", "seed", "synth"]),
    ("tidy", &[]),
];

/// What tests of any crate may depend on.
const OF_TESTS: &[&str] = &["core", "image", "synth"];

/// A heavy library, and the folders of the packages that may see it.
const HEAVY: &[(&str, &[&str])] = &[
    ("burn", &["crates/nets", "benches"]),
    ("hdf5", &["crates/store"]),
    ("polars", &["crates/report"]),
    ("plotters", &["crates/report"]),
];

/// Crates that a stranger would take as they are: what `cargo package` asks for is there.
const LIBRARIES: &[&str] = &[
    "detect",
    "dic",
    "image",
    "instances",
    "kernels",
    "seed",
    "similarity",
    "words",
];

/// What the manifest of a library says of it.
const METADATA: &[&str] = &["description", "readme", "keywords", "categories"];

/// A crate depends on those below it, `tidy` on nothing at all, and no study on another.
#[must_use]
pub fn directions(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, manifest) in packages(repository) {
        if let Some(name) = folder(path).strip_prefix("studies/") {
            let others = dependencies(manifest).into_iter();
            let others = others.filter(|other| other.name.starts_with("retrial-study-"));
            faults.extend(others.map(|other| {
                let what = format!("the study `{name}` may not depend on `{}`", other.name);
                Fault::new(path, what)
            }));
            continue;
        }
        let Some(name) = folder(path).strip_prefix("crates/") else {
            continue;
        };
        let Some((_, allowed)) = ALLOWED.iter().find(|(folder, _)| *folder == name) else {
            faults.push(Fault::new(path, format!("the rule does not know `{name}`")));
            continue;
        };
        for dependency in dependencies(manifest) {
            let fine = match dependency.name.strip_prefix("retrial-") {
                Some(ours) => {
                    allowed.contains(&ours) || (dependency.for_tests && OF_TESTS.contains(&ours))
                }
                None => name != "tidy",
            };
            if !fine {
                let what = format!("`{name}` may not depend on `{}`", dependency.name);
                faults.push(Fault::new(path, what));
            }
        }
    }
    faults
}

/// burn, HDF5, polars and plotters are each seen by one crate.
#[must_use]
pub fn heavy_libraries(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, manifest) in packages(repository) {
        for dependency in dependencies(manifest) {
            let is = |library: &str| {
                let rest = dependency.name.strip_prefix(library);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            };
            let place = HEAVY.iter().find(|(library, _)| is(library));
            if let Some((library, folders)) = place
                && !folders.contains(&folder(path))
            {
                let what = format!("sees `{library}`, which only {} may", folders.join(" and "));
                faults.push(Fault::new(path, what));
            }
        }
    }
    faults
}

/// Every package of the workspace takes its lints; those in `examples/` are outside.
#[must_use]
pub fn lints(repository: &Repository) -> Vec<Fault> {
    packages(repository)
        .filter(|(path, _)| !path.starts_with("examples/"))
        .filter(|(_, manifest)| {
            !sections(manifest).any(|(header, lines)| {
                header == "lints" && lines.iter().any(|line| squeezed(line) == "workspace=true")
            })
        })
        .map(|(path, _)| Fault::new(path, "lacks `[lints]` with `workspace = true`"))
        .collect()
}

/// A library tells what it is, has a README with an example, and depends on no crate of ours that is none.
#[must_use]
pub fn libraries(repository: &Repository) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, manifest) in packages(repository) {
        let folder = folder(path);
        let name = folder.strip_prefix("crates/").unwrap_or_default();
        if !LIBRARIES.contains(&name) {
            continue;
        }
        let mut fault = |what: String| faults.push(Fault::new(path, what));
        let package = sections(manifest).find(|(header, _)| *header == "package");
        let (_, lines) = package.unwrap_or_default();
        let says = |key: &str| lines.iter().any(|line| line.starts_with(key));
        for &key in METADATA {
            if !says(key) {
                fault(format!("lacks `{key}`"));
            }
        }
        if says("publish") {
            fault("says `publish`, which is the default".to_owned());
        }
        let readme = format!("{folder}/README.md");
        let example = repository.get(&readme).and_then(text);
        if !example.is_some_and(|text| text.contains("```rust")) {
            fault(format!("has no {readme} with an example"));
        }
        for dependency in dependencies(manifest) {
            let ours = dependency.name.strip_prefix("retrial-");
            let is_fine = ours.is_none_or(|ours| LIBRARIES.contains(&ours));
            if !is_fine && !dependency.for_tests {
                fault(format!("depends on `{}`, no library", dependency.name));
            }
        }
    }
    faults
}

struct Dependency {
    /// The name in the registry, also behind another name of ours.
    name: String,
    for_tests: bool,
}

fn packages(repository: &Repository) -> impl Iterator<Item = (&str, &str)> {
    repository.texts().filter(|(path, text)| {
        path.rsplit('/').next() == Some("Cargo.toml")
            && sections(text).any(|(header, _)| header == "package")
    })
}

fn folder(manifest: &str) -> &str {
    manifest
        .trim_end_matches("Cargo.toml")
        .trim_end_matches('/')
}

/// Headers without their brackets, with the lines below each.
fn sections(manifest: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let mut sections = vec![("", Vec::new())];
    for line in manifest.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            Some((header, _)) if !line.contains('=') => {
                sections.push((header.trim_matches(['[', ']', ' ']), Vec::new()));
            }
            _ => sections.last_mut().expect("never empty").1.push(line),
        }
    }
    sections.into_iter()
}

fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (header, lines) in sections(manifest) {
        // What the workspace offers is not yet used by anyone.
        let at = header
            .find("dependencies")
            .filter(|_| !header.starts_with("workspace."));
        let Some(at) = at else { continue };
        let for_tests = header[..at].ends_with("dev-");
        let add = |found: &mut Vec<Dependency>, key: &str, text: &str| {
            let renamed = text.split_once("package").and_then(|(_, rest)| {
                let mut quoted = rest.trim_start().strip_prefix('=')?.split('"');
                quoted.nth(1)
            });
            let name = renamed.unwrap_or(key).trim().trim_matches('"').to_owned();
            found.push(Dependency { name, for_tests });
        };
        if let Some(key) = header[at..].strip_prefix("dependencies.") {
            add(&mut found, key, &lines.join("\n"));
        } else {
            for line in lines {
                // The second lines of a list that goes over several have no key.
                if let Some((key, value)) = line.split_once('=')
                    && !key.contains(['"', '{', '['])
                {
                    let key = key.split('.').next().unwrap_or(key);
                    add(&mut found, key, value);
                }
            }
        }
    }
    found
}

fn squeezed(line: &str) -> String {
    line.split('#')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::process::Command;

    use super::*;

    fn one(path: &str, body: &str) -> Repository {
        Repository::of(&[(path, &format!("[package]\nname = \"x\"\n{body}"))])
    }

    /// What cargo prints.
    fn cargo(arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(arguments)
            .output()
            .expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).expect("names are UTF-8")
    }

    /// Every foreign package with its features, as cargo would compile it for this selection.
    fn compiled(selection: &[&str]) -> BTreeSet<String> {
        let tree = [
            "tree",
            "--offline",
            "--prefix",
            "none",
            "--format",
            "{p} [{f}]",
        ];
        let text = cargo(&[&tree[..], selection].concat());
        let foreign = text
            .lines()
            .filter(|line| !line.contains('/') && !line.is_empty());
        let foreign = foreign.map(|line| line.trim_end_matches(" (*)").to_owned());
        foreign.collect()
    }

    /// A feature that only a test asks for would compile its package, and all above it, a second time.
    #[test]
    fn tests_share_the_dependencies_of_the_program() {
        let program = compiled(&[
            "--locked",
            "--package",
            "retrial",
            "--edges",
            "normal,build",
        ]);
        let workspace = ["--locked", "--workspace", "--exclude", "retrial-benches"];
        let tests = compiled(&[&workspace[..], &["--edges", "normal,build,dev"]].concat());
        assert!(program.len() > 100, "{} packages", program.len());
        let names = |all: &BTreeSet<String>| -> BTreeSet<String> {
            let name = |line: &String| line.split(" [").next().unwrap_or_default().to_owned();
            all.iter().map(name).collect()
        };
        let known = names(&program);
        let twice = tests
            .difference(&program)
            .filter(|&line| known.contains(line.split(" [").next().unwrap_or_default()));
        assert_eq!(twice.collect::<Vec<_>>(), Vec::<&String>::new());
    }

    /// What the study outside the workspace needs of the registry is there once the workspace is compiled.
    #[test]
    fn the_study_outside_shares_the_dependencies_of_the_workspace() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let own = format!("{root}/examples/own-study/Cargo.toml");
        let manifest = fs::read_to_string(own).expect("a manifest");
        // A copy, whose lock file cargo makes of that of the workspace.
        let folder = std::env::temp_dir().join(format!("retrial-tidy-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).expect("a folder");
        let manifest = manifest.replace("../..", root);
        for (name, text) in [
            ("Cargo.toml", manifest.as_str()),
            ("build.rs", "fn main() {}"),
            ("src/lib.rs", ""),
        ] {
            fs::write(folder.join(name), text).expect("written");
        }
        fs::copy(format!("{root}/Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
        let copy = folder.join("Cargo.toml").display().to_string();
        let edges = ["--edges", "normal,build"];
        let own = compiled(&[&["--manifest-path", copy.as_str()][..], &edges].concat());
        fs::remove_dir_all(&folder).expect("removed");
        let workspace = ["--locked", "--workspace", "--exclude", "retrial-benches"];
        let workspace = compiled(&[&workspace[..], &edges].concat());
        assert!(own.len() > 100, "{} packages", own.len());
        let again: Vec<&String> = own.difference(&workspace).collect();
        assert_eq!(
            again,
            Vec::<&String>::new(),
            "examples/own-study/Cargo.toml asks for other features than the workspace"
        );
    }

    /// All at once, since none of them is in a registry; what they depend on is not asked for.
    #[test]
    fn cargo_packs_every_library() {
        let mut arguments = vec![
            "package",
            "--offline",
            "--no-verify",
            "--allow-dirty",
            "--exclude-lockfile",
        ];
        let names: Vec<String> = LIBRARIES
            .iter()
            .map(|name| format!("retrial-{name}"))
            .collect();
        for name in &names {
            arguments.extend(["--package", name]);
        }
        cargo(&arguments);
    }

    #[test]
    fn a_library_that_nobody_could_take() {
        let path = "crates/image/Cargo.toml";
        let metadata = "description = \"x\"\nreadme = \"x\"\nkeywords = []\ncategories = []\n";
        let check = |body: &str, readme: &str| {
            let manifest = format!("[package]\nname = \"x\"\n{body}");
            let files = [
                (path, manifest.as_str()),
                ("crates/image/README.md", readme),
            ];
            libraries(&Repository::of(&files)).len()
        };
        let example = "```rust\n```\n";
        assert_eq!(check(metadata, example), 0);
        assert_eq!(check(metadata, "Pictures."), 1);
        assert_eq!(check("", example), METADATA.len());
        let private = format!("{metadata}publish.workspace = true\n");
        assert_eq!(check(&private, example), 1);
        let core = format!("{metadata}[dependencies]\nretrial-core.workspace = true\n");
        assert_eq!(check(&core, example), 1);
        let tested = core.replace("[dep", "[dev-dep");
        assert_eq!(check(&tested, example), 0);
    }

    #[test]
    fn wrong_directions() {
        let bad = [
            ("core", "[dependencies]\nretrial-store.workspace = true\n"),
            ("dic", "[dependencies]\nretrial-core.workspace = true\n"),
            (
                "nets",
                "[dependencies]\nx = { path = \"../dic\", package = \"retrial-dic\" }\n",
            ),
            ("report", "[dependencies.retrial-store]\nworkspace = true\n"),
            (
                "store",
                "[target.'cfg(unix)'.dependencies]\nretrial-data = { workspace = true }\n",
            ),
            ("data", "[dev-dependencies]\nretrial-dic.workspace = true\n"),
            ("tidy", "[dependencies]\nregex = \"1\"\n"),
            ("runner", "[dependencies]\nretrial-nets.workspace = true\n"),
            ("novel", ""),
        ];
        for (name, body) in bad {
            let faults = directions(&one(&format!("crates/{name}/Cargo.toml"), body));
            assert_eq!(faults.len(), 1, "{name}: {faults:?}");
        }
        let good = [
            (
                "dic",
                "[dependencies]\nretrial-image.workspace = true\nrayon = \"1\"\n[dev-dependencies]\nretrial-core.workspace = true\n",
            ),
            (
                "data",
                "[dependencies]\nretrial-core = { workspace = true }\nretrial-synth.workspace = true\n",
            ),
        ];
        for (name, body) in good {
            assert_eq!(
                directions(&one(&format!("crates/{name}/Cargo.toml"), body)),
                []
            );
        }
    }

    #[test]
    fn a_study_that_depends_on_another() {
        let check = |body: &str| directions(&one("studies/dic/Cargo.toml", body));
        let bad = "[dev-dependencies]\nretrial-study-anogan.workspace = true\n";
        assert_eq!(check(bad).len(), 1);
        let good =
            "[dependencies]\nretrial-dic.workspace = true\nretrial-runner.workspace = true\n";
        assert_eq!(check(good), []);
    }

    #[test]
    fn heavy_libraries_elsewhere() {
        let burn = "[dependencies]\nburn.workspace = true\n";
        assert_eq!(heavy_libraries(&one("crates/nets/Cargo.toml", burn)), []);
        assert_eq!(heavy_libraries(&one("Cargo.toml", burn)).len(), 1);
        let offered = burn.replace("[", "[workspace.");
        assert_eq!(heavy_libraries(&one("Cargo.toml", &offered)), []);
        let hidden = "[dependencies]\nh5 = { package = \"hdf5-metno\", version = \"0.15\" }\n";
        assert_eq!(
            heavy_libraries(&one("crates/core/Cargo.toml", hidden)).len(),
            1
        );
        assert_eq!(heavy_libraries(&one("crates/store/Cargo.toml", hidden)), []);
        let polars =
            "[dev-dependencies]\npolars = { version = \"1\", features = [\n\"fmt\",\n] }\n";
        assert_eq!(
            heavy_libraries(&one("crates/data/Cargo.toml", polars)).len(),
            1
        );
    }

    #[test]
    fn lints_of_its_own() {
        assert_eq!(lints(&one("Cargo.toml", "[lints]\nworkspace = true\n")), []);
        assert_eq!(
            lints(&one("Cargo.toml", "[lints.rust]\nunused = \"allow\"\n")).len(),
            1
        );
        assert_eq!(
            lints(&one("Cargo.toml", "[dependencies]\nworkspace = true\n")).len(),
            1
        );
        assert_eq!(lints(&one("examples/own/Cargo.toml", "")), []);
    }
}
