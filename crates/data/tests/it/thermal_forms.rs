//! Infrared pictures: the camera's own file and its short form are one content.

use std::fs;
use std::path::Path;

use image::{ImageBuffer, Luma, Rgb, RgbImage};
use retrial_data::hashing::sha256_file;
use retrial_data::{
    Content, DataError, FetchOptions, ThermalSet, find_manifest, load, read_manifest,
};

use super::datasets::root;
use super::real_data::mirror_only;

const ANNOTATIONS: &str = r#"{
 "categories": [{"id": 1, "name": "hot"}],
 "images": [{"id": 1, "file_name": "p.jpg", "temperature_file": "p.png", "width": 4, "height": 2}],
 "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "area": 2,
   "segmentation": {"size": [2, 4], "counts": [1, 2, 5]}}]
}"#;

/// A folder with a JPEG of 4 × 2 px, its plane as a PNG, and both as one camera file.
fn files(folder: &Path) {
    let picture = RgbImage::from_fn(4, 2, |x, y| Rgb([60 * x as u8, 99 * y as u8, 7]));
    picture.save(folder.join("p.jpg")).expect("saved");
    let celsius = |x: u32, y: u32| -300 + 100 * x as i32 + y as i32;
    let plane: ImageBuffer<Luma<u16>, _> =
        ImageBuffer::from_fn(4, 2, |x, y| Luma([(celsius(x, y) + 32768) as u16]));
    plane.save(folder.join("p.png")).expect("saved");
    let mut camera = fs::read(folder.join("p.jpg")).expect("read");
    // Noise between the picture and the plane, with an end marker in it.
    camera.resize(1000, 0xd9);
    for y in 0..2 {
        for x in 0..4 {
            camera.extend((celsius(x, y) as i16).to_le_bytes());
        }
    }
    camera.extend([0xff; 50]);
    fs::create_dir(folder.join("camera")).expect("created");
    fs::write(folder.join("camera/p.jpg"), camera).expect("written");
    fs::write(folder.join("a.json"), ANNOTATIONS).expect("written");
}

fn loaded(folder: &Path, variant: &str) -> Result<ThermalSet, DataError> {
    let entry = |path: &str, from: &str, role: &str| {
        let (sha256, bytes) = sha256_file(&folder.join(from)).expect("hashed");
        format!(
            "      - {{ path: {path}, origin: {from}, bytes: {bytes}, sha256: \"{sha256}\", role: {role} }}\n"
        )
    };
    let files = match variant {
        "camera" => entry("p.jpg", "camera/p.jpg", "picture"),
        _ => entry("p.jpg", "p.jpg", "picture") + &entry("p.png", "p.png", "temperature"),
    };
    let text = format!(
        "format: 1\nname: t\ntitle: t\nkind: real\nlicence: l\nredistribution: allowed\ncitation: c\n\
         content: blake3:{}\nthermal:\n  annotations: [{{ name: hot, file: a.json }}]\n\
         \x20 plane: {{ offset: 1000, width: 4, height: 2 }}\n\
         variants:\n  - name: {variant}\n    decoder: thermal-coco\n    sources: [bundled: \"{{origin}}\"]\n\
         \x20   files:\n{files}{}",
        "0".repeat(64),
        entry("a.json", "a.json", "annotations")
    );
    let manifest = read_manifest(&folder.join("manifest.yaml"), &text);
    let mut manifest = manifest.unwrap_or_else(|faults| panic!("{faults:?}"));
    let options = FetchOptions::new(folder.join(format!("cache-{variant}")));
    let got = match load(&manifest, &options, &mut |_| ()) {
        Err(DataError::Content { got, .. }) => got,
        Err(error) => return Err(error),
        Ok(_) => panic!("a digest of zeros"),
    };
    manifest.content = got;
    match load(&manifest, &options, &mut |_| ())? {
        (Content::Thermal(set), _) => Ok(set),
        (other, _) => panic!("{}", other.kind()),
    }
}

#[test]
fn the_camera_file_and_the_short_form_are_one() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().join("t");
    fs::create_dir(&folder).expect("created");
    files(&folder);
    let camera = loaded(&folder, "camera").expect("the camera's file");
    let short = loaded(&folder, "short").expect("the short form");
    assert_eq!(camera, short);
    let digest = |set: ThermalSet| Content::Thermal(set).digest();
    assert_eq!(digest(camera.clone()), digest(short));
    let picture = camera.picture("p.jpg").expect("there");
    let expected = [-300, -200, -100, 0, -299, -199, -99, 1];
    assert_eq!(picture.temperature.as_deref(), Some(&expected[..]));
}

#[test]
fn faulty_files_are_named() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil, &str); 5] = [
        (
            "camera",
            |f| cut(&f.join("camera/p.jpg"), 1010),
            "1010 bytes, the temperature plane needs 1016",
        ),
        (
            "short",
            |f| replace(f, "[1, 2, 5]", "[1, 2, 4]"),
            "run lengths cover 7 pixels of 8",
        ),
        (
            "short",
            |f| replace(f, "\"image_id\": 1", "\"image_id\": 2"),
            "annotation 1: image_id: the picture 2 is not listed among the 1 picture",
        ),
        (
            "short",
            |f| replace(f, "\"width\": 4", "\"width\": 5"),
            "picture 1 (p.jpg): width: the picture is 4 × 2 px, its annotation says 5 × 2 px",
        ),
        (
            "short",
            |f| replace(f, "\"id\": 1", "\"id\": one"),
            "a.json:2:",
        ),
    ];
    for (variant, spoil, expected) in cases {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = temporary.path().join("t");
        fs::create_dir(&folder).expect("created");
        files(&folder);
        spoil(&folder);
        let error = loaded(&folder, variant).expect_err("a fault").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn cut(path: &Path, bytes: usize) {
    let content = fs::read(path).expect("read");
    fs::write(path, &content[..bytes]).expect("written");
}

fn replace(folder: &Path, from: &str, to: &str) {
    assert!(ANNOTATIONS.contains(from));
    fs::write(folder.join("a.json"), ANNOTATIONS.replacen(from, to, 1)).expect("written");
}

/// The hottest value of a real picture, as its annotation states it.
#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn real_temperatures_agree_with_the_annotations() {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let manifest = find_manifest(&root(), "peru-substations").expect("a manifest");
    let (content, _) = load(&manifest, &mirror_only(&cache), &mut |_| ()).expect("loaded");
    let Content::Thermal(set) = content else {
        panic!("no infrared pictures");
    };
    assert_eq!((set.pictures.len(), set.annotations.len()), (167, 2));
    assert!(
        set.pictures
            .iter()
            .all(|picture| picture.temperature.is_some())
    );
    // `t_max_raw` of the first annotation of hotspots.json, inside its box [33, 23, 43, 85].
    let picture = set.picture("images/sub_003.jpg").expect("there");
    let temperature = picture.temperature.as_ref().expect("there");
    let inside = (23..108).flat_map(|y| (33..76).map(move |x| temperature[y * 384 + x]));
    assert_eq!(inside.max(), Some(189));
}
