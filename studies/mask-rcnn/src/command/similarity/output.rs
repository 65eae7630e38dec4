//! The files of `retrial similarity`: tables, figures, and where they come from.

use std::io::Write;
use std::path::PathBuf;

use retrial_runner::{Failure, eprintln};
use retrial_similarity::extremes;
use retrial_store::csv::Table;
use retrial_store::{StoreError, atomic_stream, atomic_write};
use serde_json::{Value, json};

use super::domain::Domain;
use super::figures;
use super::texture::Texture;
use super::weigh::Weighed;
use crate::cli::SimilarityArgs;

/// The version of the layout of the files; raised when a column changes its meaning.
const LAYOUT: i64 = 1;

/// Most pictures that a list of the summary names.
const LISTED: usize = 10;

/// Lines of a table that are in memory at once.
const LINES: usize = 4096;

const COLUMNS: [&str; 4] = [
    "path: name of the source picture within its folder",
    "log_weight: natural logarithm of its weight before all are normalised",
    "weight_times_n: its weight times the number of pictures; 1 in a uniform draw",
    "draws: how often it was drawn",
];

/// The folder.
pub(super) struct Output {
    folder: PathBuf,
}

impl Output {
    /// Makes the folder. Files of an earlier run stay unless `--force` says otherwise.
    pub(super) fn prepare(args: &SimilarityArgs) -> Result<Self, Failure> {
        let folder = args.out.clone();
        let facts = folder.join("run.yaml");
        if facts.exists() {
            let path = facts.display();
            if !args.force {
                return Err(Failure::usage(format!(
                    "{path} is there already; use --force to replace its run (its features stay), \
                     or name another folder and --features {}",
                    folder.join("features").display()
                )));
            }
            // Without it the folder says that its run has not ended.
            std::fs::remove_file(&facts)
                .map_err(|error| Failure::storage(format!("cannot remove {path}: {error}")))?;
            drop(std::fs::remove_file(folder.join("unreadable.csv")));
        }
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::storage(format!("cannot create {}: {error}", folder.display()))
        })?;
        Ok(Self { folder })
    }

    pub(super) fn write(
        &self,
        args: &SimilarityArgs,
        texture: &Texture,
        (target, source): (&Domain, &Domain),
        weighed: &Weighed,
    ) -> Result<(), Failure> {
        let facts = provenance(args, texture, (target, source), weighed);
        let lines = facts.as_object().into_iter().flatten().map(line);
        let head: Vec<String> = lines.chain(COLUMNS.map(str::to_owned)).collect();
        let mut files = vec!["weights.csv"];
        atomic_stream(self.folder.join("weights.csv"), |file| {
            weights(file, &head, source, weighed)
        })?;
        if target.unreadable.len() + source.unreadable.len() > 0 {
            unreadable(target, source)?.write(self.folder.join("unreadable.csv"))?;
            files.push("unreadable.csv");
        }
        let mut notes = Vec::new();
        if let Some((png, more)) = figures::histogram(weighed) {
            atomic_write(self.folder.join("weights.png"), &png)?;
            files.push("weights.png");
            for note in &more {
                eprintln!("weights.png: {note}");
            }
            notes = more;
        }
        if let Some(png) = figures::sheet(args, source, weighed) {
            atomic_write(self.folder.join("similar.png"), &png)?;
            files.push("similar.png");
        }
        let run = json!({
            "layout": LAYOUT,
            "provenance": facts,
            "summary": summary(source, weighed),
            "columns": COLUMNS,
            "notes": notes,
            "files": files,
        });
        let text = serde_yaml::to_string(&run)
            .map_err(|error| Failure::storage(format!("no YAML: {error}")))?;
        atomic_write(self.folder.join("run.yaml"), text.as_bytes())?;
        Ok(())
    }
}

fn line((key, value): (&String, &Value)) -> String {
    match value {
        Value::String(text) => format!("{key}: {text}"),
        other => format!("{key}: {other}"),
    }
}

