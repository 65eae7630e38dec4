//! What is wrong with annotations: the file, the object, the key, what was found and what would be
//! right.

use retrial_core::census::count;
use retrial_image::run_text::RunTextError;
use std::path::PathBuf;

use thiserror::Error;

/// One thing that is wrong in an annotation file.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{}: {item}: {key}: {problem}", file.display())]
pub struct AnnotationFault {
    /// The file.
    pub file: PathBuf,
    /// The object, picture or class with its id: `annotation 7`.
    pub item: String,
    /// The key in that object.
    pub key: &'static str,
    /// What is wrong with its value.
    pub problem: Problem,
}

/// What can be wrong.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Problem {
    /// A class that is not listed.
    #[error("the class {class:?} is not known; known: {}", known.join(", "))]
    UnknownClass {
        /// The class named.
        class: String,
        /// The classes there are.
        known: Vec<String>,
    },
    /// A picture that is not listed.
    #[error("the picture {image} is not listed among the {}", count(*listed, "picture"))]
    UnknownPicture {
        /// The picture named.
        image: String,
        /// How many are listed.
        listed: usize,
    },
    /// A picture that is annotated and not there.
    #[error("{name:?} is annotated and not among the {}{}", count(*pictures, "picture"), meant(near.as_deref()))]
    MissingPicture {
        /// The picture named.
        name: String,
        /// How many pictures there are.
        pictures: usize,
        /// The picture of that name with another ending.
        near: Option<String>,
    },
    /// A file name that several pictures have.
    #[error("{name:?} fits {} pictures: {}; write the path of the one meant", fits.len(), fits.join(", "))]
    AmbiguousPicture {
        /// The picture named.
        name: String,
        /// The pictures of that name.
        fits: Vec<String>,
    },
    /// A picture that another annotation file speaks of.
    #[error("the picture has its objects in {other} already; a picture has one annotation file")]
    SecondFile {
        /// The name of the other file.
        other: String,
    },
    /// A picture that is listed again and otherwise.
    #[error("the picture is listed with {found}, and before as {other} with {expected}")]
    Twin {
        /// Size and more of this entry.
        found: String,
        /// The entry before.
        other: String,
        /// Size and more of that entry.
        expected: String,
    },
    /// A picture of another size than its annotation says.
    #[error("the picture is {} × {} px, its annotation says {} × {} px", found[0], found[1], stated[0], stated[1])]
    PictureSize {
        /// Columns and rows of the picture.
        found: [usize; 2],
        /// Columns and rows of its annotation.
        stated: [usize; 2],
    },
    /// An id that was given before.
    #[error("the id {id} is given twice; give each its own, gaps are allowed")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// A box without an area.
    #[error(
        "the box {corners:?} (x0, y0, x1, y1) is empty or inverted; x0 < x1 and y0 < y1 are needed"
    )]
    EmptyBox {
        /// `[x0, y0, x1, y1]`.
        corners: [f64; 4],
    },
    /// A box that leaves the picture.
    #[error("the box {corners:?} (x0, y0, x1, y1) leaves the picture of {} × {} px", size[0], size[1])]
    BoxOutside {
        /// `[x0, y0, x1, y1]`.
        corners: [f64; 4],
        /// Columns and rows.
        size: [usize; 2],
    },
    /// A box within the first pixel, as shares of a picture are.
    #[error(
        "the box {corners:?} (x0, y0, x1, y1) lies within the first pixel of a picture of {} × {} px; coordinates \
         are pixels: multiply shares of a picture by its columns and rows", size[0], size[1]
    )]
    Shares {
        /// `[x0, y0, x1, y1]`.
        corners: [f64; 4],
        /// Columns and rows.
        size: [usize; 2],
    },
    /// A number that is infinite or none.
    #[error("{found} is not a finite number")]
    NotFinite {
        /// The value.
        found: f64,
    },
    /// An outline without a polygon.
    #[error(
        "an empty list of polygons; give one, or leave `segmentation` out where only the box is known"
    )]
    NoPolygon,
    /// A polygon that encloses nothing.
    #[error("polygon {polygon} has fewer than 3 vertices: {vertices}")]
    FewVertices {
        /// Its number, from 0.
        polygon: usize,
        /// Its vertices.
        vertices: usize,
    },
    /// An odd number of coordinates.
    #[error("polygon {polygon} has {}, pairs of x and y are needed", count(*values, "coordinate"))]
    OddCoordinates {
        /// Its number, from 0.
        polygon: usize,
        /// Its values.
        values: usize,
    },
    /// A vertex that leaves the picture.
    #[error("polygon {polygon} has the vertex {vertex:?} outside the picture of {} × {} px", size[0], size[1])]
    VertexOutside {
        /// Its number, from 0.
        polygon: usize,
        /// `[x, y]`.
        vertex: [f64; 2],
        /// Columns and rows.
        size: [usize; 2],
    },
    /// A polygon that crosses itself; a warning.
    #[error(
        "polygon {polygon} crosses itself: edge {first} and edge {second}; what lies inside twice depends on the rule of filling"
    )]
    Crosses {
        /// Its number, from 0.
        polygon: usize,
        /// The lower of the two edges, from 0.
        first: usize,
        /// The other.
        second: usize,
    },
    /// A mask that leaves its box; a warning.
    #[error("the mask reaches {mask:?}, its box is {corners:?} (x0, y0, x1, y1)")]
    MaskBeyondBox {
        /// Corners of the mask.
        mask: [f64; 4],
        /// Corners of the box.
        corners: [f64; 4],
    },
    /// Boxes that are not those of their outlines; a warning.
    #[error(
        "the box {corners:?} and the outline's own box {mask:?} (x0, y0, x1, y1) share less than half of their area; \
         a box is written x, y, width, height"
    )]
    FarBox {
        /// Corners of the first such box.
        corners: [f64; 4],
        /// Corners of its mask.
        mask: [f64; 4],
    },
    /// Run lengths for a picture of another size.
    #[error("run lengths of {} × {} px in a picture of {} × {} px", found[0], found[1], size[0], size[1])]
    RunSize {
        /// Columns and rows of the runs.
        found: [usize; 2],
        /// Columns and rows of the picture.
        size: [usize; 2],
    },
    /// Run lengths that do not cover their size.
    #[error("run lengths cover {covered} pixels of {pixels}")]
    RunCover {
        /// Pixels the runs cover.
        covered: u64,
        /// Pixels of their size.
        pixels: u64,
    },
    /// Run lengths as text that cannot be read.
    #[error(transparent)]
    RunText(#[from] RunTextError),
    /// A value of another kind.
    #[error("found {found}, expected {expected}")]
    Kind {
        /// What is there.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// What was changed so that the object can be used; a fault where the manifest is strict.
    #[error("{0}")]
    Repaired(String),
    /// A whole set without one object.
    #[error(
        "no object is annotated in {}; a picture may be without, a set may not{}",
        count(*images, "picture"),
        why(left_out)
    )]
    NothingAnnotated {
        /// How many pictures it speaks of.
        images: usize,
        /// How many objects were left out, and the first of them with the reason.
        left_out: (usize, String),
    },
    /// A whole set without an object that teaches anything.
    #[error(
        "of {} each is a crowd (`iscrowd`) or `difficult`; one that is neither is needed",
        count(*objects, "object")
    )]
    NoExample {
        /// How many objects it has.
        objects: usize,
    },
}

