//! Figures: one file a kind, one table of kinds, and what they share.

mod axis;
mod band;
mod bar;
mod chart;
mod curve;
mod drawing;
mod font;
mod guide;
mod guide_labels;
mod heat;
mod histogram;
mod image_grid;
mod line;
mod mark;
mod paint;
mod palette;
mod picture;
mod png;
mod scatter;
mod scene;
mod sheet;
mod source;
mod spread;
mod svg;
mod tick_labels;

use retrial_core::experiment::ExperimentSheet;
use retrial_core::report_spec::{FigureKind, FigureSpec};

pub(crate) use self::drawing::Drawing;
pub use self::histogram::{HistogramWords, histogram_png};
pub use self::picture::gray_png;
pub use self::sheet::{SheetPicture, SheetRow, contact_sheet_png};
use self::source::Source;
use crate::error::ReportError;
use crate::load::Experiment;
use crate::quantity;

/// Draws values at the points of a regular grid as colour, as a PNG file, without any record.
///
/// `name` and `unit` label the colour bar; the axes are pixels, `y` downwards. Points without a
/// finite value are grey. `None` where no value is finite or the points are no regular grid.
#[must_use]
pub fn field_png(x: &[f64], y: &[f64], values: &[f64], name: &str, unit: &str) -> Option<Vec<u8>> {
    let (field, _) = heat::field(String::new(), (x, y), values).ok()?;
    let pixel = |axis: &str| (axis.to_owned(), "px".to_owned());
    let labels = heat::Labels {
        x: pixel("x"),
        y: pixel("y"),
        value: (name.to_owned(), unit.to_owned()),
    };
    Some(png::render(&heat::scene(&[field], &labels)?))
}

/// Draws what became of the points of a regular grid, one colour a word, as a PNG file.
///
/// `classes` are places in `words`; any other number is grey. `None` where the points are no
/// regular grid or there are no words.
#[must_use]
pub fn classes_png(
    x: &[f64],
    y: &[f64],
    classes: &[usize],
    name: &str,
    words: &[&str],
) -> Option<Vec<u8>> {
    let values: Vec<f64> = classes.iter().map(|&class| class as f64).collect();
    let (field, _) = heat::field(String::new(), (x, y), &values).ok()?;
    let pixel = |axis: &str| (axis.to_owned(), "px".to_owned());
    let labels = heat::Labels {
        x: pixel("x"),
        y: pixel("y"),
        value: (name.to_owned(), String::new()),
    };
    let drawn = (!words.is_empty()).then(|| heat::classes(field, &labels, words))?;
    Some(png::render(&drawn?))
}

type Draw = fn(&Source<'_>) -> Result<Drawing, ReportError>;

/// Every kind of figure and the function that draws it.
const KINDS: [(FigureKind, Draw); 6] = [
    (FigureKind::Line, line::draw),
    (FigureKind::Scatter, scatter::draw),
    (FigureKind::Bar, bar::draw),
    (FigureKind::Heat, heat::draw),
    (FigureKind::Histogram, histogram::draw),
    (FigureKind::ImageGrid, image_grid::draw),
];

/// The figure that a spec asks for.
pub(crate) fn draw(experiment: &Experiment, spec: &FigureSpec) -> Result<Drawing, ReportError> {
    let source = Source::new(experiment, spec, title(&experiment.sheet, spec))?;
    let (_, draw) = (KINDS.iter())
        .find(|(kind, _)| *kind == spec.kind)
        .ok_or_else(|| source.fault("this kind of figure cannot be drawn".to_owned()))?;
    let mut drawing = draw(&source)?;
    drawing.notes.extend(source.left_out);
    Ok(drawing)
}

/// What a figure is called where its spec does not say.
pub(crate) fn title(sheet: &ExperimentSheet, spec: &FigureSpec) -> String {
    if let Some(title) = &spec.title {
        return title.clone();
    }
    let table = spec.table.as_deref();
    let spoken = |name: &String| quantity::spoken(name, quantity::unit(sheet, table, name));
    let of_value = |words: &str| match spec.value.as_ref().or(spec.y.first()) {
        Some(value) => format!("{} as {words}", spoken(value)),
        None => words.to_owned(),
    };
    match spec.kind {
        FigureKind::Heat => of_value("a field"),
        FigureKind::Histogram => of_value("a histogram"),
        FigureKind::ImageGrid => of_value("pictures"),
        FigureKind::Line | FigureKind::Scatter | FigureKind::Bar => {
            let names: Vec<String> = spec.y.iter().map(spoken).collect();
            match &spec.x {
                Some(x) => format!("{} against {}", names.join(", "), spoken(x)),
                None => names.join(", "),
            }
        }
    }
}

/// The part of a figure's file names that tells it from the others of its experiment.
pub(crate) fn slug(sheet: &ExperimentSheet, spec: &FigureSpec) -> String {
    let slug = quantity::slug(&title(sheet, spec));
    if slug.is_empty() {
        "figure".to_owned()
    } else {
        slug
    }
}
