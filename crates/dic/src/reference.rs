//! The reference side of a correlation, computed once for all deformed images.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use retrial_image::{GrayImage, Mask};

use crate::error::DicError;
use crate::filter::gaussian_plane;
use crate::gradient::gradient_planes;
use crate::grid;
use crate::plane::Plane;
use crate::settings::{Borders, Gradient, Settings, ShapeOrder};
use crate::site::Site;
use crate::spline::Spline;
use crate::status::Status;
use crate::subset::{SubsetRow, pixel_count, subset_rows};
use crate::textureless::textureless;
use crate::truncate::{Material, edge_reach, truncated_rows};

/// Share of a subset that must be left where it is not asked for: some of the corner of a plate.
const LEAST_SHARE: f64 = 0.2;

/// A reference image with its points, ready to be matched with deformed images.
#[derive(Clone, Debug)]
pub struct Reference {
    pub(crate) settings: Settings,
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<SubsetRow>,
    pub(crate) points: Vec<(usize, usize)>,
    /// What is left of subsets that are cut, by the index of their point.
    pub(crate) truncated: BTreeMap<usize, Vec<SubsetRow>>,
    /// The points of which a background without texture leaves too little.
    pub(crate) textureless: BTreeSet<usize>,
}

/// A filtered image and its gradient.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) pixels: Plane,
    pub(crate) gradient_x: Plane,
    pub(crate) gradient_y: Plane,
    /// The largest absolute grey value.
    pub(crate) brightest: f64,
    /// The mean grey value.
    pub(crate) mean: f32,
}

/// A filtered image and its interpolant.
#[derive(Clone, Debug)]
pub(crate) struct Deformed {
    pub(crate) pixels: Plane,
    pub(crate) spline: Spline,
}

impl Reference {
    /// The settings it was prepared with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same image and points, to be matched with another order of the shape function.
    #[must_use]
    pub fn with_order(mut self, order: ShapeOrder) -> Self {
        self.settings.shape_order = order;
        self
    }

    /// Where every subset is taken from in the first image.
    pub(crate) fn sites(&self) -> Vec<Site<'_>> {
        let all = (0..self.points.len()).into_par_iter().with_min_len(1024);
        all.map(|i| self.site(i)).collect()
    }

    /// Where the subset of point `i` is taken from in the first image.
    pub(crate) fn site(&self, i: usize) -> Site<'_> {
        Site {
            node: self.points[i],
            centre: self.points[i],
            rows: self.truncated.get(&i).unwrap_or(&self.rows),
        }
    }

    /// Cuts the subsets that do not lie as a whole in the picture, the mask and the part of it that has texture.
    ///
    /// The published gradient takes every pixel, as the published code does.
    fn truncate(&mut self, image: &GrayImage, mask: Option<&Mask>) {
        let settings = &self.settings;
        let (size, half) = ((image.width(), image.height()), settings.half_px());
        let (textureless, reach) = match settings.gradient {
            Gradient::Spline => (textureless(image, settings.side_px()), edge_reach(settings)),
            Gradient::Prewitt | Gradient::PrewittUnscaled => (None, 0),
        };
        let material = |textureless: Option<&[bool]>| {
            let has_edge = mask.is_some() || textureless.is_some();
            has_edge.then(|| Material::new(size, mask, textureless, reach))
        };
        let all = material(textureless.as_deref());
        let (cuts_at_border, least_share) = match settings.borders {
            Borders::Truncated { least_share } => (true, least_share),
            Borders::Whole => (false, LEAST_SHARE),
        };
        if all.is_none() && !cuts_at_border {
            return;
        }
        let rows = &self.rows;
        let complete = pixel_count(rows);
        let is_whole = |&(x, y): &(usize, usize)| {
            let fits = |place: usize, n: usize| place >= half && place + half < n;
            fits(x, size.0)
                && fits(y, size.1)
                && all
                    .as_ref()
                    .is_none_or(|all| all.is_clear_around((x, y), half))
        };
        self.truncated = self
            .points
            .par_iter()
            .enumerate()
            .filter(|(_, point)| !is_whole(point))
            .filter_map(|(i, &point)| {
                let left = truncated_rows(rows, point, size, all.as_ref(), reach, least_share);
                (pixel_count(&left) < complete).then_some((i, left))
            })
            .collect();
        if textureless.is_some() {
            let masked = material(None);
            let empty = self.truncated.iter().filter(|(_, rows)| rows.is_empty());
            let by_background = empty.filter(|&(&i, _)| {
                let point = self.points[i];
                !truncated_rows(rows, point, size, masked.as_ref(), reach, least_share).is_empty()
            });
            self.textureless = by_background.map(|(&i, _)| i).collect();
        }
    }

    /// Why a point of which too little is left has no result.
    pub(crate) fn status_without_subset(&self, i: usize) -> Status {
        match self.textureless.contains(&i) {
            true => Status::FlatSubset,
            false => Status::Masked,
        }
    }

    /// The centres `(x, y)` of the subsets, in the order of every [`Field`](crate::Field).
    #[must_use]
    pub fn points(&self) -> &[(usize, usize)] {
        &self.points
    }
}

