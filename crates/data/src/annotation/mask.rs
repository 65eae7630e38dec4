//! The pixels of an annotated object.

use retrial_image::polygon::{PolygonFault, Vertex, fill_box, fill_coco, vertices};
use retrial_image::{InstanceMask, MaskError, RunLengths};
use thiserror::Error;

use super::model::{Annotation, AnnotationSet, Segmentation};

/// What the masks of generated scenes name as their maker.
pub const GENERATED: &str = "generated";

/// Why an object has no pixels.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("annotation {id} has no mask: {reason}")]
pub struct MaskFault {
    /// The object.
    pub id: u64,
    /// What is wrong with its outline.
    pub reason: OutlineFault,
}

/// What is wrong with an outline.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum OutlineFault {
    /// A polygon or a box that cannot be filled.
    #[error(transparent)]
    Polygon(#[from] PolygonFault),
    /// Run lengths that do not cover their size.
    #[error(transparent)]
    Runs(#[from] MaskError),
    /// Run lengths of a picture of another size.
    #[error("run lengths of {} × {} px in a picture of {width} × {height} px", found[1], found[0])]
    Size {
        /// `[rows, columns]` of the runs.
        found: [usize; 2],
        /// Rows of the picture.
        height: usize,
        /// Columns of the picture.
        width: usize,
    },
}

impl Annotation {
    /// The pixels of the object in a picture of `height` rows and `width` columns: polygons and
    /// boxes filled by COCO's rule, run lengths as they are.
    ///
    /// # Errors
    /// [`MaskFault`] for an outline that cannot be filled, or one of a picture of another size.
    pub fn mask(&self, height: usize, width: usize) -> Result<InstanceMask, MaskFault> {
        let filled = match &self.segmentation {
            Segmentation::Polygons(polygons) => fill_polygons(polygons, height, width),
            Segmentation::Runs { size, counts } => match *size == [height, width] {
                true => RunLengths::new(height, width, counts.clone())
                    .map(|runs| runs.mask())
                    .map_err(OutlineFault::from),
                false => Err(OutlineFault::Size {
                    found: *size,
                    height,
                    width,
                }),
            },
            Segmentation::BoxOnly => {
                fill_box(self.corners(), height, width).map_err(OutlineFault::from)
            }
        };
        filled.map_err(|reason| MaskFault {
            id: self.id,
            reason,
        })
    }
}

fn fill_polygons(
    polygons: &[Vec<f64>],
    height: usize,
    width: usize,
) -> Result<InstanceMask, OutlineFault> {
    let polygons: Vec<Vec<Vertex>> = polygons
        .iter()
        .map(|flat| vertices(flat))
        .collect::<Result<_, _>>()?;
    Ok(fill_coco(&polygons, height, width)?)
}

impl AnnotationSet {
    /// Whether the objects were annotated in pictures of a camera; a generated scene's were not.
    #[must_use]
    pub fn is_photographed(&self) -> bool {
        self.annotations.iter().all(|a| a.mask_source != GENERATED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(segmentation: Segmentation) -> Annotation {
        Annotation {
            segmentation,
            ..Annotation::of_box(7, 1, 1, [1.0, 0.0, 2.0, 2.0])
        }
    }

    #[test]
    fn a_square_is_the_same_in_every_form() {
        let forms = [
            Segmentation::BoxOnly,
            Segmentation::Polygons(vec![vec![1.0, 0.0, 3.0, 0.0, 3.0, 2.0, 1.0, 2.0]]),
            Segmentation::Runs {
                size: [3, 4],
                counts: vec![3, 2, 1, 2, 4],
            },
        ];
        let inside = [
            [false, true, true, false],
            [false, true, true, false],
            [false; 4],
        ];
        for form in forms {
            let mask = object(form.clone()).mask(3, 4).expect("a mask");
            assert_eq!(mask.inside(), inside.concat(), "{form:?}");
        }
    }

    #[test]
    fn a_fault_names_the_object() {
        let runs = Segmentation::Runs {
            size: [3, 4],
            counts: vec![12],
        };
        let text = |form, height| {
            let fault = object(form).mask(height, 4).expect_err("a fault");
            fault.to_string()
        };
        assert_eq!(
            text(runs, 5),
            "annotation 7 has no mask: run lengths of 4 × 3 px in a picture of 4 × 5 px"
        );
        let line = Segmentation::Polygons(vec![vec![1.0, 1.0, 2.0, 2.0]]);
        assert_eq!(
            text(line, 3),
            "annotation 7 has no mask: a polygon has at least 3 vertices, got 2"
        );
        let short = Segmentation::Runs {
            size: [3, 4],
            counts: vec![1],
        };
        assert!(text(short, 3).contains("12"), "pixels of the picture");
    }

    #[test]
    fn generated_objects_are_no_photographs() {
        let mut set = AnnotationSet::default();
        set.annotations.push(object(Segmentation::BoxOnly));
        assert!(set.is_photographed());
        set.annotations[0].mask_source = GENERATED.to_owned();
        assert!(!set.is_photographed());
    }
}
