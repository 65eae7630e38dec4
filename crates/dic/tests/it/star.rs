//! Resolution, noise and stated uncertainty on published pictures.

use retrial_dic::{
    CUT_OFF_LEVEL, Field, Guess, NoiseLevel, Reference, Settings, ShapeOrder, Status, correlate,
    image_quality, measured_cut_off, noise_of_pair, prepare, prepare_points, residual_noise,
    sensitivity, theoretical_cut_off, uncertainty,
};
use retrial_image::GrayImage;

use crate::support::{read, real_series, sample3};

fn settings(subset_size_px: usize, shape_order: ShapeOrder, step_px: usize) -> Settings {
    Settings::default()
        .with_side_px(subset_size_px)
        .with_shape_order(shape_order)
        .with_step_px(step_px)
}

/// Shares of the errors `measured − (u, v)` within 1 and 1.96 stated uncertainties.
fn coverage(reference: &Reference, field: &mut Field, (u, v): (f64, f64)) -> [f64; 2] {
    let sensitivity = sensitivity(reference).expect("valid settings");
    let stated = uncertainty(&sensitivity, field, NoiseLevel::Residual).expect("one field");
    let each = field.points.iter().zip(&stated);
    let ratios: Vec<f64> = each
        .filter_map(|(point, one)| one.map(|one| (point, one)))
        .flat_map(|(point, one)| [(point.u() - u) / one.u, (point.v() - v) / one.v])
        .collect();
    [1.0, 1.96].map(|reach| {
        let within = ratios.iter().filter(|ratio| ratio.abs() <= reach).count();
        within as f64 / ratios.len() as f64
    })
}

fn assert_normal([narrow, wide]: [f64; 2]) {
    println!("coverage {narrow:.3} {wide:.3}");
    assert!((narrow - 0.683).abs() < 0.05 && (wide - 0.95).abs() < 0.03);
}

/// Star 5, periods of 10 to 300 px, centre row 250: cut-off within 5 % of theory.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn the_cut_off_of_star_5_is_that_of_theory() {
    let folder = real_series("star5_wave_noisy");
    let first = read(&folder.join("DIC_Challenge_Star_Noise_Ref.tiff"));
    let second = read(&folder.join("DIC_Challenge_Star_Noise_Def.tiff"));
    for (size, order) in [
        (11, ShapeOrder::One),
        (31, ShapeOrder::One),
        (21, ShapeOrder::Two),
    ] {
        let settings = settings(size, order, 1);
        let half = size / 2;
        let points = (half..first.width() - half).map(|x| (x, 250)).collect();
        let reference = prepare_points(&first, points, &settings).expect("the points lie inside");
        let field = correlate(&reference, &second, Guess::Phase).expect("images of one size");
        let converged = field
            .points
            .iter()
            .filter(|point| point.status == Status::Converged);
        let shares: Vec<(f64, f64)> = converged
            .map(|point| (10.0 + 0.0725 * point.x as f64, point.v() / 0.5))
            .collect();
        let found = measured_cut_off(&shares, CUT_OFF_LEVEL).expect("a crossing");
        let theory = theoretical_cut_off(size, settings.subset_shape, order, CUT_OFF_LEVEL)
            .expect("a subset smooths");
        println!("{size} {order:?}: {found:.2} px, theory {theory:.2} px");
        assert!((found / theory - 1.0).abs() < 0.05, "{found} {theory}");
    }
}

/// Two pictures of one scene: the residuals give the noise that their difference gives, and the
/// stated uncertainties hold as many errors as they should.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn noise_copies_of_star_2() {
    let folder = real_series("star1_star2_wave");
    let whole = read(&folder.join("DIC_Challenge_Wave_Reference_Noisy.tif"));
    let copy = read(&folder.join("Star2_noise_copy_rows123_378.png"));
    let rows = whole.pixels()[123 * 2000..379 * 2000].to_vec();
    let first = GrayImage::new(2000, 256, rows).expect("256 rows");
    let difference = noise_of_pair(&first, &copy).expect("images of one size");
    for (size, order) in [(17, ShapeOrder::One), (31, ShapeOrder::Two)] {
        let reference = prepare(&first, None, &settings(size, order, 15)).expect("valid settings");
        let mut field = correlate(&reference, &copy, Guess::Phase).expect("images of one size");
        let sensitivity = sensitivity(&reference).expect("valid settings");
        let found = residual_noise(&sensitivity, &field).expect("one field");
        let found = found.expect("points converged");
        assert!(
            (found / difference - 1.0).abs() < 0.02,
            "{found} {difference}"
        );
        assert_normal(coverage(&reference, &mut field, (0.0, 0.0)));
    }
}

/// Sample 3, its picture shifted by 0.5 px, 36 px and more inside: the random error lies between
/// the bound and 1.25 of it. In the whole picture it is 1.32, perhaps because a
/// shift by the Fourier transform brings the other border in; that was not examined.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn sample_3_at_half_a_pixel() {
    let folder = real_series("sample03_fft_shift");
    let (first, shifted) = sample3(&folder);
    let noise = noise_of_pair(&first, &shifted[0].image).expect("images of one size");
    assert!((noise - 1.08).abs() < 0.01, "{noise}");
    let settings = settings(41, ShapeOrder::One, 10);
    let reference = prepare(&first, None, &settings).expect("valid settings");
    let mut field = correlate(&reference, &shifted[5].image, Guess::Phase).expect("one size");
    assert_normal(coverage(&reference, &mut field, (0.5, 0.5)));
    let quality = image_quality(&first, None, &settings, noise).expect("valid settings");
    let far = |at: usize| (36..512 - 36).contains(&at);
    let inside: Vec<_> = (field.points.iter().zip(&quality.points))
        .filter(|(point, _)| far(point.x) && far(point.y))
        .collect();
    let squares: f64 = inside.iter().map(|(_, q)| q.bound.0.powi(2)).sum();
    let mean = inside.iter().map(|(point, _)| point.u()).sum::<f64>() / inside.len() as f64;
    let spread: f64 = (inside.iter())
        .map(|(point, _)| (point.u() - mean).powi(2))
        .sum();
    let ratio = (spread / squares).sqrt();
    assert!((0.95..1.25).contains(&ratio), "{ratio}");
}
