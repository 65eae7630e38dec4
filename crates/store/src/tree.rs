//! The content of a file in memory: arrays and attributes by path.

use std::collections::BTreeMap;

use crate::error::StoreError;

/// Attributes by name.
pub type Attributes = BTreeMap<String, Value>;

/// Arrays by path, with attributes on the root, on groups and on arrays.
///
/// A path is names joined by `/` without one at either end, such as `weights/conv1/bias`; what
/// stands before the last name are groups, which exist because something is in them. The root is
/// the group `""`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    arrays: BTreeMap<String, Array>,
    /// Only groups that have an attribute.
    groups: BTreeMap<String, Attributes>,
}

/// Values in row-major order, with a shape and attributes. The empty shape is one number.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    data: ArrayData,
    attributes: Attributes,
}

/// The values of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrayData {
    /// 32-bit floating-point numbers.
    F32(Vec<f32>),
    /// 64-bit floating-point numbers.
    F64(Vec<f64>),
    /// 32-bit whole numbers.
    I32(Vec<i32>),
    /// 64-bit whole numbers.
    I64(Vec<i64>),
    /// Bytes; also masks, as 0 and 1.
    U8(Vec<u8>),
    /// 64-bit whole numbers from zero.
    U64(Vec<u64>),
    /// UTF-8 texts.
    Text(Vec<String>),
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    F64(f64),
    /// A whole number.
    I64(i64),
    /// A UTF-8 text.
    Text(String),
    /// Yes or no; a byte of 0 or 1 in the file.
    Bool(bool),
}

/// A type that the values of an array may have.
pub trait Element: Sized {
    /// The name of the type in messages and hashes.
    const NAME: &'static str;

    /// The values, if they have this type.
    fn of(data: &ArrayData) -> Option<&[Self]>;
}

impl Tree {
    /// A tree with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `array` at `path`, in place of the array that may be there.
    ///
    /// # Errors
    /// [`StoreError::BadName`] when `path` is not a path, when it names a group, or when a part
    /// of it names an array.
    pub fn insert(&mut self, path: &str, array: Array) -> Result<(), StoreError> {
        check_path(path)?;
        let bad = |reason| StoreError::BadName {
            name: path.to_owned(),
            reason,
        };
        if parents(path).any(|parent| self.arrays.contains_key(parent)) {
            return Err(bad("lies inside an array"));
        }
        if self.is_group(path) {
            return Err(bad("is already a group"));
        }
        self.arrays.insert(path.to_owned(), array);
        Ok(())
    }

    /// Gives the group `path` (the root is `""`) an attribute.
    ///
    /// # Errors
    /// [`StoreError::BadName`] when `path` is not a path or names an array, or `name` is empty,
    /// contains NUL or starts with `retrial_store_`; [`StoreError::NulInText`].
    pub fn set_attribute(
        &mut self,
        path: &str,
        name: &str,
        value: impl Into<Value>,
    ) -> Result<(), StoreError> {
        if !path.is_empty() {
            check_path(path)?;
            if parents(path)
                .chain([path])
                .any(|group| self.arrays.contains_key(group))
            {
                return Err(StoreError::BadName {
                    name: path.to_owned(),
                    reason: "is an array, not a group",
                });
            }
        }
        let value = value.into();
        check_attribute(name, &value)?;
        self.groups
            .entry(path.to_owned())
            .or_default()
            .insert(name.to_owned(), value);
        Ok(())
    }

    /// Takes an attribute of the group `path` (the root is `""`) away, and returns it.
    pub fn remove_attribute(&mut self, path: &str, name: &str) -> Option<Value> {
        let attributes = self.groups.get_mut(path)?;
        let value = attributes.remove(name);
        if attributes.is_empty() {
            self.groups.remove(path);
        }
        value
    }

    /// The array at `path`.
    #[must_use]
    pub fn array(&self, path: &str) -> Option<&Array> {
        self.arrays.get(path)
    }

    /// The values of the array at `path`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] and [`StoreError::WrongType`].
    pub fn values<T: Element>(&self, path: &str) -> Result<&[T], StoreError> {
        let array = self.array(path).ok_or_else(|| StoreError::Missing {
            name: path.to_owned(),
        })?;
        array.values().ok_or_else(|| StoreError::WrongType {
            name: path.to_owned(),
            expected: T::NAME,
            found: array.data.type_name(),
        })
    }

    /// All arrays with their paths, in the order of the paths.
    pub fn arrays(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.arrays
            .iter()
            .map(|(path, array)| (path.as_str(), array))
    }

    /// An attribute of the group `path` (the root is `""`).
    #[must_use]
    pub fn attribute(&self, path: &str, name: &str) -> Option<&Value> {
        self.groups.get(path)?.get(name)
    }

    /// The groups that have attributes, in the order of their paths.
    pub fn group_attributes(&self) -> impl Iterator<Item = (&str, &Attributes)> {
        self.groups
            .iter()
            .map(|(path, attributes)| (path.as_str(), attributes))
    }

    fn is_group(&self, path: &str) -> bool {
        let inside = |other: &String| is_inside(other, path);
        self.groups.contains_key(path)
            || self.groups.keys().any(inside)
            || self.arrays.range(path.to_owned()..).any(|(k, _)| inside(k))
    }
}

