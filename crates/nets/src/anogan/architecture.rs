//! Sizes of the nets.

use thiserror::Error;

/// Sizes of a generator and of the nets that read images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Width and height of an image, px.
    pub image_size: usize,
    /// Channels of the layer next to the image; every layer further inside has twice as many.
    pub width: usize,
    /// Length of a latent.
    pub latent_size: usize,
    /// What stands behind the convolutions of the discriminator.
    pub normalisation: Normalisation,
}

retrial_words::words! {
    /// What stands behind the convolutions of the discriminator.
    pub enum Normalisation {
        /// Batch normalisation, as in the published net.
        Batch = "batch",
        /// A bias.
        None = "none",
        /// Kernels divided by their largest singular value, and a bias.
        ///
        /// # Source
        /// Miyato et al. 2018, arXiv:1802.05957.
        Spectral = "spectral",
    }
}

/// An image size that halving does not take to the net's inner size.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("images of {image_size} px: expected 28, 32 or 64")]
pub struct ArchitectureError {
    /// Width of the image.
    pub image_size: usize,
}

impl Architecture {
    /// How often the image is halved, and the width where that ends.
    ///
    /// # Errors
    /// [`ArchitectureError`] for an image size other than 28 (to 7), 32 and 64 (to 4).
    pub fn levels(&self) -> Result<(usize, usize), ArchitectureError> {
        match self.image_size {
            64 => Ok((4, 4)),
            32 => Ok((3, 4)),
            28 => Ok((2, 7)),
            image_size => Err(ArchitectureError { image_size }),
        }
    }

    /// Channels behind every halving, from the image inwards: `[(read, written)]`.
    pub(crate) fn channels(&self) -> Result<Vec<(usize, usize)>, ArchitectureError> {
        let (levels, _) = self.levels()?;
        let of_level = |level: usize| {
            let read = if level == 0 {
                1
            } else {
                self.width << (level - 1)
            };
            (read, self.width << level)
        };
        Ok((0..levels).map(of_level).collect())
    }

    /// Width and channels of the innermost layer.
    pub(crate) fn inner(&self) -> Result<(usize, usize), ArchitectureError> {
        let (levels, size) = self.levels()?;
        Ok((size, self.width << (levels - 1)))
    }
}