/// A line a picture, written block by block.
fn weights(
    file: &mut dyn Write,
    head: &[String],
    source: &Domain,
    weighed: &Weighed,
) -> std::io::Result<()> {
    let pictures: Vec<usize> = (0..source.pictures.len()).collect();
    for (number, block) in pictures.chunks(LINES).enumerate() {
        let text = table(block, source, weighed).map_err(std::io::Error::other)?;
        if number == 0 {
            write!(file, "{}", text.with_head(head).to_csv())?;
        } else {
            // The names of the columns stand above the first block.
            let text = text.to_csv();
            let lines = text.split_once('\n').map_or("", |(_, lines)| lines);
            write!(file, "{lines}")?;
        }
    }
    Ok(())
}

fn table(block: &[usize], source: &Domain, weighed: &Weighed) -> Result<Table, StoreError> {
    let names = block.iter().map(|&at| source.name(at).to_owned());
    let log = block.iter().map(|&at| weighed.weights.log()[at]);
    let times = block.iter().map(|&at| weighed.times_uniform(at));
    let draws = block.iter().map(|&at| i64::from(weighed.draws[at]));
    Table::new()
        .with("path", names.collect::<Vec<String>>())?
        .with("log_weight", log.collect::<Vec<f64>>())?
        .with("weight_times_n", times.collect::<Vec<f64>>())?
        .with("draws", draws.collect::<Vec<i64>>())
}

fn unreadable(target: &Domain, source: &Domain) -> Result<Table, StoreError> {
    let of = |word: &'static str, domain: &Domain| {
        let each = domain.unreadable.iter();
        each.map(|(name, reason)| [word.to_owned(), name.clone(), reason.clone()])
            .collect::<Vec<_>>()
    };
    let rows = [of("target", target), of("source", source)].concat();
    let column = |i: usize| rows.iter().map(|row| row[i].clone()).collect::<Vec<_>>();
    Table::new()
        .with("domain", column(0))?
        .with("path", column(1))?
        .with("reason", column(2))
}

/// Where everything comes from: program, pictures, settings.
fn provenance(
    args: &SimilarityArgs,
    texture: &Texture,
    (target, source): (&Domain, &Domain),
    weighed: &Weighed,
) -> Value {
    let mut facts = json!({ "program": format!("retrial {}", env!("CARGO_PKG_VERSION")) });
    let digests = [&weighed.target_digest, &weighed.source_digest];
    for ((word, domain), digest) in [("target", target), ("source", source)].iter().zip(digests) {
        facts[*word] = domain.listing.folder.display().to_string().into();
        facts[format!("{word}_pictures")] = domain.pictures.len().into();
        facts[format!("{word}_unreadable")] = domain.unreadable.len().into();
        facts[format!("{word}_other_files")] = domain.listing.other_files.into();
        facts[format!("{word}_digest")] = digest.as_str().into();
    }
    for (key, value) in texture.facts().as_object().into_iter().flatten() {
        facts[key] = value.clone();
    }
    facts["texture_standardised"] = args.texture_standardised.into();
    facts["bandwidth"] = args.bandwidth.into();
    facts["reduction"] = args.reduction.name().into();
    facts["draws"] = args.draws.into();
    facts["seed"] = args.seed.into();
    facts
}

fn summary(source: &Domain, weighed: &Weighed) -> Value {
    let named = |at: usize| {
        json!({
            "path": source.name(at),
            "weight_times_n": weighed.times_uniform(at),
            "draws": weighed.draws[at],
        })
    };
    let (most, least) = extremes(&weighed.weights, LISTED);
    let list = |pictures: Vec<usize>| pictures.into_iter().map(named).collect::<Vec<_>>();
    let drawn = weighed.most_drawn.iter().take(LISTED);
    json!({
        "effective_sample_size": weighed.weights.effective_sample_size(),
        "effective_sample_share": weighed.effective_share(),
        "distinct_draws": weighed.most_drawn.len(),
        "most_drawn": list(drawn.map(|&(at, _)| at).collect()),
        "most_similar": list(most),
        "least_similar": list(least),
    })
}
