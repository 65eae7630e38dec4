//! The command `retrial`.
fn main() {}
