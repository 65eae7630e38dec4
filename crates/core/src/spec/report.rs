//! The `report` section of a spec.

use std::collections::BTreeMap;

use super::claims::{metric_name, selection};
use super::sweep::DATASET_KEY;
use crate::fault::{Faults, nearest};
use crate::params::{ParamValue, Params};
use crate::report_spec::{
    Band, FigureKind, FigureSpec, Guide, GuideAt, Join, Labels, Pick, ReferencePoint, ReportSpec,
    Scale, TableSpec,
};
use crate::study::StudyInfo;
use crate::yaml::{self, MapReader, Node, Value};

/// The key of the seed where trials are chosen.
const SEED_KEY: &str = "seed";

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
    let keep = section.texts("keep", faults).unwrap_or_default();
    for name in &keep {
        if !study.tables.iter().any(|table| table.name == name) {
            let known: Vec<&str> = study.tables.iter().map(|t| t.name).collect();
            let message = format!("the study leaves no table `{name}`");
            let help = format!("known: {}", known.join(", "));
            faults.add_with_help(section.place(), &section.path("keep"), message, help);
        }
    }
    section.finish(faults);
    ReportSpec {
        keep,
        tables,
        figures,
    }
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
    let join = word(&mut reader, "join", &Join::ALL, faults).unwrap_or_default();
    let lines = guides(&mut reader, kind, study, faults);
    let diagonal = reader.flag("diagonal", faults).unwrap_or_default();
    let labels = word(&mut reader, "labels", &Labels::ALL, faults).unwrap_or_default();
    let pick = word(&mut reader, "pick", &Pick::ALL, faults).unwrap_or_default();
    let rows = rows(&mut reader, faults);
    let columns: Vec<String> = rows.keys().cloned().collect();
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
        names.check(&columns, &reader, "rows", faults);
    }
    if table.is_none() && !rows.is_empty() {
        let help = "`where` chooses trials; `rows` goes with `table`";
        let message = "a figure without a table has no rows to choose";
        faults.add_with_help(reader.place(), &reader.path("rows"), message, help);
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
    let used = [
        ("join", join != Join::default()),
        ("lines", !lines.is_empty()),
        ("diagonal", diagonal),
        ("labels", labels != Labels::default()),
    ];
    misplaced(kind, &used, &reader, faults);
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
        join,
        lines,
        diagonal,
        labels,
        pick,
        rows,
    })
}

/// Keys that only some kinds of figure have.
const ONLY_FOR: [(&str, &[FigureKind]); 4] = [
    ("join", &[FigureKind::Line]),
    (
        "lines",
        &[
            FigureKind::Line,
            FigureKind::Scatter,
            FigureKind::Bar,
            FigureKind::Histogram,
        ],
    ),
    ("diagonal", &[FigureKind::Line, FigureKind::Scatter]),
    ("labels", &[FigureKind::Scatter]),
];

fn misplaced(kind: FigureKind, used: &[(&str, bool)], reader: &MapReader<'_>, faults: &mut Faults) {
    for (key, kinds) in ONLY_FOR {
        let is_used = used.iter().any(|(name, used)| *name == key && *used);
        if !is_used || kinds.contains(&kind) {
            continue;
        }
        let words = FigureKind::ALL.iter().filter(|(_, k)| kinds.contains(k));
        let words: Vec<&str> = words.map(|(word, _)| *word).collect();
        let message = "this kind of figure does not take this key";
        let help = format!("it goes with {}", words.join(", "));
        faults.add_with_help(reader.place(), &reader.path(key), message, help);
    }
}

/// Params that choose trials, and their seed, which is no param of the study.
fn filter(reader: &mut MapReader<'_>, study: &StudyInfo, faults: &mut Faults) -> Params {
    let Some(node) = reader.take("where") else {
        return Params::default();
    };
    let path = reader.path("where");
    let mut params = node.clone();
    let mut seed = None;
    if let Value::Map(entries) = &mut params.value
        && let Some(i) = entries.iter().position(|entry| entry.key == SEED_KEY)
        && study.params.iter().all(|param| param.name != SEED_KEY)
    {
        let entry = entries.remove(i);
        let whole = yaml::whole(&entry.node, &yaml::join(&path, SEED_KEY), faults);
        seed = whole.and_then(|seed| i64::try_from(seed).ok());
    }
    let mut filter = selection(&params, &path, study, faults).unwrap_or_default();
    if let Some(seed) = seed {
        filter.set(SEED_KEY, ParamValue::Int(seed));
    }
    filter
}

