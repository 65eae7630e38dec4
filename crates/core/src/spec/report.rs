//! What the report section of a spec says, checked against the tables of the study.

use super::claims::{metric_name, selection};
use super::keys::{FigureKeys, GuideKeys, ReferenceKeys, ReportKeys, TableKeys};
use super::sweep::DATASET_KEY;
use crate::fault::{Faults, Renamed, instead, never_renamed};
use crate::keys::{Entries, KeyType as _, Kind, Kinds, Site};
use crate::params::{ParamValue, Params};
use crate::report_spec::{FigureSpec, Guide, GuideAt, ReferencePoint, ReportSpec, TableSpec};
use crate::study::StudyInfo;
use crate::yaml::join;

/// The key of the seed where trials are chosen.
const SEED_KEY: &str = "seed";
/// The key of the straight lines of a figure.
const LINES_KEY: &str = "lines";

/// The report section, with figures of these kinds.
pub(super) fn report(
    keys: ReportKeys,
    study: &StudyInfo,
    kinds: Kinds<'_>,
    faults: &mut Faults,
) -> ReportSpec {
    let tables = keys
        .table
        .into_iter()
        .chain(keys.tables.unwrap_or_default());
    let figures = keys.figures.unwrap_or_default().into_iter();
    let keep = keys.keep.unwrap_or_default().0;
    for name in &keep {
        let files = study
            .files
            .iter()
            .filter_map(|file| file.name.strip_suffix(".json"));
        let files = files.map(never_renamed);
        let known: Vec<Renamed<'_>> = tables_of(study).chain(files).collect();
        if known.iter().all(|(known, _)| known != name) {
            let message = format!("the study leaves no table or JSON file `{name}`");
            let help = instead(name, known);
            keys.site.fault("keep", message, help, faults);
        }
    }
    ReportSpec {
        keep,
        tables: tables.map(|keys| table(keys, study, faults)).collect(),
        figures: figures
            .filter_map(|keys| figure(keys, study, kinds, faults))
            .collect(),
    }
}

/// The tables of a study, and what they were called before.
fn tables_of(study: &StudyInfo) -> impl Iterator<Item = Renamed<'static>> {
    let tables = study.tables.iter();
    tables.map(|table| (table.name, table.was))
}

fn table(keys: TableKeys, study: &StudyInfo, faults: &mut Faults) -> TableSpec {
    let site = &keys.site;
    let filter = filter(keys.chosen, site, study, faults);
    let rows = keys.rows.unwrap_or_default().0;
    let is_stated = keys.values.is_some();
    let values = keys.values.unwrap_or_default().0;
    let names = Names::of_trials(study);
    names.check(&rows, site, "rows", faults);
    names.check(&values, site, "values", faults);
    if is_stated && values.is_empty() {
        faults.add(&site.place, &site.path("values"), "a table without values");
    }
    TableSpec {
        rows,
        values,
        filter,
        title: keys.title,
    }
}

fn figure(
    keys: FigureKeys,
    study: &StudyInfo,
    kinds: Kinds<'_>,
    faults: &mut Faults,
) -> Option<FigureSpec> {
    let site = &keys.site;
    let kind = keys.kind.and_then(|word| kinds.read(&word, faults));
    let filter = filter(keys.chosen, site, study, faults);
    let lines = keys.lines.unwrap_or_default().into_iter();
    let lines = lines.filter_map(|line| guide(line, kind, study, kinds, faults));
    let lines = lines.collect();
    let y = keys.y.unwrap_or_default().0;
    let rows = keys.rows.unwrap_or_default();
    let columns: Vec<String> = rows.keys().cloned().collect();
    let known = match &keys.table {
        None => Some(Names::of_trials(study)),
        Some(name) => {
            let names = Names::of_table(name, study);
            if names.is_none() {
                let message = format!("the study leaves no table `{name}`");
                let help = instead(name, tables_of(study));
                site.fault("table", message, help, faults);
            }
            names
        }
    };
    if let Some(names) = known {
        names.check(keys.x.as_slice(), site, "x", faults);
        names.check(&y, site, "y", faults);
        names.check(keys.value.as_slice(), site, "value", faults);
        names.check(keys.series.as_slice(), site, "series", faults);
        names.check(&columns, site, "rows", faults);
    }
    if keys.table.is_none() && !rows.is_empty() {
        let help = "`where` chooses trials; `rows` goes with `table`";
        let message = "a figure without a table has no rows to choose";
        site.fault("rows", message, help, faults);
    }
    if site.gives("y") && y.is_empty() {
        let help = "name a column or several";
        site.fault("y", "nothing stands in this list", help, faults);
    }
    let kind = kind?;
    check_kind(kind, kinds, site, faults);
    let references = keys.reference.unwrap_or_default().into_iter();
    Some(FigureSpec {
        kind: kind.word.to_owned(),
        table: keys.table,
        x: keys.x,
        y,
        value: keys.value,
        series: keys.series,
        band: keys.band,
        filter,
        x_scale: keys.x_scale,
        y_scale: keys.y_scale,
        title: keys.title,
        caption: keys.caption,
        reference: references.filter_map(reference).collect(),
        join: keys.join,
        lines,
        diagonal: keys.diagonal,
        labels: keys.labels,
        pick: keys.pick,
        rows,
    })
}

