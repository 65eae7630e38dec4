//! The golden files of `tests/golden/make.py` (pycocotools 2.0.11, OpenCV 5.0.0).

use retrial_image::RunLengths;
use retrial_image::run_text;
use serde_json::Value;

pub(crate) fn read(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the golden file is readable");
    serde_json::from_str(&text).expect("the golden file is whole")
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

pub(crate) fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("an index")).expect("a small one")
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

pub(crate) fn size(value: &Value) -> (usize, usize) {
    (index(&value["size"][0]), index(&value["size"][1]))
}

pub(crate) fn runs(value: &Value, (height, width): (usize, usize)) -> RunLengths {
    let counts = run_text::read(text(value)).expect("the text of run lengths");
    RunLengths::new(height, width, counts).expect("they cover the picture")
}
