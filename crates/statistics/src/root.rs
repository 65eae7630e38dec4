//! Where a rising function crosses zero.

/// The first number of `low..=high` where a rising function is not below zero, by bisection.
pub(crate) fn root((mut low, mut high): (f64, f64), rising: impl Fn(f64) -> f64) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if rising(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_to_the_last_bit() {
        assert_eq!(root((0.0, 2.0), |x| x * x - 2.0), 2.0_f64.sqrt());
        assert!(root((0.0, 1.0), |x| x - 1e-12) - 1e-12 < 1e-27);
    }
}
