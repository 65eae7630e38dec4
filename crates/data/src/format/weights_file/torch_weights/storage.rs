//! The numbers behind a state dict, and the two containers they lie in.

use retrial_core::census::count;
use std::collections::HashMap;
use std::io::{Cursor, Read};

use super::model::{NamedTensor, TorchWeights};
use super::pickle::{self, Global, Numbers, Value};

/// Most values of all tensors of a file together.
pub const MAX_TENSOR_VALUES: usize = 1 << 29;
/// Largest pickle that is read, in bytes.
const MAX_PICKLE: u64 = 64 << 20;
/// The first value of a chain of pickles.
const MAGIC: &str = "6cfc9c46f9206aa85019";
/// Keys under which a checkpoint may hold its state dict.
const NESTED: [&str; 3] = ["state_dict", "model", "model_state_dict"];

/// The zip of PyTorch 1.6 and later: `NAME/data.pkl` and `NAME/data/KEY`.
pub(super) fn read_zip(bytes: &[u8]) -> Result<TorchWeights, String> {
    let damaged = |error: zip::result::ZipError| format!("a damaged zip: {error}");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut folder = None;
    for i in 0..zip.len() {
        let file = zip.by_index_raw(i).map_err(damaged)?;
        let name = file
            .name()
            .map_err(|error| format!("a damaged zip: {error}"))?;
        if let Some(found) = name.strip_suffix("/data.pkl") {
            folder = Some(found.to_owned());
        }
    }
    let folder = folder.ok_or("a zip without `data.pkl`: PyTorch did not write it")?;
    let mut member = |name: &str, limit: u64| -> Result<Vec<u8>, String> {
        let mut file = zip
            .by_name(&format!("{folder}/{name}"))
            .map_err(|error| format!("the member `{name}`: {error}"))?;
        let mut content = Vec::new();
        let read = file.by_ref().take(limit + 1).read_to_end(&mut content);
        read.map_err(|error| format!("the member `{name}`: {error}"))?;
        if content.len() as u64 > limit {
            return Err(format!("the member `{name}` has more than {limit} bytes"));
        }
        Ok(content)
    };
    if member("byteorder", 16).is_ok_and(|order| order != b"little") {
        return Err("numbers of the other byte order are not read".to_owned());
    }
    let (root, _) = pickle::read(&member("data.pkl", MAX_PICKLE)?)?;
    tensors(&root, |storage| {
        let limit = storage.count.saturating_mul(storage.numbers.bytes()) as u64;
        member(&format!("data/{}", storage.key), limit)
    })
}

/// The form before PyTorch 1.6: five pickles, then all storages.
pub(super) fn read_chain(bytes: &[u8]) -> Result<TorchWeights, String> {
    const NO_CHAIN: &str = "neither a zip nor a chain of pickles of PyTorch";
    let mut at = 0;
    let mut next = || {
        let (value, length) = pickle::read(bytes.get(at..).unwrap_or_default())?;
        at += length;
        Ok::<_, String>((value, at))
    };
    match next() {
        Ok((Value::Text(magic), _)) if &*magic == MAGIC => {}
        _ => return Err(NO_CHAIN.to_owned()),
    }
    match next()?.0 {
        Value::Int(1001) => {}
        other => return Err(format!("protocol {other:?}, expected 1001")),
    }
    if let Value::Dict(system) = next()?.0 {
        let order = system
            .iter()
            .find(|entry| text(&entry.0) == Some("little_endian"));
        if matches!(order, Some((_, Value::Bool(false)))) {
            return Err("numbers of the other byte order are not read".to_owned());
        }
    }
    let (root, _) = next()?;
    let (Value::Sequence(keys), mut at) = next()? else {
        return Err("the list of storages is missing".to_owned());
    };
    let sizes = storages(&root)?;
    let mut places = HashMap::new();
    for key in keys.iter() {
        let key = text(key).ok_or("a storage without a key")?;
        let count = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>);
        let count = count.map(|count| u64::from_le_bytes(*count));
        let size = *sizes
            .get(key)
            .ok_or_else(|| format!("nobody uses the storage {key}"))?;
        let end = count
            .and_then(|count| {
                usize::try_from(count)
                    .ok()?
                    .checked_mul(size)?
                    .checked_add(at + 8)
            })
            .filter(|&end| end <= bytes.len())
            .ok_or_else(|| format!("the file breaks off in the storage {key}"))?;
        places.insert(key.to_owned(), at + 8..end);
        at = end;
    }
    tensors(&root, |storage| {
        let place = places.get(&storage.key).cloned();
        let place = place.ok_or_else(|| format!("no storage {}", storage.key))?;
        Ok(bytes[place].to_vec())
    })
}

