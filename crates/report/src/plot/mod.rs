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
mod kind;
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
use retrial_core::keys::Kind;
use retrial_core::report_spec::FigureSpec;

pub(crate) use self::drawing::Drawing;
pub use self::histogram::{HistogramWords, histogram_png};
use self::kind::{FigureKind, Title};
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

/// Every kind of figure: one file each.
const KINDS: &[&FigureKind] = &[
    &line::KIND,
    &scatter::KIND,
    &bar::KIND,
    &heat::KIND,
    &histogram::KIND,
    &image_grid::KIND,
];

/// The kinds of figure, by which specs are read.
#[must_use]
pub fn figure_kinds() -> Vec<Kind> {
    KINDS.iter().map(|kind| kind.keys).collect()
}

/// The kind that a spec names; none in a sheet of a newer program.
fn kind_of(spec: &FigureSpec) -> Option<&'static FigureKind> {
    let mut kinds = KINDS.iter().copied();
    kinds.find(|kind| kind.keys.word == spec.kind)
}

/// The figure that a spec asks for.
pub(crate) fn draw(experiment: &Experiment, spec: &FigureSpec) -> Result<Drawing, ReportError> {
    let source = Source::new(experiment, spec, title(&experiment.sheet, spec))?;
    let kind = kind_of(spec)
        .ok_or_else(|| source.fault(format!("this program draws no `{}`", spec.kind)))?;
    let mut drawing = (kind.draw)(&source)?;
    drawing.notes.extend(source.left_out);
    Ok(drawing)
}

/// What a figure is called.
pub(crate) fn title(sheet: &ExperimentSheet, spec: &FigureSpec) -> String {
    let made = kind_of(spec).map_or(Title::Axes, |kind| kind.title);
    let title = spec.title.clone();
    title.unwrap_or_else(|| made.of(sheet, spec))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use retrial_core::keys::MapDef;
    use retrial_core::spec::keys::{FigureKeys, GuideKeys};

    use super::*;

    #[test]
    fn kinds_have_words_of_their_own_and_name_keys_that_there_are() {
        let kinds = figure_kinds();
        let words: BTreeSet<&str> = kinds.iter().map(|kind| kind.word).collect();
        assert_eq!(words.len(), kinds.len());
        let has = |map: &MapDef, name: &str| map.keys.iter().any(|key| key.name == name);
        for kind in &kinds {
            for path in kind.needs.iter().chain(kind.takes) {
                let known = match path.strip_prefix("lines.") {
                    Some(name) => has(GuideKeys::MAP, name),
                    None => has(FigureKeys::MAP, path),
                };
                assert!(known, "{} names {path}", kind.word);
            }
        }
    }
}
