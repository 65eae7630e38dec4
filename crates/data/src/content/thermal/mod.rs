//! Infrared pictures with annotations: their digest, and what is there.

mod census;
mod model;

use retrial_core::census::Census;
use retrial_core::hash::FieldHasher;

pub use self::model::{ThermalPicture, ThermalSet};
use super::Model;

impl Model for ThermalSet {
    const KIND: &'static str = "infrared pictures";

    fn digest(&self) -> String {
        let mut hasher = FieldHasher::new("retrial infrared pictures v1");
        for picture in &self.pictures {
            hasher
                .field(picture.name.as_bytes())
                .field(&(picture.width as u64).to_le_bytes())
                .field(&(picture.height as u64).to_le_bytes())
                .field(picture.encoded.as_bytes());
            let temperature = picture.temperature.as_deref().unwrap_or(&[]);
            let bytes: Vec<u8> = temperature.iter().flat_map(|v| v.to_le_bytes()).collect();
            hasher.field(&bytes);
        }
        if let Some([black, white]) = self.stated_range {
            hasher.field(b"grey range");
            hasher
                .field(&black.to_le_bytes())
                .field(&white.to_le_bytes());
        }
        for set in &self.annotations {
            // A struct without maps of other keys than text always becomes JSON.
            hasher.field(serde_json::to_string(set).unwrap_or_default().as_bytes());
        }
        hasher.tagged()
    }

    fn census(&self) -> Census {
        census::census(self)
    }
}
