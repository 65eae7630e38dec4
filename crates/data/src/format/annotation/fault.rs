//! What is wrong with annotations: the file, the object, the key, what was found and what would be
//! right.

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
    #[error("the picture {image} is not listed among the {listed} pictures")]
    UnknownPicture {
        /// The picture named.
        image: String,
        /// How many are listed.
        listed: usize,
    },
    /// A picture that is annotated and not there.
    #[error("{name:?} is annotated and not among the {pictures} pictures")]
    MissingPicture {
        /// The picture named.
        name: String,
        /// How many pictures there are.
        pictures: usize,
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
    #[error("polygon {polygon} has {vertices} vertices, at least 3 are needed")]
    FewVertices {
        /// Its number, from 0.
        polygon: usize,
        /// Its vertices.
        vertices: usize,
    },
    /// An odd number of coordinates.
    #[error("polygon {polygon} has {values} coordinates, pairs of x and y are needed")]
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
    /// A mask without a pixel.
    #[error("the mask has no pixel inside; an object needs one")]
    EmptyMask,
    /// Run lengths as text that cannot be read.
    #[error("the text of run lengths {what} at character {at}")]
    RunText {
        /// What is wrong.
        what: &'static str,
        /// The character, from 0.
        at: usize,
    },
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
    #[error("no object is annotated in {images} pictures; a picture may be without, a set may not")]
    NothingAnnotated {
        /// How many pictures it speaks of.
        images: usize,
    },
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
