//! Generated data with exact truth: speckle series and other scenes.
