//! Elementary functions of this program, the same on every machine.
//!
//! The standard library calls `sin`, `exp` and their like in the C library, which has other last digits from
//! one version to the next and from one CPU to the next. A linker takes a definition of the program before
//! that of a library. So these here serve the whole program, with every crate that it is made of, and its
//! numbers depend on its own code alone. They are those of the crate `libm`, a translation of musl's into
//! Rust; their errors are below 1 unit in the last place, of `tgamma` and Bessel functions, which nothing here
//! calls, more.

/// Functions of one or two numbers under the name that C gives them.
macro_rules! instead_of_c {
    ($($name:ident($($argument:ident),+) of $number:ty;)+) => {$(
        // SAFETY: C declares a function of this name with these numbers, and this one computes it.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $number),+) -> $number {
            libm::$name($($argument),+)
        }
    )+

    #[cfg(test)]
    fn names() -> Vec<&'static str> {
        vec![$(stringify!($name)),+]
    }};
}

instead_of_c! {
    sin(x) of f64; cos(x) of f64; tan(x) of f64;
    asin(x) of f64; acos(x) of f64; atan(x) of f64; atan2(y, x) of f64;
    sinh(x) of f64; cosh(x) of f64; tanh(x) of f64;
    exp(x) of f64; exp2(x) of f64; exp10(x) of f64; expm1(x) of f64;
    log(x) of f64; log2(x) of f64; log10(x) of f64; log1p(x) of f64;
    pow(x, y) of f64; cbrt(x) of f64; hypot(x, y) of f64;
    sinf(x) of f32; cosf(x) of f32; tanf(x) of f32;
    asinf(x) of f32; acosf(x) of f32; atanf(x) of f32; atan2f(y, x) of f32;
    sinhf(x) of f32; coshf(x) of f32; tanhf(x) of f32;
    expf(x) of f32; exp2f(x) of f32; exp10f(x) of f32; expm1f(x) of f32;
    logf(x) of f32; log2f(x) of f32; log10f(x) of f32; log1pf(x) of f32;
    powf(x, y) of f32; cbrtf(x) of f32; hypotf(x, y) of f32;
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
    let both = libm::sincosf(x);
    // SAFETY: see above.
    unsafe {
        *sin = both.0;
        *cos = both.1;
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    /// The standard library's functions are these: every bit is the same. With another C library's, some
    /// thousands of the sixty thousand values would differ.
    #[test]
    fn the_standard_library_calls_these() {
        assert_eq!(super::names().len(), 42);
        let mut differing = Vec::new();
        let mut tell = |name: &'static str, own: u64, std: u64| {
            if own != std && !differing.contains(&name) {
                differing.push(name);
            }
        };
        macro_rules! compare {
            ($x:ident, $($std:expr => $own:ident;)+) => {$(
                tell(stringify!($own), libm::$own($x).to_bits().into(), $std.to_bits().into());
            )+};
        }
        for step in 1..2000_u32 {
            let x = black_box(f64::from(step) * 0.000_497_3);
            compare! {x,
                x.sin() => sin; x.cos() => cos; x.tan() => tan; x.asin() => asin;
                x.acos() => acos; x.atan() => atan; x.sinh() => sinh;
                x.cosh() => cosh; x.tanh() => tanh; x.exp() => exp;
                x.exp2() => exp2; x.exp_m1() => expm1; x.ln() => log;
                x.log2() => log2; x.log10() => log10; x.ln_1p() => log1p;
                x.cbrt() => cbrt;
            }
            let y = black_box(1.7 + x);
            tell("pow", libm::pow(x, y).to_bits(), x.powf(y).to_bits());
            tell("atan2", libm::atan2(x, y).to_bits(), x.atan2(y).to_bits());
            tell("hypot", libm::hypot(x, y).to_bits(), x.hypot(y).to_bits());
            let both = (x.sin(), x.cos());
            assert_eq!(both, libm::sincos(x), "{x}");
            let x = black_box(x as f32);
            compare! {x,
                x.sin() => sinf; x.cos() => cosf; x.tan() => tanf; x.asin() => asinf;
                x.acos() => acosf; x.atan() => atanf; x.sinh() => sinhf;
                x.cosh() => coshf; x.tanh() => tanhf; x.exp() => expf;
                x.exp2() => exp2f; x.exp_m1() => expm1f; x.ln() => logf;
                x.log2() => log2f; x.log10() => log10f; x.ln_1p() => log1pf;
                x.cbrt() => cbrtf;
            }
            let y = black_box(1.7 + x);
            tell(
                "powf",
                libm::powf(x, y).to_bits().into(),
                x.powf(y).to_bits().into(),
            );
            tell(
                "atan2f",
                libm::atan2f(x, y).to_bits().into(),
                x.atan2(y).to_bits().into(),
            );
            tell(
                "hypotf",
                libm::hypotf(x, y).to_bits().into(),
                x.hypot(y).to_bits().into(),
            );
        }
        assert!(differing.is_empty(), "{differing:?}");
    }
}
