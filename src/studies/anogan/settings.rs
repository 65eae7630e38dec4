//! Params as what the nets take.

use retrial_nets::adam::AdamRates;
use retrial_nets::anogan::{
    Architecture, EncoderLoss, EncoderRates, GanLoss, GanRates, GanomalyRates, Initialisation,
    Normalisation, SearchMethod, SearchRates,
};
use retrial_nets::device::{self, Device, DeviceChoice};

use crate::execute::context::{Context, TrialError};

pub(super) fn device(context: &Context) -> Result<Device, TrialError> {
    let choice: DeviceChoice = context.job.device.parse().map_err(words)?;
    device::open(choice).map_err(words)
}

pub(super) fn architecture(context: &Context) -> Result<Architecture, TrialError> {
    Ok(Architecture {
        image_size: size(context, "image_size")?,
        width: size(context, "width")?,
        latent_size: size(context, "latent_size")?,
        normalisation: match context.word("discriminator_norm")? {
            "none" => Normalisation::None,
            "spectral" => Normalisation::Spectral,
            _ => Normalisation::Batch,
        },
    })
}

pub(super) fn initialisation(context: &Context) -> Result<Initialisation, TrialError> {
    Ok(match context.word("initialisation")? {
        "dcgan" => Initialisation::Dcgan,
        _ => Initialisation::Torch,
    })
}

pub(super) fn gan(context: &Context) -> Result<GanRates, TrialError> {
    Ok(GanRates {
        batch_size: size(context, "batch_size")?,
        generator: adam(context, "learning_rate_g")?,
        discriminator: adam(context, "learning_rate_d")?,
        loss: match context.word("loss")? {
            "hinge" => GanLoss::Hinge,
            _ => GanLoss::CrossEntropy {
                real_label: context.float("real_label")?,
            },
        },
        instance_noise: context.float("instance_noise")?,
    })
}

pub(super) fn encoder(context: &Context) -> Result<EncoderRates, TrialError> {
    let kappa = context.float("kappa")?;
    Ok(EncoderRates {
        loss: match context.word("method")? {
            "ziz" => EncoderLoss::Ziz,
            "izi" => EncoderLoss::Izi,
            _ => EncoderLoss::IziF { kappa },
        },
        batch_size: size(context, "encoder_batch_size")?,
        adam: encoder_adam(context)?,
    })
}

pub(super) fn ganomaly(context: &Context) -> Result<GanomalyRates, TrialError> {
    Ok(GanomalyRates {
        batch_size: size(context, "encoder_batch_size")?,
        adam: encoder_adam(context)?,
        weights: [1.0, 50.0, 1.0],
    })
}

pub(super) fn search(context: &Context) -> Result<SearchRates, TrialError> {
    Ok(SearchRates {
        lambda: context.float("search_lambda")?,
        iterations: size(context, "search_iterations")? as u64,
        method: match context.word("search_method")? {
            "lbfgs" => SearchMethod::Lbfgs,
            _ => SearchMethod::Adam {
                learning_rate: context.float("search_learning_rate")?,
            },
        },
        tolerance: context.float("search_tolerance")?,
    })
}

fn encoder_adam(context: &Context) -> Result<AdamRates, TrialError> {
    Ok(AdamRates {
        learning_rate: context.float("encoder_learning_rate")?,
        beta1: 0.5,
        beta2: 0.999,
    })
}

fn adam(context: &Context, rate: &str) -> Result<AdamRates, TrialError> {
    Ok(AdamRates {
        learning_rate: context.float(rate)?,
        beta1: context.float("beta1")?,
        beta2: context.float("beta2")?,
    })
}

pub(super) fn size(context: &Context, name: &str) -> Result<usize, TrialError> {
    Ok(usize::try_from(context.int(name)?).unwrap_or(0))
}

/// An error of the nets in words for a person.
pub(super) fn words(error: impl std::fmt::Display) -> TrialError {
    TrialError::Other(error.to_string())
}
