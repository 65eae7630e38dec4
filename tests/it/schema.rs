//! The JSON Schemas that the program prints, held against what it reads.

use std::path::{Path, PathBuf};
use std::process::Command;

use retrial_core::yaml;
use serde_json::{Map, Value, json};

use crate::project::{Project, RETRIAL};

fn schema(of: &str) -> Value {
    let output = Command::new(RETRIAL)
        .args(["schema", of])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the program starts");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The YAML files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let found = paths.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    found
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect()
}

/// A file as its reader sees it.
fn read(text: &str) -> Value {
    fn json(node: yaml::Node) -> Value {
        match node.value {
            yaml::Value::Null => Value::Null,
            yaml::Value::Bool(value) => json!(value),
            yaml::Value::Int(value) => json!(value),
            yaml::Value::Float(value) => json!(value),
            yaml::Value::Text(value) => json!(value),
            yaml::Value::List(items) => items.into_iter().map(json).collect(),
            yaml::Value::Map(entries) => {
                let entries = entries.into_iter();
                let entries = entries.map(|entry| (entry.key, json(entry.node)));
                Value::Object(entries.collect::<Map<String, Value>>())
            }
        }
    }
    json(yaml::parse("t.yaml", text).expect("YAML"))
}

/// Where a value breaks a schema, by the words that our schemas have. The patterns of texts stay with the reader.
fn faults(schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let Value::Object(words) = schema else {
        return match schema {
            Value::Bool(false) => vec![format!("{path}: does not belong here")],
            _ => Vec::new(),
        };
    };
    let mut found = Vec::new();
    for (word, rule) in words {
        let fits = |schema: &Value| faults(schema, value, path).is_empty();
        let below = |key: &str, schema: &Value| match value.get(key) {
            Some(own) => faults(schema, own, &format!("{path}.{key}")),
            None => Vec::new(),
        };
        let list = || rule.as_array().expect("a list").iter();
        let number = |holds: fn(f64, f64) -> bool| {
            let rule = rule.as_f64().expect("a number");
            value.as_f64().is_none_or(|value| holds(value, rule))
        };
        let length = value.as_array().map_or(0, Vec::len) as f64;
        let holds = match word.as_str() {
            "$schema" | "title" | "description" | "default" | "pattern" | "then" => true,
            "type" => match rule.as_str().expect("a word") {
                "string" => value.is_string(),
                "number" => value.is_number(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                other => panic!("the type {other}"),
            },
            "const" => value == rule,
            "enum" => list().any(|own| own == value),
            "minimum" => number(|value, least| value >= least),
            "exclusiveMinimum" => number(|value, least| value > least),
            "maximum" => number(|value, most| value <= most),
            "multipleOf" => number(|value, of| value % of == 0.0),
            "minItems" => !value.is_array() || length >= rule.as_f64().expect("a number"),
            "maxItems" => !value.is_array() || length <= rule.as_f64().expect("a number"),
            "not" => !fits(rule),
            "oneOf" => list().filter(|own| fits(own)).count() == 1,
            "anyOf" => list().any(fits),
            "required" => list().all(|key| value.get(key.as_str().expect("a key")).is_some()),
            "allOf" => {
                found.extend(list().flat_map(|own| faults(own, value, path)));
                true
            }
            "if" => {
                if fits(rule) {
                    found.extend(faults(&words["then"], value, path));
                }
                true
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                found.extend(items.flat_map(|(i, own)| faults(rule, own, &format!("{path}[{i}]"))));
                true
            }
            "properties" => {
                let known = rule.as_object().expect("a mapping").iter();
                found.extend(known.flat_map(|(key, own)| below(key, own)));
                true
            }
            "additionalProperties" => {
                let known = words.get("properties");
                let is_known = |key: &str| known.is_some_and(|known| known.get(key).is_some());
                let others = value.as_object().into_iter().flat_map(Map::keys);
                let others = others.filter(|key| !is_known(key));
                found.extend(others.flat_map(|key| below(key, rule)));
                true
            }
            other => panic!("a word that this test does not know: {other}"),
        };
        if !holds {
            found.push(format!("{path}: {word} {rule}"));
        }
    }
    found
}

#[test]
fn every_shipped_spec_and_manifest_fits_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (of, folder, fewest) in [("spec", "experiments", 50), ("manifest", "datasets", 35)] {
        let schema = schema(of);
        let files = files(&root.join(folder));
        assert!(files.len() >= fewest, "{folder}: {}", files.len());
        for file in files {
            let text = std::fs::read_to_string(&file).expect("text");
            let found = faults(&schema, &read(&text), "");
            assert!(found.is_empty(), "{}: {found:#?}", file.display());
        }
    }
}

