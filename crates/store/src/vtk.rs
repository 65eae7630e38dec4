//! Columns as VTK's XML files, which ParaView opens: `.vti` for a regular grid, `.vtp` for points
//! anywhere, `.pvd` for a series of them.
//!
//! Values are binary (base64), so that nothing is rounded. A comment at the head holds what the
//! format has no place for.
//!
//! # Source
//! Kitware, "VTK XML file formats", <https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html>.

use std::fmt::Write as _;

use crate::error::StoreError;
use crate::npy::same_length;
use crate::quantity::{Quantity, Values};

/// A regular grid and which of its places hold a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Places along `x` and along `y`.
    pub size: [usize; 2],
    /// The first place.
    pub origin: [f64; 2],
    /// The distance of neighbouring places.
    pub spacing: [f64; 2],
    /// The point at every place, row by row; `None` for a place without one.
    pub cells: Vec<Option<usize>>,
}

/// A series file: every part with its time.
#[must_use]
pub fn collection(head: &[String], parts: &[(f64, String)]) -> String {
    let mut text = opening("Collection", head);
    text.push_str("<Collection>\n");
    for (time, file) in parts {
        let file = escaped(file);
        push(
            &mut text,
            format_args!("<DataSet timestep=\"{time}\" part=\"0\" file=\"{file}\"/>\n"),
        );
    }
    text.push_str("</Collection>\n</VTKFile>\n");
    text
}

/// Columns on a regular grid as a `.vti` file; places without a point hold NaN, or 255 for a code.
///
/// `vector` names two columns that make the vector `displacement`.
///
/// # Errors
/// [`StoreError::ColumnLength`] when the columns differ in length.
pub fn image_data(
    grid: &Grid,
    head: &[String],
    columns: &[Quantity],
    vector: [&str; 2],
) -> Result<String, StoreError> {
    same_length(columns)?;
    let spread: Vec<Quantity> = columns.iter().map(|c| c.spread(&grid.cells)).collect();
    let ([nx, ny], [x, y], [dx, dy]) = (grid.size, grid.origin, grid.spacing);
    let extent = format!("0 {} 0 {} 0 0", nx.saturating_sub(1), ny.saturating_sub(1));
    let mut text = opening("ImageData", head);
    push(
        &mut text,
        format_args!(
            "<ImageData WholeExtent=\"{extent}\" Origin=\"{x} {y} 0\" Spacing=\"{dx} {dy} 1\">\n\
             <Piece Extent=\"{extent}\">\n"
        ),
    );
    point_data(&mut text, &spread, vector);
    text.push_str("</Piece>\n</ImageData>\n</VTKFile>\n");
    Ok(text)
}

/// Columns at points `(x, y)` anywhere as a `.vtp` file, every point a vertex.
///
/// # Errors
/// As [`image_data`]; also when the number of points differs.
pub fn poly_data(
    points: &[[f64; 2]],
    head: &[String],
    columns: &[Quantity],
    vector: [&str; 2],
) -> Result<String, StoreError> {
    let rows = same_length(columns)?;
    let count = points.len();
    if rows != count {
        return Err(StoreError::ColumnLength {
            column: "points".to_owned(),
            expected: rows,
            got: count,
        });
    }
    let mut text = opening("PolyData", head);
    push(
        &mut text,
        format_args!(
            "<PolyData>\n<Piece NumberOfPoints=\"{count}\" NumberOfVerts=\"{count}\" \
             NumberOfLines=\"0\" NumberOfStrips=\"0\" NumberOfPolys=\"0\">\n"
        ),
    );
    point_data(&mut text, columns, vector);
    let places: Vec<u8> = points
        .iter()
        .flat_map(|[x, y]| [*x, *y, 0.0])
        .flat_map(f64::to_le_bytes)
        .collect();
    text.push_str("<Points>\n");
    array(&mut text, "Points", "Float64", 3, &places);
    text.push_str("</Points>\n<Verts>\n");
    let whole = |from: usize| -> Vec<u8> {
        (from..from + count)
            .flat_map(|i| i64::try_from(i).unwrap_or(i64::MAX).to_le_bytes())
            .collect()
    };
    array(&mut text, "connectivity", "Int64", 1, &whole(0));
    array(&mut text, "offsets", "Int64", 1, &whole(1));
    text.push_str("</Verts>\n</Piece>\n</PolyData>\n</VTKFile>\n");
    Ok(text)
}

fn opening(kind: &str, head: &[String]) -> String {
    let mut text = String::from("<?xml version=\"1.0\"?>\n<!--\n");
    for line in head {
        // Two hyphens would end the comment.
        push(&mut text, format_args!("{}\n", line.replace("--", "- -")));
    }
    push(
        &mut text,
        format_args!(
            "-->\n<VTKFile type=\"{kind}\" version=\"1.0\" byte_order=\"LittleEndian\" \
             header_type=\"UInt64\">\n"
        ),
    );
    text
}

