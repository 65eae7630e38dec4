//! The name of the program that runs, as its messages and pages tell a person to type it.

use std::sync::OnceLock;

static NAME: OnceLock<&'static str> = OnceLock::new();

/// Says how the program is called, before anything else; what is said first stays.
pub fn set_name(name: &'static str) {
    NAME.get_or_init(|| name);
}

/// How the program is called; `retrial` where nobody said.
#[must_use]
pub fn name() -> &'static str {
    NAME.get().copied().unwrap_or("retrial")
}