const SPEC: &str = "\
format: 1
study: dic
question: q
dataset: speckle-smoke
params: {order: 1}
sweep: {min_zncc: [0, 1]}
limits: {time_s: 5}
claims:
  - {id: a, source: s, metric: rmse, where: {min_zncc: 0}, expect: {at_least: 0}}
report:
  table: {values: rmse}
  figures: [{kind: line, x: min_zncc, y: rmse, lines: [{y: 1}]}]
";

#[test]
fn what_check_refuses_by_its_form_the_schema_refuses() {
    let schema = schema("spec");
    let project = Project::new();
    let both = |text: &str| {
        project.write("experiments/a.yaml", text);
        let check = project.retrial(&["check", "a"]);
        (check.code, faults(&schema, &read(text), ""))
    };
    let (code, found) = both(SPEC);
    assert_eq!((code, found.len()), (Some(0), 0), "{found:#?}");
    for (from, to) in [
        ("question: q\n", ""),
        ("format: 1", "format: 2"),
        ("study: dic", "study: dac"),
        ("order: 1", "odrer: 1"),
        ("[0, 1]", "{linspace: {from: 0, to: 1}}"),
        (
            "[0, 1]",
            "{linspace: {from: 0, to: 1, count: 2}, logspace: {from: 1, to: 2, count: 2}}",
        ),
        ("time_s: 5", "time_s: 0"),
        ("time_s: 5", "memory_mib: 1"),
        ("id: a, ", ""),
        ("source: s", "source: s, origin: own"),
        ("at_least: 0", "at_last: 0"),
        ("at_least: 0", "at_least: 0, at_most: 1"),
        (
            "at_least: 0",
            "ordering: {param: min_zncc, values: [0, 1], direction: up}",
        ),
        ("values: rmse", "rows: min_zncc"),
        ("kind: line", "kind: lines"),
        ("x: min_zncc, ", ""),
        ("y: rmse,", "y: rmse, labels: points,"),
        ("{y: 1}", "{y: 1, x: 1}"),
        ("{y: 1}", "{label: none}"),
        ("{y: 1}", "{y: 1, z: 1}"),
    ] {
        let text = SPEC.replacen(from, to, 1);
        assert_ne!(text, SPEC, "{from}");
        let (code, found) = both(&text);
        assert_eq!(code, Some(2), "the reader takes `{to}`");
        assert!(!found.is_empty(), "the schema takes `{to}`");
    }
}

/// The study that serves the tests runs, and nothing that a person reads names it.
#[test]
fn the_study_fake_is_not_shown() {
    let project = Project::new().with("a", "format: 1\nstudy: fakes\nquestion: q\n");
    for arguments in [&["schema"][..], &["reference"], &["--help"], &["plan", "a"]] {
        let said = project.retrial(arguments);
        let shown = said.out + &said.err;
        // A metric of `anogan`, and the spec that is refused.
        let shown = shown.replace("d_of_fake", "").replace("fakes", "");
        assert!(!shown.contains("fake"), "{arguments:?}: {shown}");
    }
}
