//! Measured speed of retrial; the benches themselves are in `benches/`.
