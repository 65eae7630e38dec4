//! Moment invariants against OpenCV 5.0.0; `../golden/make.py` prints what it says.

use retrial_classical::{hu_of_grey, hu_of_mask};
use retrial_image::{GrayImage, InstanceMask};

const OF_MASK: [f64; 7] = [
    0.2142390230723071,
    0.0171508627801408,
    0.0013903797374150068,
    0.0004241610387847239,
    3.2514104858923175e-07,
    5.445297261209224e-05,
    -1.9642594447303537e-08,
];
const OF_GREY: [f64; 7] = [
    0.004454547698745636,
    7.347379829448184e-06,
    1.4236058251877752e-08,
    4.117398544109977e-09,
    3.147769049721936e-17,
    1.1004114276149823e-11,
    -1.6918309115848588e-18,
];

/// The formulas of `make.py`.
fn mask() -> InstanceMask {
    let inside = |at: usize| {
        let (x, y) = ((at % 64) as i64, (at / 64) as i64);
        let is_disc = (x - 20) * (x - 20) + 2 * (y - 22) * (y - 22) < 300;
        is_disc || (26..50).contains(&x) && (21..31).contains(&y)
    };
    InstanceMask::new(48, 64, (0..48 * 64).map(inside).collect()).expect("a full mask")
}

/// Within `relative`, or within what rounding leaves of a difference of larger terms.
fn close(got: [f64; 7], want: [f64; 7], relative: f64) {
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= relative * want.abs(), "{got} {want}");
    }
}

#[test]
fn equal_to_opencv() {
    let mask = mask();
    close(
        hu_of_mask(&mask).expect("a mask that is not empty"),
        OF_MASK,
        1e-9,
    );
    let grey = GrayImage::from_fn(64, 48, |x, y| ((x * 3 + y * y) % 97) as f32);
    let grey = grey.expect("a valid size");
    let hu = hu_of_grey(&grey, &mask)
        .expect("one size")
        .expect("values that differ");
    close(hu, OF_GREY, 1e-8);
}
