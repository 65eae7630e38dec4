//! The hash of what a tree says, whatever file it came from.

use retrial_core::hash::FieldHasher;

use crate::tree::{ArrayData, Attributes, Tree, Value};

impl Tree {
    /// The hash of all paths, types, shapes, values and attributes, as `blake3:…`.
    ///
    /// The same before writing and after reading, on every machine and with every version of the
    /// HDF5 library: values enter as little-endian bytes, attributes in the order of their names.
    #[must_use]
    pub fn content_hash(&self) -> String {
        let mut hasher = FieldHasher::new("retrial store tree v1");
        for (path, attributes) in self.group_attributes() {
            hasher.field(b"group").field(path.as_bytes());
            hash_attributes(&mut hasher, attributes);
        }
        for (path, array) in self.arrays() {
            hasher.field(b"array").field(path.as_bytes());
            hasher.field(array.data().type_name().as_bytes());
            let dimensions: Vec<u64> = array.shape().iter().map(|&n| n as u64).collect();
            hasher.field(&little_endian(&dimensions, u64::to_le_bytes));
            hash_data(&mut hasher, array.data());
            hash_attributes(&mut hasher, array.attributes());
        }
        hasher.tagged()
    }
}

fn hash_attributes(hasher: &mut FieldHasher, attributes: &Attributes) {
    for (name, value) in attributes {
        hasher.field(b"attribute").field(name.as_bytes());
        match value {
            Value::F64(number) => hasher.field(b"f64").field(&number.to_le_bytes()),
            Value::I64(number) => hasher.field(b"i64").field(&number.to_le_bytes()),
            Value::Text(text) => hasher.field(b"text").field(text.as_bytes()),
            Value::Bool(yes) => hasher.field(b"bool").field(&[u8::from(*yes)]),
        };
    }
}

fn hash_data(hasher: &mut FieldHasher, data: &ArrayData) {
    match data {
        ArrayData::F32(values) => hasher.field(&little_endian(values, f32::to_le_bytes)),
        ArrayData::F64(values) => hasher.field(&little_endian(values, f64::to_le_bytes)),
        ArrayData::I32(values) => hasher.field(&little_endian(values, i32::to_le_bytes)),
        ArrayData::I64(values) => hasher.field(&little_endian(values, i64::to_le_bytes)),
        ArrayData::U8(values) => hasher.field(values),
        ArrayData::U64(values) => hasher.field(&little_endian(values, u64::to_le_bytes)),
        // The shape before them says how many there are.
        ArrayData::Text(texts) => texts
            .iter()
            .fold(hasher, |hasher, text| hasher.field(text.as_bytes())),
    };
}

fn little_endian<T: Copy, const N: usize>(values: &[T], bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| bytes(value)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::tree::Array;

    /// A tree with every type, a scalar, an empty array, texts and attributes at every place.
    pub(crate) fn example() -> Tree {
        let mut tree = Tree::new();
        let mut put = |path: &str, array: Array| tree.insert(path, array).unwrap();
        put(
            "fields/u",
            Array::new(
                [2, 3],
                vec![0.5_f64, -0.0, f64::INFINITY, 1e-300, -7.25, 2.0],
            )
            .unwrap()
            .with_attribute("unit", "px")
            .unwrap()
            .with_attribute("step_px", 5)
            .unwrap(),
        );
        put("fields/mask", Array::list(vec![0_u8, 1, 255]).unwrap());
        put(
            "weights/conv1/bias",
            Array::list(vec![0.1_f32, -0.2]).unwrap(),
        );
        put("count", Array::new([], vec![u64::MAX]).unwrap());
        put(
            "labels",
            Array::new([1, 2], vec![-1_i32, i32::MIN]).unwrap(),
        );
        put("epochs", Array::list(vec![i64::MIN, 0, i64::MAX]).unwrap());
        put("nothing", Array::new([0, 4], Vec::<f32>::new()).unwrap());
        put(
            "names",
            Array::list(vec!["µm".to_owned(), String::new(), "a,b\n".to_owned()]).unwrap(),
        );
        tree.set_attribute("", "study", "größe").unwrap();
        tree.set_attribute("", "finished", true).unwrap();
        tree.set_attribute("fields", "noise_floor", 0.012).unwrap();
        tree.set_attribute("empty group", "round", -3).unwrap();
        tree
    }

    #[test]
    fn golden() {
        // Printed once by this program; a change of it makes every recorded hash worthless.
        assert_eq!(
            example().content_hash(),
            "blake3:eafd13a210b95f538b4b574d04f1d39966d6e25883793f002967914bc197b390"
        );
    }

    #[test]
    fn everything_counts() {
        let mut hashes = vec![example().content_hash(), Tree::new().content_hash()];
        let mut changed = |change: &dyn Fn(&mut Tree)| {
            let mut tree = example();
            change(&mut tree);
            hashes.push(tree.content_hash());
        };
        let list = |values: Vec<f32>| Array::list(values).unwrap();
        changed(&|tree| tree.insert("new", list(vec![])).unwrap());
        changed(&|tree| tree.insert("nothing", list(vec![])).unwrap());
        changed(&|tree| {
            tree.insert("weights/conv1/bias", list(vec![0.1, 0.2]))
                .unwrap();
        });
        changed(&|tree| {
            let bits = Array::list(vec![0.1_f32.to_bits() as i32, (-0.2_f32).to_bits() as i32]);
            tree.insert("weights/conv1/bias", bits.unwrap()).unwrap();
        });
        changed(&|tree| {
            let column = Array::new([2, 1], vec![-1_i32, i32::MIN]).unwrap();
            tree.insert("labels", column).unwrap();
        });
        changed(&|tree| {
            let texts = ["µm", "a,b\n", ""].map(str::to_owned);
            tree.insert("names", Array::list(texts.to_vec()).unwrap())
                .unwrap();
        });
        changed(&|tree| tree.set_attribute("", "finished", 1).unwrap());
        changed(&|tree| tree.set_attribute("fields", "noise_floor", 0.013).unwrap());
        changed(&|tree| tree.set_attribute("count is", "study", "größe").unwrap());
        let all = hashes.len();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), all);
    }
}
