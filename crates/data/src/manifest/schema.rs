//! JSON Schema of manifests, for editors. A test holds every shipped manifest against it.

use serde_json::{Value, json};

use crate::format::DECODERS;

/// The JSON Schema (2020-12) of `datasets/<name>/manifest.yaml`.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "retrial data set",
        "type": "object",
        "required": ["format", "name", "title", "kind", "licence", "redistribution", "citation", "content", "variants"],
        "additionalProperties": false,
        "properties": {
            "format": { "const": super::FORMAT, "description": "Version of the manifest format." },
            "name": { "type": "string", "pattern": "^[a-z0-9-]+$", "description": "The name of the folder." },
            "title": { "type": "string", "description": "What it is, in one line." },
            "kind": { "enum": ["real", "generated"], "description": "Whether it was measured or is made here." },
            "licence": { "type": "string", "description": "What its authors allow, or that nothing is stated." },
            "redistribution": { "enum": ["allowed", "not-stated", "forbidden"], "description": "Whether its files may be passed on." },
            "citation": { "type": "string", "description": "How to cite it." },
            "homepage": { "type": "string", "description": "Where people read about it." },
            "content": { "type": "string", "pattern": "^blake3:[0-9a-f]{64}$", "description": "Digest of the decoded content." },
            "strict": { "type": "boolean", "description": "Whether annotations and tables that could be repaired are faults." },
            "series": { "type": "object", "description": "Which picture of an image series is what." },
            "speckle": { "type": "object", "description": "What speckle series to generate." },
            "thermal": { "type": "object", "description": "Where annotations and temperatures are." },
            "pictures": { "type": "object", "description": "How the annotations of pictures are written." },
            "scenes": { "type": "object", "description": "What thermograms to generate." },
            "targets": { "type": "object", "description": "How the points of a calibration target are written." },
            "parts": { "type": "array", "items": { "type": "string" }, "minItems": 1, "description": "The data sets it is made of, by name." },
            "variants": variants(),
        },
    })
}

fn variants() -> Value {
    let decoders: Vec<&str> = DECODERS.iter().map(|decoder| decoder.name).collect();
    json!({
        "type": "array",
        "minItems": 1,
        "description": "Forms of the same content; the first that can be had is used.",
        "items": {
            "type": "object",
            "required": ["name", "decoder"],
            "additionalProperties": false,
            "properties": {
                "name": { "type": "string" },
                "decoder": { "enum": decoders },
                "files": files(),
                "sources": { "type": "array", "items": {
                    "type": "object",
                    "minProperties": 1,
                    "description": "Tried in order; `{path}` stands for the file.",
                } },
            },
        },
    })
}

fn files() -> Value {
    let sha256 = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": "sha256 of the file." });
    json!({ "oneOf": [
                            { "type": "string", "description": "A table of files beside the manifest (TSV)." },
                            { "type": "array", "items": {
                                "type": "object",
                                "required": ["path", "bytes", "sha256"],
                                "additionalProperties": false,
                                "properties": {
                                    "path": { "type": "string" },
                                    "bytes": { "type": "integer", "minimum": 0 },
                                    "sha256": sha256,
                                    "origin": { "type": "string", "description": "Its path at the source, where that differs." },
                                    "role": { "type": "string" },
                                },
                            } },
                        ] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_shipped_manifest_is_in_the_schema() {
        let schema = schema();
        let known = schema["properties"].as_object().expect("properties");
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path().join("manifest.yaml");
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let node = retrial_core::yaml::parse("manifest.yaml", &text).expect("YAML");
            let retrial_core::yaml::Value::Map(entries) = node.value else {
                panic!("a mapping");
            };
            for entry in entries {
                assert!(
                    known.contains_key(&entry.key),
                    "{}: {}",
                    path.display(),
                    entry.key
                );
            }
            seen += 1;
        }
        assert!(seen >= 20, "{seen} manifests");
    }
}
