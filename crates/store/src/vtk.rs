//! Columns as VTK's XML files, which ParaView opens: `.vti` for a regular grid, `.vtp` for points
//! anywhere, `.pvd` for a series of them.
//!
//! Values are binary (base64), so that nothing is rounded. A comment at the head holds what the
//! format has no place for.
//!
//! # Source
//! Kitware, "VTK XML file formats", <https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html>.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
    STANDARD.encode_string(&all, text);
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use roxmltree::{Document, Node};

    use super::*;

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

    fn element<'a, 'input>(
        document: &'a Document<'input>,
        name: &str,
        called: Option<&str>,
    ) -> Node<'a, 'input> {
        let mut all = document.descendants();
        all.find(|node| {
            node.has_tag_name(name) && (called.is_none() || node.attribute("Name") == called)
        })
        .unwrap()
    }

    /// The bytes of an array without the length before them.
    fn bytes(document: &Document<'_>, name: &str, kind: &str) -> Vec<u8> {
        let node = element(document, "DataArray", Some(name));
        assert_eq!(node.attribute("type"), Some(kind), "{name}");
        let all = STANDARD.decode(node.text().unwrap().trim()).unwrap();
        let (length, rest) = all.split_first_chunk::<8>().unwrap();
        assert_eq!(u64::from_le_bytes(*length), rest.len() as u64, "{name}");
        rest.to_vec()
    }

    fn floats(document: &Document<'_>, name: &str) -> Vec<f64> {
        let bytes = bytes(document, name, "Float64");
        let values = bytes.as_chunks::<8>().0.iter();
        values.map(|&value| f64::from_le_bytes(value)).collect()
    }

    fn whole(document: &Document<'_>, name: &str) -> Vec<i64> {
        let bytes = bytes(document, name, "Int64");
        let values = bytes.as_chunks::<8>().0.iter();
        values.map(|&value| i64::from_le_bytes(value)).collect()
    }

    const HEAD: &str = "settings: a -- b";

    #[test]
    fn a_grid_comes_back() {
        let head = [HEAD.to_owned()];
        let grid = Grid {
            size: [2, 2],
            origin: [20.0, 30.0],
            spacing: [5.0, 5.0],
            cells: vec![Some(0), Some(1), None, Some(2)],
        };
        let text = image_data(&grid, &head, &columns(), ["u", "v"]).unwrap();
        let document = Document::parse(&text).unwrap();
        let u = floats(&document, "u");
        assert_eq!(u[..2], [0.5, 1.5]);
        assert!(u[2].is_nan(), "no point stands there");
        assert_eq!(u[3], -2.0);
        assert_eq!(bytes(&document, "status", "UInt8"), [0, 1, 255, 0]);
        assert_eq!(floats(&document, "displacement")[3..6], [1.5, 5.0, 0.0]);
        let image = element(&document, "ImageData", None);
        assert_eq!(image.attribute("WholeExtent"), Some("0 1 0 1 0 0"));
        assert_eq!(image.attribute("Origin"), Some("20 30 0"));
    }

    #[test]
    fn free_points_come_back() {
        let head = [HEAD.to_owned()];
        let points = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let text = poly_data(&points, &head, &columns(), ["u", "v"]).unwrap();
        let document = Document::parse(&text).unwrap();
        let places = [1.0, 2.0, 0.0, 3.0, 4.0, 0.0, 5.0, 6.0, 0.0];
        assert_eq!(floats(&document, "Points"), places);
        assert_eq!(whole(&document, "offsets"), [1, 2, 3]);
        assert_eq!(whole(&document, "connectivity"), [0, 1, 2]);
        assert_eq!(floats(&document, "v"), [4.0, 5.0, 6.0]);
        assert!(poly_data(&points[..2], &head, &columns(), ["u", "v"]).is_err());
    }

    #[test]
    fn names_of_a_series_come_back() {
        let text = collection(&[HEAD.to_owned()], &[(1.0, "a&b.vti".to_owned())]);
        let document = Document::parse(&text).unwrap();
        let one = element(&document, "DataSet", None);
        assert_eq!(one.attribute("file"), Some("a&b.vti"));
        assert_eq!(one.attribute("timestep"), Some("1"));
    }
}
