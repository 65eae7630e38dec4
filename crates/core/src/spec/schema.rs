//! JSON Schema of specs, for editors.
//!
//! Made from the same tables by which specs are checked, so the two cannot drift apart.

use serde_json::{Map, Value, json};

use super::{MAX_MEMORY_MIB, MAX_TIME_S, MIN_MEMORY_MIB, SPEC_FORMAT};
use crate::params::{Param, ParamKind};
use crate::report_spec::{Band, FigureKind, Join, Labels, Pick, Scale};
use crate::study::{DatasetInfo, StudyInfo};

/// The JSON Schema (2020-12) of experiment specs.
#[must_use]
pub fn schema(studies: &[&'static StudyInfo], datasets: &[DatasetInfo]) -> Value {
    let per_study: Vec<Value> = studies
        .iter()
        .map(|study| {
            let names: Vec<&str> = datasets
                .iter()
                .filter(|d| study.content_kinds.contains(&d.content_kind.as_str()))
                .map(|d| d.name.as_str())
                .collect();
            let mut properties = Map::new();
            properties.insert("params".to_owned(), params(study.params));
            properties.insert("sweep".to_owned(), sweep(study.params));
            if !names.is_empty() {
                properties.insert("dataset".to_owned(), json!({ "enum": names }));
            }
            json!({
                "if": { "properties": { "study": { "const": study.name } }, "required": ["study"] },
                "then": { "properties": properties },
            })
        })
        .collect();
    let studies: Vec<&str> = studies.iter().map(|study| study.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "retrial experiment",
        "type": "object",
        "required": ["question"],
        "additionalProperties": false,
        "properties": {
            "format": { "const": SPEC_FORMAT, "description": "Version of the spec format." },
            "study": { "enum": studies, "description": "The study whose trials are run." },
            "question": { "type": "string", "description": "The question the experiment answers." },
            "extends": { "type": "string", "description": "Another spec, relative to this file, whose keys this one overrides; params are merged key by key; claims, report, default and question are not inherited." },
            "dataset": { "type": "string", "description": "A folder name under datasets/." },
            "when_unavailable": { "enum": ["fail", "skip"], "description": "What to do where the data cannot be had." },
            "default": { "type": "boolean", "description": "Whether `retrial run` without a file runs it." },
            "seeds": { "type": "array", "minItems": 1, "uniqueItems": true, "items": { "type": "integer", "minimum": 0 }, "description": "One trial per seed and point; [0] if left out." },
            "params": { "type": "object", "description": "Values that stay the same." },
            "sweep": { "type": "object", "description": "Values that vary: the grid of all axes." },
            "limits": {
                "type": "object",
                "additionalProperties": false,
                "description": "Bounds on each trial.",
                "properties": {
                    "time_s": { "type": "number", "exclusiveMinimum": 0, "maximum": MAX_TIME_S, "description": "Wall time in seconds." },
                    "memory_mib": { "type": "integer", "minimum": MIN_MEMORY_MIB, "maximum": MAX_MEMORY_MIB, "description": "Address space in MiB." },
                },
            },
            "claims": { "type": "array", "items": claim() },
            "report": report(),
        },
        "allOf": per_study,
    })
}

