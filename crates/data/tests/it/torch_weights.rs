//! Weights as PyTorch saves them: a small state dict in both containers, and the real file.

use std::io::{Cursor, Write};

use retrial_data::format::weights_file::torch_weights::{TorchWeights, read_torch_bytes};
use zip::write::SimpleFileOptions;

/// What Python's `pickle`, protocol 2, writes of a state dict as PyTorch has it: `conv.weight` of
/// 2 × 3 values, `conv.transposed` which is the same turned, `scale` which is its fifth value, the
/// counter `batches`, and `_metadata`.
const STATE: &str = "800263636f6c6c656374696f6e730a4f726465726564446963740a71002952710128580b000000636f6e762e \
    776569676874710263746f7263682e5f7574696c730a5f72656275696c645f74656e736f725f76320a710328 \
    28580700000073746f72616765710463746f7263680a466c6f617453746f726167650a710558010000003071 \
    06580300000063707571074b06747108514b004b024b038671094b034b0186710a8968002952710b74710c52 \
    710d580f000000636f6e762e7472616e73706f736564710e6803282868046805680668074b0674710f514b00 \
    4b034b028671104b014b038671118968002952711274711352711458050000007363616c6571156803282868 \
    046805680668074b06747116514b04292989680029527117747118527119580700000062617463686573711a \
    68032828680463746f7263680a4c6f6e6753746f726167650a711b580100000031711c68074b0174711d514b \
    0029298968002952711e74711f527120757d712158090000005f6d6574616461746171226800295271235800 \
    00000071247d7125580700000076657273696f6e71264b01737373622e";

fn state() -> Vec<u8> {
    let digits: Vec<u8> = STATE.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(text, 16).expect("hex digits")
    };
    digits.chunks(2).map(byte).collect()
}

fn floats() -> Vec<u8> {
    [1.0_f32, 2.0, 3.0, 4.0, 5.5, -6.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default();
        zip.start_file(*name, options).expect("started");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

/// Magic number, protocol, system and state, the keys of the storages, then these.
fn chained(state: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.");
    bytes.extend(b"\x80\x02M\xe9\x03.");
    bytes.extend(b"\x80\x02}q\x00X\x0d\x00\x00\x00little_endianq\x01\x88s.");
    bytes.extend(state);
    bytes.extend(b"\x80\x02]q\x00(X\x01\x00\x00\x000q\x01X\x01\x00\x00\x001q\x02e.");
    bytes.extend(6_u64.to_le_bytes());
    bytes.extend(floats());
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(77_i64.to_le_bytes());
    bytes
}

fn check(weights: &TorchWeights) {
    assert_eq!(weights.skipped, ["batches"]);
    let found: Vec<(&str, &[usize], &[f32])> = weights
        .tensors
        .iter()
        .map(|t| (t.name.as_str(), &t.shape[..], &t.values[..]))
        .collect();
    assert_eq!(
        found,
        [
            (
                "conv.weight",
                &[2, 3][..],
                &[1.0, 2.0, 3.0, 4.0, 5.5, -6.0][..]
            ),
            ("conv.transposed", &[3, 2], &[1.0, 4.0, 2.0, 5.5, 3.0, -6.0]),
            ("scale", &[], &[5.5]),
        ]
    );
    assert!(weights.get("scale").is_some());
    assert!(weights.get("scales").is_none());
}

#[test]
fn both_containers_hold_the_same() {
    let zip = zipped(&[
        ("net/data.pkl", &state()),
        ("net/byteorder", b"little"),
        ("net/data/0", &floats()),
        ("net/data/1", &77_i64.to_le_bytes()),
        ("net/version", b"3\n"),
    ]);
    check(&read_torch_bytes(&zip).expect("a zip"));
    check(&read_torch_bytes(&chained(&state())).expect("a chain"));
}

#[test]
fn what_is_no_state_dict_is_refused_by_name() {
    let pickle = state();
    // `pickle.dumps({"a": H()}, 2)`, where `H` reduces to a call of `os.system`.
    let harmful = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01cposix\nsystem\nq\x02X\x04\x00\x00\x00trueq\x03\x85q\x04Rq\x05s.";
    let cases: [(Vec<u8>, &str); 8] = [
        (
            zipped(&[("net/data.pkl", harmful)]),
            "it holds a `posix.system`; only a state dict of tensors is read",
        ),
        (
            zipped(&[("net/data.pkl", &pickle), ("net/data/0", &floats()[..20])]),
            "conv.weight: 5 values there, 6 stated",
        ),
        (
            zipped(&[("net/data.pkl", &pickle), ("net/data/0", &[0; 28])]),
            "has more than 24 bytes",
        ),
        (
            zipped(&[("net/data.pkl", &pickle)]),
            "conv.weight: the member `data/0`",
        ),
        (
            zipped(&[("net/data.pkl", &pickle), ("net/byteorder", b"big")]),
            "the other byte order",
        ),
        (zipped(&[("a.txt", b"")]), "a zip without `data.pkl`"),
        (
            b"<html>".to_vec(),
            "neither a zip nor a chain of pickles of PyTorch",
        ),
        (
            chained(&pickle)[..chained(&pickle).len() - 20].to_vec(),
            "the file breaks off in the storage 0",
        ),
    ];
    for (bytes, expected) in cases {
        let error = read_torch_bytes(&bytes).expect_err(expected);
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
}

#[test]
fn a_shape_that_does_not_fit_its_storage_is_refused() {
    // The sizes and the strides of `conv.weight`.
    let (shape, strides) = (b"K\x02K\x03\x86q\x09", b"K\x03K\x01\x86q\x0a");
    let pickle = state();
    for (part, from, to) in [(&shape[..], 3, 4), (&shape[..], 1, 3), (&strides[..], 1, 4)] {
        let at = pickle.windows(part.len()).position(|window| window == part);
        let at = at.expect("there") + from;
        let mut spoilt = pickle.clone();
        spoilt[at] = to;
        let zip = zipped(&[("net/data.pkl", &spoilt), ("net/data/0", &floats())]);
        let error = read_torch_bytes(&zip).expect_err("does not fit");
        assert!(error.contains("does not fit a storage of 6"), "{error}");
    }
}