/// Faults of keys that a kind of figure needs and has not, or has and does not take.
fn check_kind(kind: &Kind, kinds: Kinds<'_>, site: &Site, faults: &mut Faults) {
    for key in kind.needs.iter().filter(|key| !site.gives(key)) {
        let message = "this kind of figure needs more keys";
        let help = format!("{} needs {}", kind.word, kind.needs.join(", "));
        site.fault(key, message, help, faults);
    }
    for key in FigureKeys::MAP.keys {
        if site.gives(key.name) {
            takes(kind, kinds, key.name, (site, key.name), faults);
        }
    }
}

/// Whether a kind of figure takes the key at a path from the figure, with a fault where it does not.
fn takes(
    kind: &Kind,
    kinds: Kinds<'_>,
    path: &str,
    (site, key): (&Site, &str),
    faults: &mut Faults,
) -> bool {
    let taking = kinds.taking(path);
    let fits = taking.is_empty() || taking.contains(&kind.word);
    if !fits {
        let message = "this kind of figure does not take this key";
        let help = format!("it goes with {}", taking.join(", "));
        site.fault(key, message, help, faults);
    }
    fits
}

/// Params that choose trials, and their seed, which is no param of the study.
fn filter(chosen: Option<Entries>, site: &Site, study: &StudyInfo, faults: &mut Faults) -> Params {
    let Some(mut chosen) = chosen else {
        return Params::default();
    };
    let path = site.path("where");
    let mut seed = None;
    if let Some(i) = chosen.0.iter().position(|entry| entry.key == SEED_KEY)
        && study.params.iter().all(|param| param.name != SEED_KEY)
    {
        let entry = chosen.0.remove(i);
        let whole = u64::read(&entry.node, &join(&path, SEED_KEY), faults);
        seed = whole.and_then(|seed| i64::try_from(seed).ok());
    }
    let mut filter = selection(&chosen, &path, study, faults).unwrap_or_default();
    if let Some(seed) = seed {
        filter.set(SEED_KEY, ParamValue::Int(seed));
    }
    filter
}

fn guide(
    keys: GuideKeys,
    kind: Option<&Kind>,
    study: &StudyInfo,
    kinds: Kinds<'_>,
    faults: &mut Faults,
) -> Option<Guide> {
    let metric = (keys.x_metric.as_ref()).and_then(|metric| metric_name(metric, study, faults));
    let stated = keys.site.alternatives(GuideKeys::MAP);
    let [key] = stated[..] else {
        let message = format!(
            "a line needs one of x, y, slope and x_metric, found {} of them",
            stated.len()
        );
        let help = "write {x: 0.5, label: threshold} or {y: 0.5, label: chance}";
        keys.site.fault("", message, help, faults);
        return None;
    };
    // Where the kind has no lines at all, that is said of the figure.
    let path = join(LINES_KEY, key);
    if let Some(kind) = kind.filter(|kind| kind.has(LINES_KEY))
        && !takes(kind, kinds, &path, (&keys.site, key), faults)
    {
        return None;
    }
    let upright = keys.x.map(GuideAt::X).or(metric.map(GuideAt::XMetric));
    let level = keys.y.map(GuideAt::Y);
    let at = upright.or(level).or(keys.slope.map(GuideAt::Slope))?;
    Some(Guide {
        at,
        label: keys.label,
    })
}

fn reference(keys: ReferenceKeys) -> Option<ReferencePoint> {
    Some(ReferencePoint {
        x: keys.x?,
        y: keys.y?,
        label: keys.label?,
    })
}