fn meant(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean {near:?}?"))
}

fn why((count, first): &(usize, String)) -> String {
    match count {
        0 => String::new(),
        count => format!("; {count} were left out, the first is {first}"),
    }
}

/// Faults and warnings of one reading.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What makes the set unusable.
    pub(crate) faults: Vec<AnnotationFault>,
    /// What does not.
    pub(crate) warnings: Vec<AnnotationFault>,
    /// What was changed so that it does not.
    pub(crate) repairs: Vec<AnnotationFault>,
    /// How many objects were left out, and the first of them with the reason.
    pub(crate) left_out: (usize, String),
    /// How many boxes are not those of their outlines, and the first of them.
    far_boxes: (usize, Vec<AnnotationFault>),
}

/// Where a finding is: the file and the object.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) file: PathBuf,
    pub(crate) item: String,
}

impl Findings {
    pub(crate) fn fault(&mut self, spot: &Spot, key: &'static str, problem: Problem) {
        self.faults.push(spot.fault(key, problem));
    }

    pub(crate) fn warn(&mut self, spot: &Spot, key: &'static str, problem: Problem) {
        self.warnings.push(spot.fault(key, problem));
    }

    pub(crate) fn repair(&mut self, spot: &Spot, key: &'static str, what: impl Into<String>) {
        let problem = Problem::Repaired(what.into());
        self.repairs.push(spot.fault(key, problem));
    }

    /// Notes an object that is left out, and why.
    pub(crate) fn leave_out(&mut self, spot: &Spot, key: &'static str, why: &str) {
        self.left_out.0 += 1;
        if self.left_out.0 == 1 {
            let file = spot.file.file_name().unwrap_or_default().to_string_lossy();
            self.left_out.1 = format!("{file}: {}: {why}", spot.item);
        }
        self.repair(spot, key, format!("{why}; the object is left out"));
    }

    /// Notes a box of `corners` that is not that of its `mask`.
    pub(crate) fn far_box(&mut self, spot: &Spot, corners: [f64; 4], mask: [f64; 4]) {
        const NAMED: usize = 3;
        let (count, named) = &mut self.far_boxes;
        *count += 1;
        if named.len() < NAMED {
            named.push(spot.fault("bbox", Problem::FarBox { corners, mask }));
        }
    }

    /// One warning of all such boxes, which names the first three.
    pub(crate) fn warn_of_far_boxes(&mut self) {
        let (count, named) = std::mem::take(&mut self.far_boxes);
        let more = count - named.len();
        let items: Vec<String> = named.iter().map(|fault| fault.item.clone()).collect();
        if let Some(mut first) = named.into_iter().next() {
            first.item = items.join(", ");
            if more > 0 {
                first.item = format!("{} and {more} more", first.item);
            }
            self.warnings.push(first);
        }
    }
}

impl Spot {
    fn fault(&self, key: &'static str, problem: Problem) -> AnnotationFault {
        AnnotationFault {
            file: self.file.clone(),
            item: self.item.clone(),
            key,
            problem,
        }
    }
}
