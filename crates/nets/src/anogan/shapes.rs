//! Sizes of images, latents and features of all nets.

use retrial_seed::Seed;

use super::small::{LATENT, adam, architecture, drawn, fresh, gan_rates, pictures};
use super::*;

fn encoder_rates() -> EncoderRates {
    EncoderRates {
        loss: EncoderLoss::Izi,
        batch_size: 3,
        adam: adam(1e-3),
    }
}

fn ganomaly_rates() -> GanomalyRates {
    GanomalyRates {
        batch_size: 3,
        adam: adam(1e-3),
        weights: [1.0, 50.0, 1.0],
    }
}

#[test]
fn every_image_size_has_its_nets() {
    let device = crate::testing::device();
    // Inner side and channels by hand: 64 halved four times is 4, 32 three times 4, 28 twice 7;
    // channels begin at 2 and double.
    for (size, features) in [(64, 4 * 4 * 16), (32, 4 * 4 * 8), (28, 7 * 7 * 4)] {
        let architecture = architecture(size, Normalisation::Batch);
        let mut training = fresh(architecture, gan_rates());
        let pixels = pictures(3, size);
        assert!(training.epoch(1, &pixels).generator.is_finite());
        let images = images(&pixels, size, &device);
        let generator = training.generator().frozen();
        assert_eq!(generator.latent_size(), LATENT);
        let z = latents(&drawn(3, "z"), LATENT, &device);
        assert_eq!(generator.draw(z).dims(), [3, size, size, 1]);
        let discriminator = training.discriminator().frozen();
        assert_eq!(discriminator.features(images.clone()).dims(), [3, features]);

        let nets = (&generator, &discriminator);
        let encoder = EncoderTraining::new(architecture, encoder_rates(), nets, Seed(0), &device);
        let mut encoder = encoder.expect("a known size");
        assert!(encoder.epoch(1, &pixels).is_finite());
        let encoder = encoder.frozen();
        assert_eq!(encoder.encode(images.clone()).dims(), [3, LATENT]);
        let compared = compare(
            (&encoder, &generator, &discriminator),
            images.clone(),
            Difference::Squared,
        );
        assert_eq!(compared.images.len(), pixels.len());
        assert_eq!(
            (compared.residual.len(), compared.discrimination.len()),
            (3, 3)
        );

        let ganomaly = GanomalyTraining::new(architecture, ganomaly_rates(), Seed(0), &device);
        let mut ganomaly = ganomaly.expect("a known size");
        assert!(ganomaly.epoch(1, &pixels).generator.is_finite());
        let (image, latent, again) = ganomaly.frozen().score(images, Difference::Absolute);
        assert_eq!(
            (image.len(), latent.len(), again.len()),
            (3, 3, pixels.len())
        );
    }
}

#[test]
fn other_sizes_are_refused() {
    let device = crate::testing::device();
    let known = fresh(architecture(28, Normalisation::Batch), gan_rates());
    let (generator, discriminator) = (known.generator().frozen(), known.discriminator().frozen());
    for image_size in [0, 24, 30, 128] {
        let architecture = architecture(image_size, Normalisation::Batch);
        let start = Initialisation::Torch;
        let refused = ArchitectureError { image_size };
        let gan = GanTraining::new(architecture, gan_rates(), start, Seed(0), &device);
        assert_eq!(gan.err(), Some(refused));
        let nets = (&generator, &discriminator);
        let encoder = EncoderTraining::new(architecture, encoder_rates(), nets, Seed(0), &device);
        assert_eq!(encoder.err(), Some(refused));
        let ganomaly = GanomalyTraining::new(architecture, ganomaly_rates(), Seed(0), &device);
        assert_eq!(ganomaly.err(), Some(refused));
        assert!(refused.to_string().contains(&image_size.to_string()));
    }
}

#[test]
fn images_are_compared_as_the_formulas_say() {
    let device = crate::testing::device();
    let known = fresh(architecture(28, Normalisation::Batch), gan_rates());
    let (generator, discriminator) = (known.generator().frozen(), known.discriminator().frozen());
    let nets = (&generator, &discriminator);
    let architecture = architecture(28, Normalisation::Batch);
    let encoder = EncoderTraining::new(architecture, encoder_rates(), nets, Seed(0), &device);
    let encoder = encoder.expect("a known size").frozen();
    let pixels = pictures(2, 28);
    let x = images(&pixels, 28, &device);
    let area = 28 * 28;
    for (difference, power) in [(Difference::Absolute, 1), (Difference::Squared, 2)] {
        let all = (&encoder, &generator, &discriminator);
        let compared = compare(all, x.clone(), difference);
        for item in 0..2 {
            let range = item * area..(item + 1) * area;
            let pairs = pixels[range.clone()].iter().zip(&compared.images[range]);
            let each = pairs.map(|(a, b)| f64::from((a - b).abs()).powi(power));
            let mean = each.sum::<f64>() / area as f64;
            let found = compared.residual[item];
            assert!((found / mean - 1.0).abs() < 1e-5, "{found} {mean}");
        }
    }
}
