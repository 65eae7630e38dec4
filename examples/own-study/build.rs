//! Tells the program how it was built, and from which source.

fn main() {
    retrial_build_info::emit(&[
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "../../crates",
    ]);
}
