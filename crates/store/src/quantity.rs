//! Columns of results that say what they are: name, unit and meaning travel with the values.

/// A column of results, one value a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// A short name, such as `u`.
    pub name: &'static str,
    /// Its unit, such as `px`; empty for a plain number.
    pub unit: &'static str,
    /// What it is, in one line.
    pub meaning: &'static str,
    /// The values.
    pub values: Values,
}

/// The values of a [`Quantity`].
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers; NaN where there is none.
    F64(Vec<f64>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Codes, each with its word at its place in the list.
    Code(Vec<u8>, &'static [&'static str]),
}

impl Quantity {
    /// Name, unit and meaning as one line: `u [px]: displacement to the right`.
    #[must_use]
    pub fn line(&self) -> String {
        let (name, unit, meaning) = (self.name, self.unit, self.meaning);
        let unit = if unit.is_empty() { "-" } else { unit };
        format!("{name} [{unit}]: {meaning}")
    }

    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            Values::F64(values) => values.len(),
            Values::I64(values) => values.len(),
            Values::Code(codes, _) => codes.len(),
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as little-endian bytes, and their type in the words of NPY and of VTK.
    pub(crate) fn bytes(&self) -> (Vec<u8>, &'static str, &'static str) {
        match &self.values {
            Values::F64(values) => {
                let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (bytes, "<f8", "Float64")
            }
            Values::I64(values) => {
                let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (bytes, "<i8", "Int64")
            }
            Values::Code(codes, _) => (codes.clone(), "|u1", "UInt8"),
        }
    }

    /// The values with a place for each of `cells`; places without a value hold NaN, the smallest
    /// whole number or the largest code.
    pub(crate) fn spread(&self, cells: &[Option<usize>]) -> Self {
        fn place<T: Copy>(values: &[T], cells: &[Option<usize>], none: T) -> Vec<T> {
            let at = |cell: &Option<usize>| cell.and_then(|i| values.get(i).copied());
            cells.iter().map(|cell| at(cell).unwrap_or(none)).collect()
        }
        let values = match &self.values {
            Values::F64(values) => Values::F64(place(values, cells, f64::NAN)),
            Values::I64(values) => Values::I64(place(values, cells, i64::MIN)),
            Values::Code(codes, words) => Values::Code(place(codes, cells, u8::MAX), words),
        };
        Self { values, ..*self }
    }
}