fn params(table: &[Param]) -> Value {
    let properties: Map<String, Value> = table
        .iter()
        .map(|param| (param.name.to_owned(), param_schema(param)))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn param_schema(param: &Param) -> Value {
    let mut schema = match param.kind {
        ParamKind::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        ParamKind::OddInt { min, max } => {
            json!({ "type": "integer", "minimum": min, "maximum": max, "not": { "multipleOf": 2 } })
        }
        ParamKind::Float { min, max } => {
            json!({ "type": "number", "minimum": min, "maximum": max })
        }
        ParamKind::Bool => json!({ "type": "boolean" }),
        ParamKind::Choice(words) => json!({ "enum": words }),
        ParamKind::IntList { min, max } => json!({
            "type": "array",
            "minItems": 1,
            "items": { "type": "integer", "minimum": min, "maximum": max },
        }),
    };
    let unit = if param.unit.is_empty() {
        String::new()
    } else {
        format!(" Unit: {}.", param.unit)
    };
    schema["description"] = json!(format!("{}{unit}", param.doc));
    schema["default"] = json!(param.default.value());
    schema
}

fn sweep(table: &[Param]) -> Value {
    let mut point = params(table);
    point["properties"]["dataset"] = json!({ "type": "string" });
    let spaced = json!({
        "type": "object",
        "required": ["from", "to", "count"],
        "additionalProperties": false,
        "properties": {
            "from": { "type": "number" },
            "to": { "type": "number" },
            "count": { "type": "integer", "minimum": 1 },
        },
    });
    let axis = |item: Value| {
        json!({ "oneOf": [
            { "type": "array", "minItems": 1, "items": item },
            { "type": "object", "required": ["linspace"], "additionalProperties": false, "properties": { "linspace": spaced } },
            { "type": "object", "required": ["logspace"], "additionalProperties": false, "properties": { "logspace": spaced } },
        ] })
    };
    let axes: Map<String, Value> = table
        .iter()
        .map(|param| (param.name.to_owned(), axis(param_schema(param))))
        .chain([("dataset".to_owned(), axis(json!({ "type": "string" })))])
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

fn claim() -> Value {
    let number = json!({ "type": "number" });
    json!({
        "type": "object",
        "required": ["id", "source", "metric", "expect"],
        "additionalProperties": false,
        "properties": {
            "id": { "type": "string" },
            "source": { "type": "string", "description": "Work, table or page the value was published at." },
            "origin": { "enum": ["publication", "project"], "description": "Whose statement it is; one of this project is counted apart." },
            "metric": { "type": "string" },
            "where": { "type": "object", "description": "Param values that leave one point of the sweep." },
            "note": { "type": "string" },
            "expect": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "value": number, "abs": number, "rel": number,
                    "at_least": number, "at_most": number, "within_ci": number,
                    "ordering": {
                        "type": "object",
                        "required": ["param", "values", "direction"],
                        "additionalProperties": false,
                        "properties": {
                            "param": { "type": "string" },
                            "values": { "type": "array", "minItems": 2 },
                            "direction": { "enum": ["rising", "falling"] },
                        },
                    },
                    "exceeds": {
                        "type": "object",
                        "required": ["where"],
                        "additionalProperties": false,
                        "properties": {
                            "where": { "type": "object", "description": "Param values that lead to the other point." },
                            "by": number,
                        },
                    },
                    "not_testable": { "type": "string", "description": "The reason." },
                },
            },
        },
    })
}

fn report() -> Value {
    let table = json!({
        "type": "object",
        "required": ["values"],
        "additionalProperties": false,
        "properties": {
            "rows": texts(), "values": texts(), "where": { "type": "object" },
            "title": { "type": "string" },
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "table": table,
            "tables": { "type": "array", "items": table },
            "figures": { "type": "array", "items": figure() },
        },
    })
}

/// A text or several.
fn texts() -> Value {
    json!({ "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
}

fn figure() -> Value {
    fn words<T>(all: &[(&'static str, T)]) -> Value {
        json!({ "enum": all.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
    }
    let place = json!({
        "x": { "type": "number" }, "y": { "type": "number" }, "label": { "type": "string" },
    });
    let reference = json!({
        "type": "object",
        "required": ["x", "y", "label"],
        "additionalProperties": false,
        "properties": place,
    });
    let line = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "x": { "type": "number" }, "y": { "type": "number" },
            "slope": { "type": "number", "description": "Of a line through the origin." },
            "x_metric": { "type": "string", "description": "A vertical line at the mean of this metric." },
            "label": { "type": "string" },
        },
        "oneOf": [{ "required": ["x"] }, { "required": ["y"] }, { "required": ["slope"] }, { "required": ["x_metric"] }],
        "description": "A straight line at a fixed value.",
    });
    let diagonal = json!({
        "type": "boolean",
        "description": "Draws y = x on axes of the same range and length.",
    });
    json!({
        "type": "object",
        "required": ["kind"],
        "additionalProperties": false,
        "properties": {
            "kind": words(&FigureKind::ALL), "band": words(&Band::ALL),
            "x_scale": words(&Scale::ALL), "y_scale": words(&Scale::ALL),
            "table": { "type": "string" }, "x": { "type": "string" }, "y": texts(),
            "value": { "type": "string" }, "series": { "type": "string" },
            "where": { "type": "object", "description": "Values of params, and of `seed`." },
            "rows": { "type": "object", "description": "The text that columns of the table must hold.",
                "additionalProperties": { "type": "string" } },
            "title": { "type": "string" }, "caption": { "type": "string" },
            "reference": { "type": "array", "items": reference },
            "join": words(&Join::ALL), "lines": { "type": "array", "items": line },
            "diagonal": diagonal, "labels": words(&Labels::ALL), "pick": words(&Pick::ALL),
        },
    })
}
