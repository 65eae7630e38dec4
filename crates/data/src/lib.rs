//! Manifests, download, verification, cache, decoding and generators of data sets.
