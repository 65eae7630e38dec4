//! `several`: a data set made of others, each decoded as it is alone.

use retrial_core::hash::FieldHasher;

use super::Inputs;
use crate::content::Content;
use crate::error::DataError;
use crate::load;

/// Decodes the parts, in the manifest's order.
pub(super) fn decode(inputs: &Inputs<'_>) -> Result<Content, DataError> {
    let parts = inputs.parts.iter().map(|(manifest, obtained)| {
        let content = load::decode(manifest, obtained)?;
        Ok((manifest.name.clone(), content))
    });
    Ok(Content::Several(parts.collect::<Result<_, DataError>>()?))
}

/// The digest of a data set made of others: their names and digests, in order. So a plan needs no
/// data, and a part that changes is seen.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut hasher = FieldHasher::new("retrial several data sets v1");
    for (name, digest) in parts {
        hasher.field(name.as_bytes()).field(digest.as_bytes());
    }
    hasher.tagged()
}