/// A storage as the pickle names it.
struct Storage {
    numbers: Numbers,
    key: String,
    count: usize,
}

impl Storage {
    fn read(values: &[Value]) -> Result<Self, String> {
        match values {
            [
                kind,
                Value::Global(Global::Numbers(numbers)),
                Value::Text(key),
                _,
                Value::Int(count),
                ..,
            ] if text(kind) == Some("storage") => {
                let key = key.to_string();
                let count = usize::try_from(*count).map_err(|_| format!("{count} values"))?;
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if key.is_empty() || !key.chars().all(plain) {
                    return Err(format!("{key:?} is no key of a storage"));
                }
                Ok(Self {
                    numbers: *numbers,
                    key,
                    count,
                })
            }
            _ => Err("a storage that is not understood".to_owned()),
        }
    }
}

/// The entries of the state dict, which may lie one level down in a checkpoint.
fn entries(root: &Value) -> Result<&[(Value, Value)], String> {
    let Value::Dict(entries) = root else {
        return Err("it holds no dict; a state dict of tensors is read".to_owned());
    };
    let nested = entries.iter().find_map(|(key, value)| match value {
        Value::Dict(inner) if NESTED.contains(&text(key)?) => Some(inner),
        _ => None,
    });
    Ok(nested.unwrap_or(entries))
}

/// Bytes of one value of every storage.
fn storages(root: &Value) -> Result<HashMap<String, usize>, String> {
    let mut sizes = HashMap::new();
    for (_, value) in entries(root)? {
        if let Value::Tensor(arguments) = value
            && let Some(Value::Storage(storage)) = arguments.first()
        {
            let storage = Storage::read(storage)?;
            sizes.insert(storage.key, storage.numbers.bytes());
        }
    }
    Ok(sizes)
}

fn tensors(
    root: &Value,
    mut content: impl FnMut(&Storage) -> Result<Vec<u8>, String>,
) -> Result<TorchWeights, String> {
    let mut weights = TorchWeights::default();
    // A storage is read once a tensor that lies in it.
    let mut total = 0_usize;
    for (key, value) in entries(root)? {
        let name = text(key).ok_or("a tensor whose name is no text")?;
        let fault = |what: String| format!("{name}: {what}");
        let Value::Tensor(arguments) = value else {
            return Err(fault(
                "no tensor; only a state dict of tensors is read".to_owned(),
            ));
        };
        let [
            Value::Storage(storage),
            Value::Int(offset),
            Value::Sequence(shape),
            Value::Sequence(strides),
            ..,
        ] = arguments.as_slice()
        else {
            return Err(fault("a tensor that is not understood".to_owned()));
        };
        let storage = Storage::read(storage).map_err(fault)?;
        if matches!(storage.numbers, Numbers::Whole(_)) {
            weights.skipped.push(name.to_owned());
            continue;
        }
        let view = View::new(*offset, shape, strides, storage.count).map_err(fault)?;
        total = total.saturating_add(storage.count);
        if total > MAX_TENSOR_VALUES {
            return Err(fault(format!(
                "more than {MAX_TENSOR_VALUES} values in all"
            )));
        }
        let bytes = content(&storage).map_err(fault)?;
        let numbers = storage.numbers.read(&bytes);
        if numbers.len() != storage.count {
            let (found, stated) = (numbers.len(), storage.count);
            return Err(fault(format!(
                "{} there, {stated} stated",
                count(found, "value")
            )));
        }
        weights.tensors.push(NamedTensor {
            name: name.to_owned(),
            values: view.gather(&numbers),
            shape: view.shape,
        });
    }
    Ok(weights)
}

