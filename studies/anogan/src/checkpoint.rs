//! The nets of a checkpoint, outside of any trial: to look at what they draw, and to hand them to
//! PyTorch.

use std::path::{Path, PathBuf};

use retrial_core::record::Record;
use retrial_net_study::stage_tree;
use retrial_nets::anogan::{GanWeights, torch};
use retrial_nets::device::{self, DeviceChoice};
use retrial_nets::weights::{self, Weights, safetensors};
use retrial_runner::stage_result;
use retrial_seed::Seed;

use super::pictures::grid;

/// A generator and a discriminator read from a file, and perhaps an encoder beside them.
pub(crate) struct Nets {
    gan: GanWeights,
    encoder: Option<Weights>,
}

/// The files with the nets of a finished trial.
pub(crate) struct Files {
    /// Its generator and discriminator; of an ensemble the first.
    pub(crate) gan: PathBuf,
    /// Its encoder, of a method that has one.
    pub(crate) encoder: Option<PathBuf>,
}

/// The files with the nets of a finished trial.
pub(crate) fn files_of(results: &Path, record: &Record) -> Result<Files, String> {
    let of = |name: &str| {
        let stage = record.stages.iter().find(|stage| stage.name == name)?;
        let path = stage_result(results, &stage.id);
        Some(if path.exists() {
            Ok(path)
        } else {
            let [study, experiment] = [&record.study, &record.experiment];
            let own = results.join(study).join(experiment).join(&record.trial);
            Err(format!(
                "{} is not on this machine, since weights are not committed; a recorded trial is \
                 not run again, so move {} away and `retrial run {study}/{experiment}` builds it",
                path.display(),
                own.display()
            ))
        })
    };
    let Some(gan) = of("train") else {
        let trial = &record.trial;
        return Err(format!(
            "{trial} trains no generator, so there is nothing to draw with"
        ));
    };
    Ok(Files {
        gan: gan?,
        encoder: of("encode").transpose()?,
    })
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
        let all = stage_tree::weights(&tree, "weights").map_err(|error| at(&error))?;
        Self::checked(
            weights::part(&all, "generator."),
            weights::part(&all, "discriminator."),
            path,
        )
    }

    /// The nets with the encoder of another file.
    pub(crate) fn with_encoder(mut self, path: &Path) -> Result<Self, String> {
        let tree = retrial_store::read(path).map_err(|error| error.to_string())?;
        let weights = stage_tree::weights(&tree, "weights");
        let weights = weights.map_err(|error| format!("{}: {error}", path.display()))?;
        self.encoder = Some(weights);
        Ok(self)
    }

    fn checked(generator: Weights, discriminator: Weights, path: &Path) -> Result<Self, String> {
        let nets = GanWeights {
            generator,
            discriminator,
        };
        match nets.architecture() {
            Ok(_) => Ok(Self {
                gan: nets,
                encoder: None,
            }),
            Err(error) => Err(format!("{} holds no GAN: {error}", path.display())),
        }
    }

    /// A PNG of `count` samples, in rows of at least eight.
    pub(crate) fn samples(&self, count: usize, seed: u64) -> Result<Vec<u8>, String> {
        let device = device::open(DeviceChoice::Flex).map_err(|error| error.to_string())?;
        let mut stream = Seed(seed).stream("samples");
        let drawn = self.gan.draw(count, &mut stream, &device);
        let (size, drawn) = drawn.map_err(|error| error.to_string())?;
        let grey = |value: f32| ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
        let grey: Vec<u8> = drawn.into_iter().map(grey).collect();
        let tiles: Vec<&[u8]> = grey.chunks(size * size).collect();
        let columns = count.isqrt().max(8).min(count);
        let (width, height, pixels) = grid(size, columns, &tiles);
        retrial_report::gray_png(width, height, &pixels)
            .ok_or_else(|| format!("{width} × {height} px is too large for a picture"))
    }

    /// PyTorch's weights as safetensors: `g.net.…`, `d.feat.…`, and an encoder's `e.feat.…` and
    /// `e.head`.
    pub(crate) fn export(&self) -> Result<Vec<u8>, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let architecture = self.gan.architecture().map_err(|error| words(&error))?;
        let (_, inner) = architecture.levels().map_err(|error| words(&error))?;
        let generator = torch::generator_to(&self.gan.generator, inner);
        let discriminator = torch::discriminator_to(&self.gan.discriminator, inner);
        let generator = generator.map_err(|error| words(&error))?;
        let discriminator = discriminator.map_err(|error| words(&error))?;
        let encoder = match &self.encoder {
            Some(ours) => torch::encoder_to(ours, inner).map_err(|error| words(&error))?,
            None => Weights::new(),
        };
        let all = weights::prefixed(generator, "g.")
            .chain(weights::prefixed(discriminator, "d."))
            .chain(weights::prefixed(encoder, "e."))
            .collect();
        safetensors::write(&all).map_err(|error| words(&error))
    }
}
