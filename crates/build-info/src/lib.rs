//! Tells a program how it was built, and from which source: the commit, and whether files differed from it.
//!
//! The build script of a program calls [`emit`], and `retrial_runner::build_info!()` in its `main.rs` takes what that
//! said. It runs again when a source file or the commit changed, and at no other time. Without git, or where git
//! does not track the package, the program says that its source is not known.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Tells cargo how the program is built. `sources` are the files and folders that it is made of, from the folder of
/// its package.
pub fn emit(sources: &[&str]) {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    for source in sources {
        println!("cargo:rerun-if-changed={source}");
    }
    of_build(&root);
    // A repository around an unpacked archive is not the source of this program.
    if git(&root, &["ls-files", "--error-unmatch", "Cargo.toml"]).is_none() {
        return;
    }
    // Both change with every commit and checkout; a path that is missing would run this each time.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&root, &["rev-parse", "--git-path", name]).map(|path| root.join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    let Some(revision) = git(&root, &["rev-parse", "HEAD"]) else {
        return;
    };
    let mut status = vec!["status", "--porcelain", "--untracked-files=all", "--"];
    status.extend(sources);
    let state = match git(&root, &status) {
        Some(changes) if changes.is_empty() => "clean",
        Some(_) => "changed",
        None => return,
    };
    println!("cargo:rustc-env=RETRIAL_REVISION={revision}");
    println!("cargo:rustc-env=RETRIAL_SOURCE={state}");
}

/// Profile, target, features, compiler and lock file of this build.
fn of_build(root: &Path) {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let features = std::env::vars().filter_map(|(name, _)| {
        let feature = name.strip_prefix("CARGO_FEATURE_")?;
        let feature = feature.to_ascii_lowercase().replace('_', "-");
        (feature != "default").then_some(feature)
    });
    let mut features: Vec<String> = features.collect();
    features.sort();
    let version = Command::new(variable("RUSTC")).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let mut lock_files = root.ancestors().map(|folder| folder.join("Cargo.lock"));
    let Some(lock_file) = lock_files.find(|path| path.is_file()) else {
        println!(
            "cargo::error=neither {} nor a folder above it has a Cargo.lock",
            root.display()
        );
        return;
    };
    for (name, value) in [
        ("LOCK_FILE", lock_file.display().to_string()),
        ("PROFILE", variable("PROFILE")),
        ("TARGET", variable("TARGET")),
        ("FEATURES", features.join(" ")),
        ("RUSTC", version.unwrap_or_default()),
    ] {
        println!("cargo:rustc-env=RETRIAL_{name}={value}");
    }
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}
