//! A training that is written down and taken up again goes on bit for bit.

use retrial_seed::Seed;

use super::small::{adam, architecture, fresh, gan_rates, pictures, trained};
use super::*;

const SIZE: usize = 28;

#[test]
fn a_gan_goes_on_bit_for_bit() {
    let pixels = pictures(10, SIZE);
    for normalisation in [
        Normalisation::Batch,
        Normalisation::None,
        Normalisation::Spectral,
    ] {
        let rates = GanRates {
            instance_noise: 0.1,
            ..gan_rates()
        };
        let new = || fresh(architecture(SIZE, normalisation), rates);
        let mut straight = new();
        let losses: Vec<EpochLosses> = (1..=3).map(|at| straight.epoch(at, &pixels)).collect();
        let mut first = new();
        assert_eq!(first.epoch(1, &pixels), losses[0]);
        let kept = first.state();
        let mut second = new();
        assert_ne!(second.state(), kept, "a fresh training is another");
        second.restore(&kept).expect("the same nets");
        assert!(second.state() == kept, "{normalisation:?}");
        for epoch in 2..=3 {
            let found = second.epoch(epoch, &pixels);
            assert_eq!(found, losses[epoch as usize - 1], "{normalisation:?}");
        }
        assert!(second.state() == straight.state(), "{normalisation:?}");
        // Three batches of at most four in each of three epochs.
        assert_eq!(second.state().steps, 9);
    }
}

#[test]
fn an_encoder_goes_on_bit_for_bit() {
    let gan = trained(architecture(SIZE, Normalisation::Batch));
    let (generator, discriminator) = (gan.generator().frozen(), gan.discriminator().frozen());
    let pixels = pictures(10, SIZE);
    for loss in [
        EncoderLoss::Ziz,
        EncoderLoss::Izi,
        EncoderLoss::IziF { kappa: 0.5 },
    ] {
        let rates = EncoderRates {
            loss,
            batch_size: 4,
            adam: adam(1e-3),
        };
        let new = || {
            EncoderTraining::new(
                architecture(SIZE, Normalisation::Batch),
                rates,
                (&generator, &discriminator),
                Seed(3),
                &crate::testing::device(),
            )
            .expect("a known size")
        };
        let mut straight = new();
        let losses: Vec<f64> = (1..=3).map(|at| straight.epoch(at, &pixels)).collect();
        let mut first = new();
        assert_eq!(first.epoch(1, &pixels), losses[0]);
        let (weights, moments, steps) = first.state();
        let mut second = new();
        second
            .restore((&weights, &moments, steps))
            .expect("the same net");
        for epoch in 2..=3 {
            let found = second.epoch(epoch, &pixels);
            assert_eq!(found, losses[epoch as usize - 1], "{loss:?}");
        }
        assert!(second.state() == straight.state(), "{loss:?}");
        let truth: &[f64] = &losses;
        assert!(truth[0] != truth[1], "the encoder learns: {truth:?}");
    }
}

#[test]
fn ganomaly_goes_on_bit_for_bit() {
    let pixels = pictures(10, SIZE);
    let rates = GanomalyRates {
        batch_size: 4,
        adam: adam(1e-3),
        weights: [1.0, 50.0, 1.0],
    };
    let new = || {
        let architecture = architecture(SIZE, Normalisation::Batch);
        GanomalyTraining::new(architecture, rates, Seed(3), &crate::testing::device())
            .expect("a known size")
    };
    let mut straight = new();
    let losses: Vec<EpochLosses> = (1..=3).map(|at| straight.epoch(at, &pixels)).collect();
    let mut first = new();
    assert_eq!(first.epoch(1, &pixels), losses[0]);
    let mut second = new();
    second.restore(&first.state()).expect("the same nets");
    for epoch in 2..=3 {
        assert_eq!(second.epoch(epoch, &pixels), losses[epoch as usize - 1]);
    }
    assert!(second.state() == straight.state());
    assert!(losses[2].generator < losses[0].generator, "it learns");
}

#[test]
fn a_state_of_other_nets_is_refused() {
    let state = fresh(architecture(SIZE, Normalisation::Batch), gan_rates()).state();
    let wider = Architecture {
        width: 3,
        ..architecture(SIZE, Normalisation::Batch)
    };
    let error = fresh(wider, gan_rates()).restore(&state);
    let error = error.expect_err("another width").to_string();
    assert!(
        error.contains("layers.0") || error.contains("last"),
        "{error}"
    );
    let spectral = architecture(SIZE, Normalisation::Spectral);
    let error = fresh(spectral, gan_rates()).restore(&state);
    assert!(error.is_err());
    let encoder_state = {
        let mut without = state.clone();
        without.weights.remove("discriminator.critic");
        without
    };
    let mut training = fresh(architecture(SIZE, Normalisation::Batch), gan_rates());
    let error = training
        .restore(&encoder_state)
        .expect_err("an array lacks");
    assert!(error.to_string().contains("`critic`"), "{error}");
}
