//! The reproducibility checklist of an experiment, filled in from its records.
//!
//! The items are those that the checklists of NeurIPS and ACL ask of an experiment: number of
//! runs, bounds of every param, summary statistics, run time, hardware, source and data.

use std::collections::BTreeSet;

use retrial_core::census::Census;
use retrial_core::record::{Build, Record};

use crate::load::Experiment;
use crate::number::{counted, plain};

/// One line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) head: &'static str,
    pub(crate) text: String,
}

/// All lines, from the finished trials of the plan.
pub(crate) fn items(experiment: &Experiment) -> Vec<Item> {
    let records = &experiment.finished;
    let sheet = &experiment.sheet;
    let mut items = Vec::new();
    let mut add = |head, text: String| {
        if !text.is_empty() {
            items.push(Item { head, text });
        }
    };
    let seeds: BTreeSet<u64> = records.iter().map(|r| r.seed).collect();
    let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
    add(
        "Trials",
        format!(
            "{} of {} planned; {} failed; seeds {}",
            records.len(),
            sheet.trials.len(),
            counted(experiment.attempts.len(), "attempt"),
            list(&seeds)
        ),
    );
    add(
        "Statistics",
        match sheet.deterministic {
            true => "deterministic study: values are compared directly, no interval".to_owned(),
            false => "mean, standard deviation (n − 1) and Student's t 95 % interval over seeds"
                .to_owned(),
        },
    );
    if records.is_empty() {
        return items;
    }
    add("Params", params(experiment));
    let machine = |r: &Record| {
        let p = &r.provenance;
        format!("{} ({})", p.cpu, p.system)
    };
    add("Hardware", distinct(records, machine));
    add(
        "CPU features",
        distinct(records, |r| r.provenance.cpu_features.join(" ")),
    );
    let device = |r: &Record| {
        let threads = counted(r.provenance.threads, "thread");
        format!("{}, {threads} a trial", r.provenance.device)
    };
    add("Device", distinct(records, device));
    add("Run time", run_time(records));
    let source = |r: &Record| {
        let p = &r.provenance;
        let revision = p.source_revision.as_deref().unwrap_or("unknown");
        let revision = revision.get(..12).unwrap_or(revision);
        let dirty = match p.source_dirty {
            Some(true) => ", with uncommitted changes",
            Some(false) => "",
            None => ", unknown whether changed",
        };
        format!("retrial {} at {revision}{dirty}", p.version)
    };
    add("Source", distinct(records, source));
    let build = |r: &Record| {
        r.provenance
            .build
            .as_ref()
            .map_or_else(String::new, Build::line)
    };
    add("Build", distinct(records, build));
    add(
        "Study revision",
        distinct(records, |r| r.revision.to_string()),
    );
    add(
        "Lock file",
        distinct(records, |r| shortened(&r.provenance.lock_file)),
    );
    let data = |r: &Record| {
        let data = r.dataset.as_ref();
        data.map_or(String::new(), |d| {
            format!("{} {}, from {}", d.name, shortened(&d.content), d.source)
        })
    };
    add("Data", distinct(records, data));
    // Records of earlier programs say nothing of it.
    add("Data used", census(records, |census| &census.facts));
    add(
        "Data repaired, left out or doubtful",
        census(records, |census| &census.warnings),
    );
    items
}

/// The lines of all records, each once.
fn census(records: &[Record], lines: impl Fn(&Census) -> &Vec<String>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for line in records.iter().flat_map(|record| lines(&record.census)) {
        if !all.contains(&line.as_str()) {
            all.push(line);
        }
    }
    all.join("; ")
}

fn params(experiment: &Experiment) -> String {
    let sheet = &experiment.sheet;
    let params = sheet.params.iter().filter_map(|quantity| {
        let mut tried: Vec<String> = Vec::new();
        for record in &experiment.finished {
            let value = record.params.get(&quantity.name)?.to_string();
            if !tried.contains(&value) {
                tried.push(value);
            }
        }
        let mut text = format!("{} = {}", quantity.name, list(&tried));
        if !quantity.unit.is_empty() {
            text.push_str(&format!(" {}", quantity.unit));
        }
        if sheet.swept.contains(&quantity.name) && !quantity.bounds.is_empty() {
            text.push_str(&format!(" (swept; {})", quantity.bounds));
        }
        Some(text)
    });
    params.collect::<Vec<_>>().join("; ")
}

fn run_time(records: &[Record]) -> String {
    let total: f64 = records.iter().map(|r| r.provenance.duration_s).sum();
    let cpu: f64 = records.iter().map(|r| r.provenance.cpu_s).sum();
    let memory = records.iter().map(|r| r.provenance.peak_memory_mib);
    format!(
        "{} in all ({} of CPU), {} a trial; peak memory {} MiB",
        duration(total),
        duration(cpu),
        duration(total / records.len() as f64),
        plain(memory.fold(0.0, f64::max).round())
    )
}

/// A time as a person says it.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else if seconds < 7200.0 {
        format!("{:.1} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

fn distinct(records: &[Record], of: impl Fn(&Record) -> String) -> String {
    let mut values: Vec<String> = Vec::new();
    for value in records.iter().map(of) {
        if !value.is_empty() && !values.contains(&value) {
            values.push(value);
        }
    }
    values.join("; ")
}

/// A hash with enough digits to find it by.
fn shortened(hash: &str) -> String {
    match hash.split_once(':') {
        Some((kind, digits)) => format!("{kind}:{}", digits.get(..12).unwrap_or(digits)),
        None => hash.get(..12).unwrap_or(hash).to_owned(),
    }
}

fn list(values: &[String]) -> String {
    if values.len() <= 12 {
        return values.join(", ");
    }
    let (first, last) = (values[..10].join(", "), &values[values.len() - 1]);
    format!("{first}, … {last} ({} values)", values.len())
}
