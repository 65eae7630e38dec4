//! JSON Schema of specs, for editors: of the keys that are declared, the tables of the studies and the kinds of
//! figure, by which specs are read.

use serde_json::{Map, Value, json};

use super::keys::{FigureKeys, SpacedKeys, SpecKeys};
use super::sweep::DATASET_KEY;
use crate::keys::{Form, Kind, Kinds, titled};
use crate::params::Param;
use crate::study::{DatasetInfo, StudyInfo};

/// The JSON Schema (2020-12) of experiment specs.
#[must_use]
pub fn schema(studies: &[&'static StudyInfo], datasets: &[DatasetInfo], figures: &[Kind]) -> Value {
    let per_study = studies.iter().map(|study| {
        let names: Vec<&str> = datasets
            .iter()
            .filter(|d| study.content_kinds.contains(&d.content_kind.as_str()))
            .map(|d| d.name.as_str())
            .collect();
        let mut properties = json!({
            "params": params(study.params),
            "sweep": sweep(study.params),
        });
        if !names.is_empty() {
            properties[DATASET_KEY] = json!({ "enum": names });
        }
        json!({
            "if": { "properties": { "study": { "const": study.name } }, "required": ["study"] },
            "then": { "properties": properties },
        })
    });
    let per_study: Vec<Value> = per_study.collect();
    let names: Vec<&str> = studies.iter().map(|study| study.name).collect();
    let mut schema = SpecKeys::MAP.schema();
    schema["properties"]["study"]["enum"] = json!(names);
    schema["properties"]["report"]["properties"]["figures"]["items"] =
        Kinds(figures).schema(FigureKeys::MAP);
    // A file may leave to the one that it extends what speaks not of itself alone.
    let needed = |own: bool| -> Vec<&str> {
        let keys = SpecKeys::MAP.keys.iter();
        let keys = keys.filter(|key| key.needed && key.own == own);
        keys.map(|key| key.name).collect()
    };
    schema["required"] = json!(needed(true));
    schema["anyOf"] = json!([{ "required": ["extends"] }, { "required": needed(false) }]);
    schema["allOf"] = json!(per_study);
    titled("retrial experiment", schema)
}

fn params(table: &[Param]) -> Value {
    let properties: Map<String, Value> = table
        .iter()
        .map(|param| (param.name.to_owned(), param_schema(param)))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn param_schema(param: &Param) -> Value {
    let unit = match param.unit {
        "" => String::new(),
        unit => format!(" Unit: {unit}."),
    };
    let mut schema = Form::from(param.kind).schema();
    schema["description"] = json!(format!("{}{unit}", param.doc));
    schema["default"] = json!(param.default.value());
    schema
}

fn sweep(table: &[Param]) -> Value {
    let mut point = params(table);
    point["properties"][DATASET_KEY] = json!({ "type": "string" });
    let spaced = SpacedKeys::MAP.schema();
    let axis = |item: Value| json!({ "oneOf": [{ "type": "array", "minItems": 1, "items": item }, spaced] });
    let axes: Map<String, Value> = table
        .iter()
        .map(|param| (param.name.to_owned(), axis(param_schema(param))))
        .chain([(DATASET_KEY.to_owned(), axis(json!({ "type": "string" })))])
        .collect();
    let mut properties = axes.clone();
    properties.insert(
        "zip".to_owned(),
        json!({ "type": "object", "additionalProperties": false, "properties": axes, "description": "Params that vary together, in lists of equal length." }),
    );
    properties.insert(
        "points".to_owned(),
        json!({ "type": "array", "minItems": 1, "items": point, "description": "Points one by one, each setting the same params." }),
    );
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}