impl Array {
    /// An array from its shape and its values in row-major order.
    ///
    /// # Errors
    /// [`StoreError::ShapeMismatch`] when the product of `shape` is not the number of values;
    /// [`StoreError::NulInText`].
    pub fn new(
        shape: impl Into<Vec<usize>>,
        data: impl Into<ArrayData>,
    ) -> Result<Self, StoreError> {
        let (shape, data) = (shape.into(), data.into());
        let needs = shape
            .iter()
            .try_fold(1_usize, |product, &length| product.checked_mul(length));
        if needs != Some(data.len()) {
            let got = data.len();
            return Err(StoreError::ShapeMismatch { shape, got });
        }
        if let ArrayData::Text(texts) = &data
            && texts.iter().any(|text| text.contains('\0'))
        {
            let name = "a text array".to_owned();
            return Err(StoreError::NulInText { name });
        }
        Ok(Self {
            shape,
            data,
            attributes: Attributes::new(),
        })
    }

    /// A list: an array of one dimension.
    ///
    /// # Errors
    /// [`StoreError::NulInText`].
    pub fn list(data: impl Into<ArrayData>) -> Result<Self, StoreError> {
        let data = data.into();
        Self::new([data.len()], data)
    }

    /// The same array with one more attribute.
    ///
    /// # Errors
    /// As [`Tree::set_attribute`].
    pub fn with_attribute(
        mut self,
        name: &str,
        value: impl Into<Value>,
    ) -> Result<Self, StoreError> {
        let value = value.into();
        check_attribute(name, &value)?;
        self.attributes.insert(name.to_owned(), value);
        Ok(self)
    }

    /// The length of each dimension, slowest first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values.
    #[must_use]
    pub fn data(&self) -> &ArrayData {
        &self.data
    }

    /// The values, if they have type `T`.
    #[must_use]
    pub fn values<T: Element>(&self) -> Option<&[T]> {
        T::of(&self.data)
    }

    /// The attributes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

/// One row per type: variant, Rust type, name in messages and hashes.
macro_rules! elements {
    ($($variant:ident $type:ty, $name:literal;)*) => {
        impl ArrayData {
            /// The number of values.
            #[must_use]
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$variant(values) => values.len(),)*
                }
            }

            /// Whether there is no value.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// The name of the type, such as `f32` or `text`.
            #[must_use]
            pub fn type_name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }
        }

        $(
            impl From<Vec<$type>> for ArrayData {
                fn from(values: Vec<$type>) -> Self {
                    Self::$variant(values)
                }
            }

            impl Element for $type {
                const NAME: &'static str = $name;

                fn of(data: &ArrayData) -> Option<&[Self]> {
                    match data {
                        ArrayData::$variant(values) => Some(values),
                        _ => None,
                    }
                }
            }
        )*
    };
}

elements! {
    F32 f32, "f32";
    F64 f64, "f64";
    I32 i32, "i32";
    I64 i64, "i64";
    U8 u8, "u8";
    U64 u64, "u64";
    Text String, "text";
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::F64(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::I64(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// What the names of the store's own attributes start with.
pub(crate) const RESERVED_PREFIX: &str = "retrial_store_";

/// The groups around `path`, outermost first, without the root.
pub(crate) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

fn is_inside(path: &str, group: &str) -> bool {
    path.strip_prefix(group)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn check_path(path: &str) -> Result<(), StoreError> {
    let reason = if path
        .split('/')
        .any(|name| name.is_empty() || name == "." || name == "..")
    {
        "has an empty, `.` or `..` part"
    } else if path.contains('\0') {
        "contains a NUL character"
    } else {
        return Ok(());
    };
    Err(StoreError::BadName {
        name: path.to_owned(),
        reason,
    })
}

fn check_attribute(name: &str, value: &Value) -> Result<(), StoreError> {
    let reason = if name.is_empty() {
        "of an attribute is empty"
    } else if name.contains('\0') {
        "contains a NUL character"
    } else if name.starts_with(RESERVED_PREFIX) {
        "is reserved for the store itself"
    } else {
        if let Value::Text(text) = value
            && text.contains('\0')
        {
            let name = name.to_owned();
            return Err(StoreError::NulInText { name });
        }
        return Ok(());
    };
    Err(StoreError::BadName {
        name: name.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn an_array_and_a_group_never_share_a_path() {
        let mut tree = Tree::new();
        let one = || Array::list(vec![1.0_f64]).unwrap();
        tree.insert("a/b", one()).unwrap();
        tree.insert("a!", one()).unwrap();
        tree.set_attribute("g/h", "unit", "px").unwrap();
        for path in [
            "a", "a/b/c", "g", "g/h", "", "/a", "a//c", "a/", "x/../y", "n\0",
        ] {
            let error = tree.insert(path, one()).unwrap_err();
            assert!(
                matches!(error, StoreError::BadName { .. }),
                "{path}: {error}"
            );
        }
        assert!(tree.set_attribute("a/b", "unit", "px").is_err());
        assert!(tree.set_attribute("", "retrial_store_hash", 1).is_err());
        tree.insert("a/b", one()).unwrap();
        assert_eq!(tree.arrays().count(), 2);
    }

    #[test]
    fn the_shape_must_fit() {
        assert!(Array::new([2, 3], vec![0_u8; 6]).is_ok());
        assert!(Array::new([], vec![7_i64]).is_ok());
        assert!(Array::new([0, 3], Vec::<f32>::new()).is_ok());
        let error = Array::new([2, 3], vec![0_u8; 5]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "an array of shape [2, 3] does not hold 5 values"
        );
        assert!(Array::new([usize::MAX, 2], vec![0_u8; 5]).is_err());
    }

    #[test]
    fn a_wrong_type_names_both() {
        let mut tree = Tree::new();
        tree.insert("a", Array::list(vec![1_i32]).unwrap()).unwrap();
        assert_eq!(tree.values::<i32>("a").unwrap(), [1]);
        assert_eq!(
            tree.values::<f32>("a").unwrap_err().to_string(),
            "array `a` holds i32, expected f32"
        );
        assert_eq!(
            tree.values::<f32>("b").unwrap_err().to_string(),
            "no array `b`"
        );
    }
}
