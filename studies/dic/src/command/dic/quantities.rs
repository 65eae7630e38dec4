//! How columns are written down.

/// Columns: name, unit, meaning and values of each.
macro_rules! quantities {
    ($($name:literal, $unit:literal, $meaning:expr => $values:expr;)+) => {
        vec![$(retrial_store::Quantity {
            name: $name,
            unit: $unit,
            meaning: $meaning,
            values: $values,
        }),+]
    };
}

pub(super) use quantities;
