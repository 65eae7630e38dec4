//! The `report` section of a spec.

use super::claims::selection;
use super::sweep::DATASET_KEY;
use crate::fault::{Faults, nearest};
use crate::params::Params;
use crate::report_spec::{
    Band, FigureKind, FigureSpec, ReferencePoint, ReportSpec, Scale, TableSpec,
};
use crate::study::StudyInfo;
use crate::yaml::{MapReader, Node};

/// The report section, or an empty one where the spec has none.
pub(super) fn report(
    reader: &mut MapReader<'_>,
    study: &StudyInfo,
    faults: &mut Faults,
) -> ReportSpec {
    let Some(mut section) = reader.map("report", faults) else {
        return ReportSpec::default();
    };
    let mut tables = Vec::new();
    if let Some(node) = section.take("table") {
        tables.extend(table(node, &section.path("table"), study, faults));
    }
    for (i, node) in section
        .list("tables", faults)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let path = format!("{}[{i}]", section.path("tables"));
        tables.extend(table(node, &path, study, faults));
    }
    let mut figures = Vec::new();
    for (i, node) in section
        .list("figures", faults)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let path = format!("{}[{i}]", section.path("figures"));
        figures.extend(figure(node, &path, study, faults));
    }
    section.finish(faults);
    ReportSpec { tables, figures }
}

fn table(node: &Node, path: &str, study: &StudyInfo, faults: &mut Faults) -> Option<TableSpec> {
    let mut reader = MapReader::new(node, path, faults)?;
    let rows = reader.texts("rows", faults).unwrap_or_default();
    let values = reader.texts("values", faults).unwrap_or_default();
    let filter = filter(&mut reader, study, faults);
    let title = reader.text("title", faults);
    let names = Names::of_trials(study);
    names.check(&rows, &reader, "rows", faults);
    names.check(&values, &reader, "values", faults);
    if values.is_empty() {
        faults.add(
            reader.place(),
            &reader.path("values"),
            "a table without values",
        );
    }
    reader.finish(faults);
    Some(TableSpec {
        rows,
        values,
        filter,
        title,
    })
}

fn figure(node: &Node, path: &str, study: &StudyInfo, faults: &mut Faults) -> Option<FigureSpec> {
    let mut reader = MapReader::new(node, path, faults)?;
    let kind = word(&mut reader, "kind", &FigureKind::ALL, faults);
    if kind.is_none() && node.get("kind").is_none() {
        faults.add(reader.place(), &reader.path("kind"), "this key is missing");
    }
    let table = reader.text("table", faults);
    let x = reader.text("x", faults);
    let y = reader.texts("y", faults).unwrap_or_default();
    let value = reader.text("value", faults);
    let series = reader.text("series", faults);
    let band = word(&mut reader, "band", &Band::ALL, faults).unwrap_or_default();
    let filter = filter(&mut reader, study, faults);
    let x_scale = word(&mut reader, "x_scale", &Scale::ALL, faults).unwrap_or_default();
    let y_scale = word(&mut reader, "y_scale", &Scale::ALL, faults).unwrap_or_default();
    let title = reader.text("title", faults);
    let caption = reader.text("caption", faults);
    let reference = references(&mut reader, faults);
    let known = match &table {
        None => Some(Names::of_trials(study)),
        Some(name) => {
            let names = Names::of_table(name, study);
            if names.is_none() {
                let known: Vec<&str> = study.tables.iter().map(|t| t.name).collect();
                let message = format!("the study leaves no table `{name}`");
                let help = format!("known: {}", known.join(", "));
                faults.add_with_help(reader.place(), &reader.path("table"), message, help);
            }
            names
        }
    };
    if let Some(names) = known {
        names.check(x.as_slice(), &reader, "x", faults);
        names.check(&y, &reader, "y", faults);
        names.check(value.as_slice(), &reader, "value", faults);
        names.check(series.as_slice(), &reader, "series", faults);
    }
    let kind = kind?;
    let missing = match kind {
        FigureKind::Line | FigureKind::Scatter | FigureKind::Bar => {
            [("x", x.is_none()), ("y", y.is_empty())]
        }
        FigureKind::Heat => [
            ("table", table.is_none()),
            ("value", value.is_none() || x.is_none() || y.is_empty()),
        ],
        FigureKind::Histogram => [("value", value.is_none()), ("value", false)],
        FigureKind::ImageGrid => [("value", value.is_none()), ("table", table.is_none())],
    };
    for (key, missing) in missing {
        if missing {
            let help = "line, scatter and bar need x and y; heat needs table, x, y and value; \
                        histogram needs value; image_grid needs table and value";
            let message = "this kind of figure needs more keys";
            faults.add_with_help(reader.place(), &reader.path(key), message, help);
        }
    }
    reader.finish(faults);
    Some(FigureSpec {
        kind,
        table,
        x,
        y,
        value,
        series,
        band,
        filter,
        x_scale,
        y_scale,
        title,
        caption,
        reference,
    })
}

fn filter(reader: &mut MapReader<'_>, study: &StudyInfo, faults: &mut Faults) -> Params {
    reader
        .take("where")
        .and_then(|node| selection(node, &reader.path("where"), study, faults))
        .unwrap_or_default()
}

fn references(reader: &mut MapReader<'_>, faults: &mut Faults) -> Vec<ReferencePoint> {
    let path = reader.path("reference");
    let items = reader.list("reference", faults).unwrap_or_default();
    let mut points = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let Some(mut point) = MapReader::new(item, &format!("{path}[{i}]"), faults) else {
            continue;
        };
        point.require("x", faults);
        point.require("y", faults);
        let (x, y) = (point.number("x", faults), point.number("y", faults));
        let label = point.require_text("label", faults);
        point.finish(faults);
        if let (Some(x), Some(y), Some(label)) = (x, y, label) {
            points.push(ReferencePoint { x, y, label });
        }
    }
    points
}

fn word<T: Copy>(
    reader: &mut MapReader<'_>,
    key: &'static str,
    words: &[(&'static str, T)],
    faults: &mut Faults,
) -> Option<T> {
    let text = reader.text(key, faults)?;
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{text}` is none of the words known here");
        let help = format!("write one of {}", known.join(", "));
        faults.add_with_help(reader.place(), &reader.path(key), message, help);
    }
    found.map(|(_, value)| *value)
}

/// The names a table or figure may use.
struct Names(Vec<&'static str>);

impl Names {
    /// Params and metrics of trials.
    fn of_trials(study: &StudyInfo) -> Self {
        let params = study.params.iter().map(|param| param.name);
        let metrics = study.metrics.iter().map(|metric| metric.name);
        Self(params.chain(metrics).chain([DATASET_KEY, "seed"]).collect())
    }

    /// Columns of a table, and params of the trial each row comes from.
    fn of_table(table: &str, study: &StudyInfo) -> Option<Self> {
        let table = study.tables.iter().find(|t| t.name == table)?;
        let columns = table.columns.iter().map(|column| column.name);
        let params = study.params.iter().map(|param| param.name);
        Some(Self(
            columns.chain(params).chain([DATASET_KEY, "seed"]).collect(),
        ))
    }

    fn check(&self, used: &[String], reader: &MapReader<'_>, key: &str, faults: &mut Faults) {
        for name in used {
            if self.0.contains(&name.as_str()) {
                continue;
            }
            let help = match nearest(name, self.0.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.0.join(", ")),
            };
            let message = format!("nothing is called `{name}`");
            faults.add_with_help(reader.place(), &reader.path(key), message, help);
        }
    }
}