/// The names a table or figure may use.
struct Names(Vec<Renamed<'static>>);

impl Names {
    /// Params and metrics of trials.
    fn of_trials(study: &StudyInfo) -> Self {
        let metrics = study.metrics.iter();
        Self::beside_params(metrics.map(|metric| (metric.name, metric.was)), study)
    }

    /// Columns of a table, and params of the trial each row comes from.
    fn of_table(table: &str, study: &StudyInfo) -> Option<Self> {
        let table = study.tables.iter().find(|t| t.name == table)?;
        let columns = table.columns.iter();
        let columns = columns.map(|column| (column.name, column.was));
        Some(Self::beside_params(columns, study))
    }

    fn beside_params(others: impl Iterator<Item = Renamed<'static>>, study: &StudyInfo) -> Self {
        let params = study.params.iter().map(|param| (param.name, param.was));
        let fixed = [DATASET_KEY, SEED_KEY].map(never_renamed);
        Self(others.chain(params).chain(fixed).collect())
    }

    fn check(&self, used: &[String], site: &Site, key: &str, faults: &mut Faults) {
        for name in used {
            if self.0.iter().any(|(known, _)| known == name) {
                continue;
            }
            let help = instead(name, self.0.iter().copied());
            let message = format!("nothing is called `{name}`");
            site.fault(key, message, help, faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Direction, MetricDef};
    use crate::report_spec::{Labels, Pick};
    use crate::spec::tests::FIGURES;

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
            was: &[],
            doc: "Area.",
        }],
        tables: &[],
        files: &[],
        conflicts: |_| Vec::new(),
    };

    fn read(text: &str) -> Result<FigureSpec, Vec<String>> {
        let node = crate::yaml::parse("f.yaml", text).expect("YAML");
        let mut faults = Faults::default();
        let keys = FigureKeys::read(&node, "f", &mut faults).expect("a mapping");
        let spec = figure(keys, &STUDY, Kinds(FIGURES), &mut faults);
        let result = faults.into_result(spec);
        result.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn guides_pick_and_seed_are_read() {
        let text = "{kind: line, x: seed, y: auroc, diagonal: true, labels: points, \
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
    fn a_kind_names_what_it_needs() {
        let faults = read("{kind: heat, table: fields, value: u}").expect_err("no axes");
        for key in ["x", "y"] {
            let expected = format!(
                "f.{key}: this kind of figure needs more keys; heat needs table, x, y, value"
            );
            assert!(
                faults.iter().any(|fault| fault.ends_with(&expected)),
                "{faults:#?}"
            );
        }
        let faults = read("{kind: bar, x: seed, y: auroc, value: auroc}").expect_err("a colour");
        assert!(
            faults[0].ends_with(
                "f.value: this kind of figure does not take this key; it goes with heat"
            ),
            "{faults:#?}"
        );
    }

    #[test]
    fn rows_need_a_table() {
        let faults = read("{kind: bar, x: seed, y: auroc, rows: {part: test}}");
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
        let spec = read(&format!("{{kind: line, x: seed, y: auroc, {lines}}}")).expect("valid");
        assert_eq!(spec.lines[0].at, GuideAt::Slope(0.9));
        assert_eq!(spec.lines[1].at, GuideAt::XMetric("auroc".to_owned()));
        let faults = read("{kind: bar, x: seed, y: auroc, lines: [{slope: 0.9}, {y: 0.5}]}");
        let faults = faults.expect_err("a slope");
        let slope =
            "f.lines[0].slope: this kind of figure does not take this key; it goes with line";
        assert!(
            faults.len() == 1 && faults[0].ends_with(slope),
            "{faults:?}"
        );
        let faults =
            read("{kind: heat, table: fields, x: seed, y: seed, value: seed, lines: [{y: 1}]}");
        let faults = faults.expect_err("no lines and no table");
        assert_eq!(
            faults
                .iter()
                .filter(|fault| fault.contains("does not take"))
                .count(),
            1
        );
        let faults = read("{kind: line, x: seed, y: auroc, lines: [{x_metric: auroq}]}");
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
            only("diagonal", "line"),
            only("labels", "line"),
            "f.pick: `last` is none of the words known here; write one of all, first".to_owned(),
            "f.where.seed: expected a whole number of zero or more, found the whole number `-1`"
                .to_owned(),
            only("lines[0].x", "line"),
            one_of(1, 2),
            one_of(2, 0),
            "f.lines[3].y: expected a finite number, found `NaN`".to_owned(),
        ] {
            assert!(faults.contains(&expected), "{expected}\nin {faults:#?}");
        }
        assert_eq!(faults.len(), 9, "{faults:#?}");
    }
}
