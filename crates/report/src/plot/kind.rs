//! What a kind of figure is.

use retrial_core::experiment::ExperimentSheet;
use retrial_core::keys::Kind;
use retrial_core::report_spec::FigureSpec;

use super::drawing::Drawing;
use super::source::Source;
use crate::error::ReportError;
use crate::quantity;

/// A kind of figure: all that is known of it.
pub(super) struct FigureKind {
    /// Its word, what it shows, and the keys that it has in specs.
    pub(super) keys: Kind,
    /// What a figure is called where its spec does not say.
    pub(super) title: Title,
    /// How it is drawn.
    pub(super) draw: fn(&Source<'_>) -> Result<Drawing, ReportError>,
}

/// What a figure is called.
#[derive(Clone, Copy)]
pub(super) enum Title {
    /// `rmse against step`.
    Axes,
    /// `rmse as a histogram`: what has the value, as these words.
    Value(&'static str),
}

impl Title {
    /// The title of a figure.
    pub(super) fn of(self, sheet: &ExperimentSheet, spec: &FigureSpec) -> String {
        let table = spec.table.as_deref();
        let spoken = |name: &String| quantity::spoken(name, quantity::unit(sheet, table, name));
        match self {
            Self::Value(words) => match spec.value.as_ref().or(spec.y.first()) {
                Some(value) => format!("{} as {words}", spoken(value)),
                None => words.to_owned(),
            },
            Self::Axes => {
                let names: Vec<String> = spec.y.iter().map(spoken).collect();
                match &spec.x {
                    Some(x) => format!("{} against {}", names.join(", "), spoken(x)),
                    None => names.join(", "),
                }
            }
        }
    }
}
