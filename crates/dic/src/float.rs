//! Numbers that are kept whatever they are, for `#[serde(with = "retrial_dic::float")]`: JSON has no word for what is
//! not finite, and would make it `null`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// A finite number as it is, another as the text `NaN`, `inf` or `-inf`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match value.is_finite() {
        true => serializer.serialize_f64(*value),
        false => serializer.collect_str(value),
    }
}

/// What [`serialize`] wrote.
///
/// # Errors
/// Those of the deserializer, and a text that is no number.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(value) => Ok(value),
        Written::Text(text) => text.parse().map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "super")] f64);

    #[test]
    fn every_number_comes_back() {
        for value in [
            0.1,
            -0.0,
            1e-310,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            let text = serde_json::to_string(&One(value)).expect("writes");
            let One(back) = serde_json::from_str(&text).expect("reads");
            assert_eq!(back.to_bits(), value.to_bits(), "{text}");
        }
        assert!(serde_json::from_str::<One>("\"seven\"").is_err());
    }
}
