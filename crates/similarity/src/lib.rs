//! Textures of pictures compared, and a source domain drawn by similarity to a target domain.
