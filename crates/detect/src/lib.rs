//! Detectors judged: curves, thresholds, intervals; and detectors without a net as baselines.
