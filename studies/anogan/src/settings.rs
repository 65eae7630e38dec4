//! Params as what the nets take.

use retrial_nets::adam::AdamRates;
use retrial_nets::anogan::{
    Architecture, EncoderLoss, EncoderRates, GanLoss, GanRates, GanomalyRates, Normalisation,
    SearchMethod, SearchRates,
};

use super::params::{Encoding, Gan, Loss, Normal, Optimiser, Search};

pub(super) fn architecture(normal: &Normal, normalisation: Normalisation) -> Architecture {
    Architecture {
        image_size: normal.image_size,
        width: normal.base_channels,
        latent_size: normal.latent_size,
        normalisation,
    }
}

pub(super) fn gan(gan: &Gan) -> GanRates {
    let adam = |learning_rate| AdamRates {
        learning_rate,
        beta1: gan.beta1,
        beta2: gan.beta2,
    };
    GanRates {
        batch_size: gan.batch_size,
        generator: adam(gan.learning_rate_g),
        discriminator: adam(gan.learning_rate_d),
        loss: match gan.loss {
            Loss::Hinge => GanLoss::Hinge,
            Loss::CrossEntropy => GanLoss::CrossEntropy {
                real_label: 1.0 - gan.label_smoothing,
            },
        },
        instance_noise: gan.instance_noise,
    }
}

pub(super) fn encoder(encoding: &Encoding, loss: EncoderLoss) -> EncoderRates {
    EncoderRates {
        loss,
        batch_size: encoding.encoder_batch_size,
        adam: encoder_adam(encoding),
    }
}

pub(super) fn ganomaly(encoding: &Encoding) -> GanomalyRates {
    GanomalyRates {
        batch_size: encoding.encoder_batch_size,
        adam: encoder_adam(encoding),
        weights: [1.0, 50.0, 1.0],
    }
}

pub(super) fn search(search: &Search) -> SearchRates {
    SearchRates {
        discrimination_weight: search.lambda,
        iterations: search.search_iterations as u64,
        method: match search.search_optimiser {
            Optimiser::Lbfgs => SearchMethod::Lbfgs,
            Optimiser::Adam => SearchMethod::Adam {
                learning_rate: search.search_learning_rate,
            },
        },
        tolerance: search.search_tolerance,
    }
}

fn encoder_adam(encoding: &Encoding) -> AdamRates {
    AdamRates {
        learning_rate: encoding.encoder_learning_rate,
        beta1: 0.5,
        beta2: 0.999,
    }
}
