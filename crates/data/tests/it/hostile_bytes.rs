//! Any bytes give content or an error, never a panic, and soon.

use std::fs;

use proptest::prelude::*;
use retrial_data::annotation::Pictures;
use retrial_data::annotation::coco::read_coco;
use retrial_data::annotation::labelme::read_labelme;
use retrial_data::annotation::voc::read_voc;
use retrial_data::format::weights_file::torch_weights::read_torch_bytes;
use retrial_image::run_text;

/// Text that gets past the first brackets, with places where anything may stand.
fn with_any_value(template: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let pieces: Vec<String> = template.split('@').map(str::to_owned).collect();
    let value = prop_oneof![
        any::<i64>().prop_map(|v| v.to_string()),
        any::<u32>().prop_map(|v| v.to_string()),
        (0_u8..9).prop_map(|v| v.to_string()),
        any::<f64>().prop_map(|v| v.to_string()),
        Just("1e308".to_owned()),
        Just("[]".to_owned()),
        Just("null".to_owned()),
        Just("\"\"".to_owned()),
        Just("{}".to_owned()),
        Just("<a/>".to_owned()),
    ];
    prop::collection::vec(value, pieces.len() - 1).prop_map(move |values| {
        let mut text = pieces[0].clone();
        for (value, piece) in values.iter().zip(&pieces[1..]) {
            text += value;
            text += piece;
        }
        text.into_bytes()
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// Reads the bytes as all three forms.
fn read(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a");
    fs::write(&path, bytes).expect("written");
    let classes = ["a".to_owned()];
    let _ = read_coco("set", &path, &Pictures::default());
    let _ = read_labelme(
        "set",
        std::slice::from_ref(&path),
        &classes,
        &Pictures::default(),
    );
    let _ = read_voc("set", &[path], &classes, &Pictures::default());
}

const COCO: &str = r#"{"categories": [{"id": @, "name": "a"}, {"id": 1, "name": "b"}],
 "images": [{"id": 1, "file_name": "a", "width": @, "height": @}, {"id": @, "file_name": "b", "width": 5, "height": 4}],
 "annotations": [
  {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, @, 2, @], "segmentation": [[0, 0, @, 0, 2, @, @, 2]]},
  {"id": @, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "iscrowd": @,
   "segmentation": {"size": [@, @], "counts": [@, @, 3]}},
  {"id": 3, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "segmentation": @}]}"#;
const LABELME: &str = r#"{"imagePath": "a", "imageHeight": @, "imageWidth": @, "shapes": [
 {"label": "a", "points": [[0, @], [@, 0], [2, 2]], "group_id": @},
 {"label": "a", "points": [[0, 0], [@, @]], "group_id": 1, "shape_type": "rectangle"},
 {"label": "a", "points": [[@, 0], [1, 1]], "group_id": 1, "shape_type": "rectangle"}]}"#;
const VOC: &str = "<annotation><filename>a</filename><size><width>@</width><height>@</height></size>\
 <object><name>a</name><bndbox><xmin>@</xmin><ymin>@</ymin><xmax>@</xmax><ymax>@</ymax></bndbox>@</object></annotation>";

/// A picture may claim a size that no memory holds, with runs that cover it.
#[test]
fn a_claimed_size_costs_nothing() {
    let side = 65_535_u64;
    let count = side * side;
    let text = format!(
        r#"{{"categories": [{{"id": 1, "name": "a"}}],
         "images": [{{"id": 1, "file_name": "a", "width": {side}, "height": {side}}}],
         "annotations": [{{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, {side}, {side}],
          "segmentation": {{"size": [{side}, {side}], "counts": [0, {count}]}}}}]}}"#
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.json");
    fs::write(&path, text).expect("written");
    let set = read_coco("set", &path, &Pictures::default()).expect("consistent");
    assert_eq!(set.annotations[0].area, count as f64);
}

/// Pieces of pickles: every instruction, known names, small numbers.
fn pickle() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(&b"(N)}]tuaesRQb.\x85\x86\x87\x88\x89"[..])
            .prop_map(|byte| vec![byte]),
        (prop::sample::select(&b"Kqh"[..]), 0_u8..6).prop_map(|(op, n)| vec![op, n]),
        prop::sample::select(vec![
            &b"ccollections\nOrderedDict\n"[..],
            b"ctorch._utils\n_rebuild_tensor_v2\n",
            b"ctorch\nFloatStorage\n",
            b"X\x07\x00\x00\x00storage",
            b"X\x01\x00\x00\x000",
            b"J\xff\xff\xff\x7f",
            b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// The pickles in front of a state dict written before PyTorch 1.6.
fn chain(state: &[u8]) -> Vec<u8> {
    let mut bytes =
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    bytes.extend(b"\x80\x02");
    bytes.extend(state);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn annotations(bytes in prop_oneof![any_bytes(), with_any_value(COCO), with_any_value(LABELME), with_any_value(VOC)]) {
        read(&bytes);
    }

    #[test]
    fn run_lengths_come_back(counts in prop::collection::vec(any::<u32>(), 0..40)) {
        prop_assert_eq!(run_text::read(&run_text::write(&counts)), Ok(counts));
    }

    #[test]
    fn run_lengths_of_any_text(text in prop_oneof![".*", "[0-o]{0,40}"]) {
        if let Ok(counts) = run_text::read(&text) {
            prop_assert_eq!(run_text::read(&run_text::write(&counts)), Ok(counts));
        }
    }

    #[test]
    fn weights(bytes in prop_oneof![any_bytes(), pickle(), pickle().prop_map(|state| chain(&state))]) {
        let _ = read_torch_bytes(&bytes);
    }
}

/// A list that is remembered before every change must not be copied for ever.
#[test]
fn a_list_that_is_copied_again_and_again_is_refused() {
    let mut state = b"]".to_vec();
    for _ in 0..20_000 {
        state.extend(b"q\x00Na");
    }
    state.push(b'.');
    let error = read_torch_bytes(&chain(&state)).expect_err("refused");
    assert!(error.contains("more than 4194304 values"), "{error}");
}