fn point_data(text: &mut String, columns: &[Quantity], vector: [&str; 2]) {
    let floats = |name: &str| {
        let found = columns.iter().find(|column| column.name == name);
        found.and_then(|column| match &column.values {
            Values::F64(values) => Some(values),
            _ => None,
        })
    };
    let pair = floats(vector[0]).zip(floats(vector[1]));
    let first = escaped(vector[0]);
    let vectors = match pair {
        Some(_) => " Vectors=\"displacement\"",
        None => "",
    };
    push(
        text,
        format_args!("<PointData Scalars=\"{first}\"{vectors}>\n"),
    );
    if let Some((u, v)) = pair {
        let triples = u.iter().zip(v).flat_map(|(u, v)| [*u, *v, 0.0]);
        let bytes: Vec<u8> = triples.flat_map(f64::to_le_bytes).collect();
        array(text, "displacement", "Float64", 3, &bytes);
    }
    for column in columns {
        let (bytes, _, kind) = column.bytes();
        array(text, column.name, kind, 1, &bytes);
    }
    text.push_str("</PointData>\n");
}

fn array(text: &mut String, name: &str, kind: &str, components: usize, bytes: &[u8]) {
    let name = escaped(name);
    push(
        text,
        format_args!(
            "<DataArray type=\"{kind}\" Name=\"{name}\" NumberOfComponents=\"{components}\" \
             format=\"binary\">\n"
        ),
    );
    let length = bytes.len() as u64;
    let mut all = length.to_le_bytes().to_vec();
    all.extend(bytes);
    base64(text, &all);
    text.push_str("\n</DataArray>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a String never refuses");
}

/// RFC 4648, section 4, with padding.
fn base64(text: &mut String, bytes: &[u8]) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text.reserve(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| chunk.get(i).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use std::process::Command;

    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn base64_of_the_standard() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut text = String::new();
            base64(&mut text, bytes.as_bytes());
            assert_eq!(text, expected);
        }
    }

    fn columns() -> Vec<Quantity> {
        let column = |name, values| Quantity {
            name,
            unit: "px",
            meaning: "m",
            values,
        };
        vec![
            column("u", Values::F64(vec![0.5, 1.5, -2.0])),
            column("v", Values::F64(vec![4.0, 5.0, 6.0])),
            column("status", Values::Code(vec![0, 1, 0], &["a", "b"])),
        ]
    }

    /// An XML parser and a base64 decoder that are not ours.
    #[test]
    fn python_reads_the_arrays() {
        let present = Command::new("python3").args(["-c", ""]).output();
        if !present.is_ok_and(|output| output.status.success()) {
            println!("SKIPPED python_reads_the_arrays: no python3");
            return;
        }
        let head = ["settings: a -- b".to_owned()];
        let grid = Grid {
            size: [2, 2],
            origin: [20.0, 30.0],
            spacing: [5.0, 5.0],
            cells: vec![Some(0), Some(1), None, Some(2)],
        };
        let folder = tempfile::tempdir().unwrap();
        let points = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        for (name, text) in [
            (
                "a.vti",
                image_data(&grid, &head, &columns(), ["u", "v"]).unwrap(),
            ),
            (
                "a.vtp",
                poly_data(&points, &head, &columns(), ["u", "v"]).unwrap(),
            ),
            ("a.pvd", collection(&head, &[(1.0, "a&b.vti".to_owned())])),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let script = r#"
import base64, struct, sys, xml.etree.ElementTree as xml
def arrays(path):
    found = {}
    for node in xml.parse(path).iter("DataArray"):
        raw = base64.b64decode(node.text.strip(), validate=True)
        (length,) = struct.unpack("<Q", raw[:8])
        assert length == len(raw) - 8
        kind = {"Float64": "d", "Int64": "q", "UInt8": "B"}[node.get("type")]
        found[node.get("Name")] = [v for (v,) in struct.iter_unpack("<" + kind, raw[8:])]
    return found
grid = arrays(sys.argv[1] + "/a.vti")
assert grid["u"][:2] == [0.5, 1.5] and grid["u"][2] != grid["u"][2] and grid["u"][3] == -2.0
assert grid["status"] == [0, 1, 255, 0] and grid["displacement"][3:6] == [1.5, 5.0, 0.0]
image = xml.parse(sys.argv[1] + "/a.vti").getroot().find("ImageData")
assert image.get("WholeExtent") == "0 1 0 1 0 0" and image.get("Origin") == "20 30 0"
free = arrays(sys.argv[1] + "/a.vtp")
assert free["Points"] == [1, 2, 0, 3, 4, 0, 5, 6, 0] and free["offsets"] == [1, 2, 3]
assert free["connectivity"] == [0, 1, 2] and free["v"] == [4, 5, 6]
series = xml.parse(sys.argv[1] + "/a.pvd").getroot().find("Collection/DataSet")
assert series.get("file") == "a&b.vti" and series.get("timestep") == "1"
"#;
        let output = Command::new("python3")
            .args(["-c", script])
            .arg(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        assert!(poly_data(&points[..2], &head, &columns(), ["u", "v"]).is_err());
    }
}