/// Filters a reference image, takes its gradient and lays out the points.
///
/// Without a `mask` every pixel takes part.
///
/// # Errors
/// Every [`DicError`] about settings, mask and reference image.
pub fn prepare(
    image: &GrayImage,
    mask: Option<&Mask>,
    settings: &Settings,
) -> Result<Reference, DicError> {
    check_reference(image, settings)?;
    let (width, height) = (image.width(), image.height());
    if let Some(mask) = mask {
        if (mask.width(), mask.height()) != (width, height) {
            return Err(DicError::MaskSize {
                width,
                height,
                got_width: mask.width(),
                got_height: mask.height(),
            });
        }
        if mask.count() == 0 {
            return Err(DicError::EmptyMask { width, height });
        }
    }
    let points = grid::points(width, height, mask, settings);
    if points.is_empty() {
        return Err(DicError::NoPoint {
            size_px: settings.side_px(),
            step_px: settings.step_px,
            width,
            height,
            mask_px: mask.map_or(width * height, Mask::count),
        });
    }
    let mut reference = with_points(image, points, settings)?;
    reference.truncate(image, mask);
    Ok(reference)
}

/// As [`prepare`], with chosen points `(x, y)` in place of a grid, in their order.
///
/// `step_px` then only says how far apart points may lie that are compared with each other.
///
/// # Errors
/// Every [`DicError`] about settings and reference image; [`DicError::PointOutside`] where the
/// subset around a point does not fit into the picture, and [`DicError::EmptyPoints`].
pub fn prepare_points(
    image: &GrayImage,
    points: Vec<(usize, usize)>,
    settings: &Settings,
) -> Result<Reference, DicError> {
    check_reference(image, settings)?;
    let (width, height, half) = (image.width(), image.height(), settings.half_px());
    let fits = |place: usize, n: usize| place >= half && place < n - half;
    if let Some(&(x, y)) = points
        .iter()
        .find(|&&(x, y)| !(fits(x, width) && fits(y, height)))
    {
        return Err(DicError::PointOutside {
            x,
            y,
            size_px: settings.side_px(),
            width,
            height,
        });
    }
    if points.is_empty() {
        return Err(DicError::EmptyPoints);
    }
    let mut reference = with_points(image, points, settings)?;
    reference.truncate(image, None);
    Ok(reference)
}

/// Refuses settings, grey values, and a picture into which no subset fits.
pub(crate) fn check_reference(image: &GrayImage, settings: &Settings) -> Result<(), DicError> {
    settings.check()?;
    check_pixels(image)?;
    let (width, height) = (image.width(), image.height());
    let size_px = settings.side_px();
    if size_px > width || size_px > height {
        return Err(DicError::SubsetExceedsImage {
            size_px,
            width,
            height,
        });
    }
    Ok(())
}

/// A reference with these points, unchecked.
pub(crate) fn with_points(
    image: &GrayImage,
    points: Vec<(usize, usize)>,
    settings: &Settings,
) -> Result<Reference, DicError> {
    Ok(Reference {
        settings: settings.clone(),
        frame: Frame::new(filtered(image, settings)?, settings),
        rows: subset_rows(settings.side_px(), settings.subset_shape),
        points,
        truncated: BTreeMap::new(),
        textureless: BTreeSet::new(),
    })
}

impl Frame {
    /// The frame of an image that is filtered already.
    pub(crate) fn new(filtered: Plane, settings: &Settings) -> Self {
        let (mut gradient_x, mut gradient_y) =
            gradient_planes(&filtered, settings.gradient, settings.spline_degree);
        if let (Some(filter), Gradient::Spline) = (settings.prefilter, settings.gradient) {
            // A small subset keeps half of itself.
            let rim = filter.rim_px().min(settings.half_px() / 2);
            gradient_x.clear_rim(rim);
            gradient_y.clear_rim(rim);
        }
        let rows = (0..filtered.height).into_par_iter().with_min_len(64);
        let of_row = |y: usize| {
            let row = filtered.row(y);
            let brightest = row.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
            (brightest, row.iter().sum::<f32>() / row.len() as f32)
        };
        let of_rows: Vec<(f32, f32)> = rows.map(of_row).collect();
        let brightest = of_rows.iter().fold(0.0_f32, |a, (b, _)| a.max(*b));
        let mean = of_rows.iter().map(|(_, mean)| mean).sum::<f32>() / of_rows.len() as f32;
        Self {
            pixels: filtered,
            gradient_x,
            gradient_y,
            brightest: f64::from(brightest),
            mean,
        }
    }
}

impl Deformed {
    /// The interpolant of an image that is filtered already.
    pub(crate) fn new(filtered: Plane, settings: &Settings) -> Self {
        Self {
            spline: Spline::of_plane(&filtered, settings.spline_degree),
            pixels: filtered,
        }
    }
}

/// The image after the prefilter of the settings.
pub(crate) fn filtered(image: &GrayImage, settings: &Settings) -> Result<Plane, DicError> {
    settings.prefilter.map_or_else(
        || Ok(Plane::from_image(image)),
        |filter| gaussian_plane(image, filter),
    )
}

/// Refuses two pictures of different sizes or with grey values that are not finite.
pub(crate) fn check_pair(first: &GrayImage, second: &GrayImage) -> Result<(), DicError> {
    let (width, height) = (first.width(), first.height());
    if (second.width(), second.height()) != (width, height) {
        return Err(DicError::ImageSize {
            width,
            height,
            got_width: second.width(),
            got_height: second.height(),
        });
    }
    check_pixels(first)?;
    check_pixels(second)
}

/// Refuses grey values that are not finite.
pub(crate) fn check_pixels(image: &GrayImage) -> Result<(), DicError> {
    let rows = (0..image.height()).into_par_iter().with_min_len(64);
    let broken = |y: &usize| image.row(*y).iter().any(|value| !value.is_finite());
    let row = rows.filter(broken).min();
    let at = row.and_then(|y| {
        let x = image.row(y).iter().position(|value| !value.is_finite())?;
        Some(y * image.width() + x)
    });
    match at {
        None => Ok(()),
        Some(i) => Err(DicError::NonFinitePixel {
            x: i % image.width(),
            y: i / image.width(),
            value: image.pixels()[i],
        }),
    }
}
