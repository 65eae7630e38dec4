//! Tensors that torchvision 0.21 computed, read from the mirror of real data.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};

/// One file of tensors.
pub(crate) struct Tensors {
    bytes: Vec<u8>,
}

impl Tensors {
    /// `parity/<name>.safetensors` of the mirror.
    pub(crate) fn open(name: &str) -> Self {
        let mirror = std::env::var_os("RETRIAL_MIRROR");
        let mirror = mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data");
        let path = Path::new(&mirror).join(format!("parity/{name}.safetensors"));
        let bytes = std::fs::read(&path);
        Self {
            bytes: bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    }

    fn data(&self, name: &str, kind: Dtype) -> (Vec<usize>, Vec<u8>) {
        let file = SafeTensors::deserialize(&self.bytes).expect("the file is whole");
        let view = file.tensor(name).expect("the tensor is there");
        assert_eq!(view.dtype(), kind, "{name}");
        (view.shape().to_vec(), view.data().to_vec())
    }

    pub(crate) fn shape(&self, name: &str) -> Vec<usize> {
        self.data(name, Dtype::F32).0
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        let (_, data) = self.data(name, Dtype::F32);
        let (numbers, _) = data.as_chunks::<4>();
        numbers.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    pub(crate) fn indices(&self, name: &str) -> Vec<usize> {
        let (_, data) = self.data(name, Dtype::I64);
        let (numbers, _) = data.as_chunks::<8>();
        let index = |b: &[u8; 8]| usize::try_from(i64::from_le_bytes(*b)).expect("an index");
        numbers.iter().map(index).collect()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.data(name, Dtype::U8).1
    }

    /// Rows of four numbers.
    pub(crate) fn boxes(&self, name: &str) -> Vec<[f32; 4]> {
        let floats = self.floats(name);
        let (boxes, rest) = floats.as_chunks::<4>();
        assert!(rest.is_empty(), "{name}");
        boxes.to_vec()
    }
}