/// The text that columns of a table must hold.
fn rows(reader: &mut MapReader<'_>, faults: &mut Faults) -> BTreeMap<String, String> {
    let path = reader.path("rows");
    let entries = (reader.map("rows", faults)).map_or(&[][..], |map| map.entries());
    let text = |entry: &yaml::Entry| {
        let text = yaml::text(&entry.node, &yaml::join(&path, &entry.key), faults)?;
        Some((entry.key.clone(), text))
    };
    entries.iter().filter_map(text).collect()
}

fn guides(
    reader: &mut MapReader<'_>,
    kind: Option<FigureKind>,
    study: &StudyInfo,
    faults: &mut Faults,
) -> Vec<Guide> {
    let path = reader.path("lines");
    let items = reader.list("lines", faults).unwrap_or_default();
    let mut guides = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let Some(mut guide) = MapReader::new(item, &path, faults) else {
            continue;
        };
        let (x, y) = (guide.number("x", faults), guide.number("y", faults));
        let slope = guide.number("slope", faults);
        let metric = guide.take("x_metric");
        let metric = metric.and_then(|n| metric_name(n, &guide.path("x_metric"), study, faults));
        let stated = ["x", "y", "slope", "x_metric"];
        let stated = stated.iter().filter(|key| item.get(key).is_some()).count();
        let label = guide.text("label", faults);
        guide.finish(faults);
        if stated != 1 {
            let message =
                format!("a line needs one of x, y, slope and x_metric, found {stated} of them");
            let help = "write {x: 0.5, label: threshold} or {y: 0.5, label: chance}";
            faults.add_with_help(&item.place, &path, message, help);
            continue;
        }
        let upright = x.map(GuideAt::X).or(metric.map(GuideAt::XMetric));
        let level = y.map(GuideAt::Y);
        let Some(at) = upright.or(level).or(slope.map(GuideAt::Slope)) else {
            continue;
        };
        let misfit = match at {
            GuideAt::X(_) | GuideAt::XMetric(_) if kind == Some(FigureKind::Bar) => {
                let help = "write {y: 1} for a horizontal line";
                Some((
                    "bars stand at words, which have no place between them",
                    help,
                ))
            }
            GuideAt::Slope(_) if !matches!(kind, Some(FigureKind::Line | FigureKind::Scatter)) => {
                let help = "write {x: 1} or {y: 1} for a line along an axis";
                Some(("a slope goes with line and scatter", help))
            }
            _ => None,
        };
        if let Some((message, help)) = misfit {
            faults.add_with_help(&item.place, &path, message, help);
            continue;
        }
        guides.push(Guide { at, label });
    }
    guides
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
        Self(
            params
                .chain(metrics)
                .chain([DATASET_KEY, SEED_KEY])
                .collect(),
        )
    }

    /// Columns of a table, and params of the trial each row comes from.
    fn of_table(table: &str, study: &StudyInfo) -> Option<Self> {
        let table = study.tables.iter().find(|t| t.name == table)?;
        let columns = table.columns.iter().map(|column| column.name);
        let params = study.params.iter().map(|param| param.name);
        Some(Self(
            columns
                .chain(params)
                .chain([DATASET_KEY, SEED_KEY])
                .collect(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Direction, MetricDef};

    const STUDY: StudyInfo = StudyInfo {
        name: "anogan",
        revision: 1,
        amendments: &[],
        work: "A work",
        deterministic: false,
        uses_device: false,
        cpu_methods: &[],
        content_kinds: &[],
        params: &[],
        metrics: &[MetricDef {
            name: "auroc",
            unit: "",
            direction: Direction::Higher,
            repeatable: true,
            doc: "Area.",
        }],
        tables: &[],
        files: &[],
        conflicts: |_| Vec::new(),
    };

    fn read(text: &str) -> Result<FigureSpec, Vec<String>> {
        let node = yaml::parse("f.yaml", text).expect("YAML");
        let mut faults = Faults::default();
        let spec = figure(&node, "f", &STUDY, &mut faults);
        let result = faults.into_result(spec);
        result.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn guides_pick_and_seed_are_read() {
        let text = "{kind: scatter, x: seed, y: auroc, diagonal: true, labels: points, \
                    pick: first, where: {seed: 3}, lines: [{y: 0.911, label: best}, {x: 2}]}";
        let spec = read(text).expect("valid");
        assert_eq!(spec.filter.get("seed"), Some(&ParamValue::Int(3)));
        assert_eq!((spec.pick, spec.labels), (Pick::First, Labels::Points));
        assert!(spec.diagonal);
        let label = Some("best".to_owned());
        let best = Guide {
            at: GuideAt::Y(0.911),
            label,
        };
        let two = Guide {
            at: GuideAt::X(2.0),
            label: None,
        };
        assert_eq!(spec.lines, [best, two]);
    }

    #[test]
    fn rows_need_a_table() {
        let faults = read("{kind: histogram, value: auroc, rows: {part: test}}");
        let faults = faults.expect_err("no table");
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains("f.rows: a figure without a table has no rows")),
            "{faults:?}"
        );
    }

    #[test]
    fn lines_may_stand_at_a_metric_or_have_a_slope() {
        let lines = "lines: [{slope: 0.9, label: ink}, {x_metric: auroc}]";
        let spec = read(&format!("{{kind: scatter, x: seed, y: auroc, {lines}}}")).expect("valid");
        assert_eq!(spec.lines[0].at, GuideAt::Slope(0.9));
        assert_eq!(spec.lines[1].at, GuideAt::XMetric("auroc".to_owned()));
        let faults = read(&format!("{{kind: histogram, value: auroc, {lines}}}"));
        let faults = faults.expect_err("a slope");
        assert!(
            faults.len() == 1 && faults[0].contains("a slope goes with line and scatter"),
            "{faults:?}"
        );
        let faults = read("{kind: scatter, x: seed, y: auroc, lines: [{x_metric: auroq}]}");
        let faults = faults.expect_err("no such metric");
        assert!(faults[0].contains("did you mean `auroc`?"), "{faults:?}");
    }

    #[test]
    fn every_misplaced_key_is_named() {
        let text = "{kind: bar, x: seed, y: auroc, diagonal: true, join: steps, \
                    labels: points, pick: last, where: {seed: -1}, \
                    lines: [{x: 1}, {y: 1, x: 2}, {label: none}, {y: .nan}]}";
        let mut faults = read(text).expect_err("faults");
        for fault in &mut faults {
            // The place is the start of the mapping or of the value.
            *fault = fault
                .splitn(4, ':')
                .nth(3)
                .expect("a place")
                .trim()
                .to_owned();
        }
        let only = |key: &str, kinds: &str| {
            format!("f.{key}: this kind of figure does not take this key; it goes with {kinds}")
        };
        let one_of = |i: usize, n: usize| {
            format!(
                "f.lines[{i}]: a line needs one of x, y, slope and x_metric, found {n} of them; write {{x: 0.5, \
                 label: threshold}} or {{y: 0.5, label: chance}}"
            )
        };
        for expected in [
            only("join", "line"),
            only("diagonal", "line, scatter"),
            only("labels", "scatter"),
            "f.pick: `last` is none of the words known here; write one of all, first".to_owned(),
            "f.where.seed: expected a whole number of zero or more, found the whole number `-1`"
                .to_owned(),
            "f.lines[0]: bars stand at words, which have no place between them; write {y: 1} for \
             a horizontal line"
                .to_owned(),
            one_of(1, 2),
            one_of(2, 0),
            "f.lines[3].y: expected a finite number, found `NaN`".to_owned(),
        ] {
            assert!(faults.contains(&expected), "{expected}\nin {faults:#?}");
        }
        assert_eq!(faults.len(), 9, "{faults:#?}");
    }
}