/// Which values of a storage a tensor shows.
struct View {
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
    count: usize,
}

impl View {
    fn new(offset: i64, shape: &[Value], strides: &[Value], held: usize) -> Result<Self, String> {
        let sizes = |values: &[Value]| -> Option<Vec<usize>> {
            let size = |value: &Value| match value {
                Value::Int(size) => usize::try_from(*size).ok(),
                _ => None,
            };
            values.iter().map(size).collect()
        };
        let not_understood = || "a shape that is not understood".to_owned();
        let (shape, strides) = sizes(shape)
            .zip(sizes(strides))
            .ok_or_else(not_understood)?;
        let offset = usize::try_from(offset).map_err(|_| not_understood())?;
        if shape.len() != strides.len() || shape.len() > 8 {
            return Err(not_understood());
        }
        let count = shape
            .iter()
            .try_fold(1_usize, |n, &size| n.checked_mul(size));
        let last = shape
            .iter()
            .zip(&strides)
            .try_fold(offset, |last, (&size, &stride)| {
                last.checked_add(size.saturating_sub(1).checked_mul(stride)?)
            });
        match (count, last) {
            // A tensor with more values than its storage repeats some, as no weights do.
            (Some(count), Some(last)) if count <= held && (count == 0 || last < held) => Ok(Self {
                offset,
                shape,
                strides,
                count,
            }),
            _ => Err(format!(
                "the shape {shape:?} from value {offset} on does not fit a storage of {held}"
            )),
        }
    }

    fn gather(&self, numbers: &[f32]) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.count);
        let mut index = vec![0_usize; self.shape.len()];
        for _ in 0..self.count {
            let steps = index.iter().zip(&self.strides);
            let at: usize = steps.map(|(i, stride)| i * stride).sum();
            values.push(numbers[self.offset + at]);
            for (i, &size) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < size {
                    break;
                }
                *i = 0;
            }
        }
        values
    }
}

impl Numbers {
    /// Bytes of one value.
    fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Whole(bytes) => bytes,
        }
    }

    fn read(self, bytes: &[u8]) -> Vec<f32> {
        let halves = || {
            bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|b| u16::from_le_bytes(*b))
        };
        match self {
            Self::F32 => {
                let chunks = bytes.as_chunks::<4>().0.iter();
                chunks.map(|chunk| f32::from_le_bytes(*chunk)).collect()
            }
            Self::F64 => {
                let chunks = bytes.as_chunks::<8>().0.iter();
                chunks
                    .map(|chunk| f64::from_le_bytes(*chunk) as f32)
                    .collect()
            }
            Self::Bf16 => halves()
                .map(|bits| f32::from_bits(u32::from(bits) << 16))
                .collect(),
            Self::F16 => halves().map(half).collect(),
            Self::Whole(_) => Vec::new(),
        }
    }
}

/// An IEEE 754 binary16 number.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2.0_f32.powi(exponent - 25),
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        // `numpy.array([1, -2, 65504, 2**-24, inf, 0.1], "<f2").view("<u2")`
        let bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x2e66];
        let found = bits.map(half);
        let expected = [
            1.0,
            -2.0,
            65504.0,
            5.960_464_5e-8,
            f32::INFINITY,
            0.099_975_586,
        ];
        assert_eq!(found, expected);
    }
}
