//! What a page says, before it is written as Markdown or HTML.

use std::collections::HashSet;

use retrial_core::claim::{Origin, Verdict};
use retrial_core::experiment::ExperimentSheet;
use retrial_core::record::{Outcome, Record};

use crate::checklist::{self, Item};
use crate::load::Experiment;
use crate::number::counted;
use crate::plot::{self, Drawing};
use crate::table::{self, Table};
use crate::verdict::{self, ClaimRow};

/// A study: all its experiments.
pub(crate) struct StudyView<'e> {
    pub(crate) study: &'e str,
    pub(crate) work: &'e str,
    pub(crate) experiments: Vec<ExperimentView<'e>>,
}

/// An experiment as its section shows it.
pub(crate) struct ExperimentView<'e> {
    pub(crate) sheet: &'e ExperimentSheet,
    pub(crate) progress: String,
    pub(crate) claims: Vec<ClaimRow>,
    pub(crate) tables: Vec<Result<Table, String>>,
    pub(crate) figures: Vec<FigureView>,
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) notes: Vec<String>,
    pub(crate) checklist: Vec<Item>,
}

/// A figure or why there is none.
pub(crate) struct FigureView {
    pub(crate) title: String,
    pub(crate) caption: String,
    /// Stem of its files.
    pub(crate) stem: String,
    pub(crate) drawing: Result<Drawing, String>,
}

/// A failed attempt or a damaged record.
pub(crate) struct Trouble {
    /// Trial or file.
    pub(crate) what: String,
    /// `attempt 2, seed 1, panic`.
    pub(crate) how: String,
    /// What was said.
    pub(crate) text: String,
}

/// Experiments by study, in their order.
pub(crate) fn studies(experiments: &[Experiment]) -> Vec<StudyView<'_>> {
    let mut studies: Vec<StudyView<'_>> = Vec::new();
    for experiment in experiments {
        let view = experiment_view(experiment);
        match studies.iter_mut().find(|s| s.study == view.sheet.study) {
            Some(study) => {
                // A damaged sheet says nothing of the work.
                if study.work.is_empty() {
                    study.work = &experiment.sheet.work;
                }
                study.experiments.push(view);
            }
            None => studies.push(StudyView {
                study: &experiment.sheet.study,
                work: &experiment.sheet.work,
                experiments: vec![view],
            }),
        }
    }
    studies
}

impl StudyView<'_> {
    /// Rows of all its claims.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &ClaimRow> {
        self.experiments.iter().flat_map(|e| &e.claims)
    }
}

/// How many claims have each verdict, best first.
pub(crate) fn counts<'c>(
    claims: impl Iterator<Item = &'c ClaimRow>,
) -> Vec<(Origin, Verdict, usize)> {
    let mut counts: Vec<_> = [Origin::Publication, Origin::Project]
        .into_iter()
        .flat_map(|origin| {
            [
                Verdict::Reproduced,
                Verdict::NotReproduced,
                Verdict::Underpowered,
                Verdict::NotTestable,
            ]
            .map(|verdict| (origin, verdict, 0))
        })
        .collect();
    for claim in claims {
        for (origin, verdict, count) in &mut counts {
            *count += usize::from((*origin, *verdict) == (claim.origin, claim.verdict));
        }
    }
    counts.retain(|(_, _, count)| *count > 0);
    counts
}

fn experiment_view(experiment: &Experiment) -> ExperimentView<'_> {
    let sheet = &experiment.sheet;
    let mut slugs = HashSet::new();
    let mut unique = |slug: String| {
        let mut name = slug.clone();
        let mut number = 2;
        while !slugs.insert(name.clone()) {
            name = format!("{slug}-{number}");
            number += 1;
        }
        name
    };
    let tables = sheet.report.tables.iter().map(|spec| {
        let mut table = table::build(experiment, spec).map_err(|error| error.to_string())?;
        table.slug = unique(std::mem::take(&mut table.slug));
        Ok(table)
    });
    let tables = tables.collect();
    let figures = sheet.report.figures.iter().map(|spec| {
        let drawing = plot::draw(experiment, spec).map_err(|error| error.to_string());
        let mut caption: Vec<String> = spec.caption.iter().cloned().collect();
        if let Ok(drawing) = &drawing {
            caption.extend(drawing.notes.iter().cloned());
        }
        let stem = unique(plot::slug(sheet, spec));
        FigureView {
            title: capital(&plot::title(sheet, spec)),
            caption: caption.join(" "),
            stem: format!("{}-{}-{stem}", sheet.study, sheet.experiment),
            drawing,
        }
    });
    ExperimentView {
        sheet,
        progress: progress(experiment),
        claims: verdict::rows(experiment),
        tables,
        figures: figures.collect(),
        troubles: troubles(experiment),
        notes: notes(experiment),
        checklist: checklist::items(experiment),
    }
}

fn progress(experiment: &Experiment) -> String {
    let planned = experiment.sheet.trials.len();
    let done = experiment.finished.len();
    let mut text = match planned == done {
        true => format!("{} finished", counted(done, "planned trial")),
        false => format!("{done} of {} finished", counted(planned, "planned trial")),
    };
    let failed: HashSet<&str> = (experiment.attempts.iter())
        .map(|record| record.trial.as_str())
        .filter(|trial| experiment.finished.iter().all(|r| r.trial != *trial))
        .collect();
    if !failed.is_empty() {
        text.push_str(&format!(", {} failed", failed.len()));
    }
    if !experiment.unfinished.is_empty() {
        text.push_str(&format!(", {} begun", experiment.unfinished.len()));
    }
    if !experiment.damaged.is_empty() {
        let damaged = counted(experiment.damaged.len(), "damaged record");
        text.push_str(&format!(", {damaged} left out"));
    }
    text
}

fn notes(experiment: &Experiment) -> Vec<String> {
    let mut notes = Vec::new();
    if !experiment.earlier.is_empty() {
        let ids: Vec<&str> = experiment
            .earlier
            .iter()
            .map(|r| r.trial.as_str())
            .collect();
        let shown = ids.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        let more = match ids.len() > 5 {
            true => format!(" and {} more", ids.len() - 5),
            false => String::new(),
        };
        notes.push(format!(
            "{} from an earlier plan (other params, data or study revision) not pooled here: \
             {shown}{more}.",
            counted(ids.len(), "trial"),
        ));
    }
    if !experiment.unfinished.is_empty() {
        notes.push(format!(
            "Begun and neither finished nor failed: {}.",
            experiment.unfinished.join(", ")
        ));
    }
    notes
}

fn troubles(experiment: &Experiment) -> Vec<Trouble> {
    let attempts = experiment.attempts.iter().map(|record| Trouble {
        what: record.trial.clone(),
        how: how(record, &experiment.finished),
        text: match &record.outcome {
            Outcome::Failed { error, .. } => error.trim().to_owned(),
            Outcome::Finished => "recorded as an attempt although it finished".to_owned(),
        },
    });
    let damaged = experiment.damaged.iter().map(|damaged| Trouble {
        what: damaged.path.clone(),
        how: "damaged record, left out".to_owned(),
        text: damaged.reason.clone(),
    });
    attempts.chain(damaged).collect()
}

fn how(record: &Record, finished: &[Record]) -> String {
    let cause = match &record.outcome {
        Outcome::Failed { cause, .. } => cause.replace('_', " "),
        Outcome::Finished => "finished".to_owned(),
    };
    let later = match finished.iter().any(|r| r.trial == record.trial) {
        true => "; a later attempt finished",
        false => "",
    };
    format!("attempt {}, {cause}{later}", record.attempt)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
