//! The nets of a checkpoint, outside of any trial: to look at what they draw, and to hand them to
//! PyTorch.

use std::path::{Path, PathBuf};

use retrial_core::record::Record;
use retrial_core::seed::Seed;
use retrial_nets::anogan::{GanWeights, torch};
use retrial_nets::device::{self, DeviceChoice};
use retrial_nets::weights::{self, safetensors};

use super::pictures::grid;
use crate::execute::stage::STAGES;
use crate::trees;

/// A generator and a discriminator read from a file.
pub(crate) struct Nets(GanWeights);

/// The file with the nets of a finished trial.
pub(crate) fn checkpoint_of(results: &Path, record: &Record) -> Result<PathBuf, String> {
    let Some(stage) = record.stages.iter().find(|stage| stage.name == "train") else {
        let trial = &record.trial;
        return Err(format!(
            "{trial} trains no generator, so there is nothing to draw with"
        ));
    };
    let path = results.join(STAGES).join(&stage.id).join("result.h5");
    if !path.exists() {
        return Err(format!(
            "{} is not on this machine (weights are not committed); run the experiment to build it",
            path.display()
        ));
    }
    Ok(path)
}

impl Nets {
    /// The nets of a result or checkpoint (`.h5`), or of PyTorch's weights (`.safetensors`).
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        if path
            .extension()
            .is_some_and(|extension| extension == "safetensors")
        {
            let bytes = std::fs::read(path).map_err(|error| at(&error))?;
            let all = safetensors::read(&bytes).map_err(|error| at(&error))?;
            let part = |prefix: &str| weights::part(&all, prefix);
            return Self::checked(
                torch::generator_from(&part("g.")).map_err(|error| at(&error))?,
                torch::discriminator_from(&part("d.")).map_err(|error| at(&error))?,
                path,
            );
        }
        let tree = retrial_store::read(path).map_err(|error| error.to_string())?;
        let all = trees::weights(&tree, "weights").map_err(|error| at(&error))?;
        Self::checked(
            weights::part(&all, "generator."),
            weights::part(&all, "discriminator."),
            path,
        )
    }

    fn checked(
        generator: weights::Weights,
        discriminator: weights::Weights,
        path: &Path,
    ) -> Result<Self, String> {
        let nets = GanWeights {
            generator,
            discriminator,
        };
        match nets.architecture() {
            Ok(_) => Ok(Self(nets)),
            Err(error) => Err(format!("{} holds no GAN: {error}", path.display())),
        }
    }

    /// A PNG of `count` samples, in rows of at least eight.
    pub(crate) fn samples(&self, count: usize, seed: u64) -> Result<Vec<u8>, String> {
        let device = device::open(DeviceChoice::Flex).map_err(|error| error.to_string())?;
        let mut stream = Seed(seed).stream("samples");
        let drawn = self.0.draw(count, &mut stream, &device);
        let (size, drawn) = drawn.map_err(|error| error.to_string())?;
        let grey = |value: f32| ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
        let grey: Vec<u8> = drawn.into_iter().map(grey).collect();
        let tiles: Vec<&[u8]> = grey.chunks(size * size).collect();
        let columns = count.isqrt().max(8).min(count);
        let (width, height, pixels) = grid(size, columns, &tiles);
        retrial_report::gray_png(width, height, &pixels)
            .ok_or_else(|| format!("{width} × {height} px is too large for a picture"))
    }

    /// PyTorch's weights as safetensors: `g.net.…` and `d.feat.…`.
    pub(crate) fn export(&self) -> Result<Vec<u8>, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let architecture = self.0.architecture().map_err(|error| words(&error))?;
        let (_, inner) = architecture.levels().map_err(|error| words(&error))?;
        let generator = torch::generator_to(&self.0.generator, inner);
        let discriminator = torch::discriminator_to(&self.0.discriminator, inner);
        let generator = generator.map_err(|error| words(&error))?;
        let discriminator = discriminator.map_err(|error| words(&error))?;
        let both = weights::prefixed(generator, "g.")
            .chain(weights::prefixed(discriminator, "d."))
            .collect();
        safetensors::write(&both).map_err(|error| words(&error))
    }
}
