//! `retrial anogan`: the nets of a trial, drawn with or handed out.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use retrial_core::census::count;
use retrial_runner::{Call, Command, Ends, Failure, Replaced, arguments, say};

use super::checkpoint::{Files, Nets, files_of};

/// The command that comes with the study.
pub(crate) const COMMANDS: &[Command] = &[Command {
    name: "anogan",
    about: "Draw with the nets of a trial, or hand them to PyTorch",
    arguments: |command| {
        let command = command
            .subcommand_required(true)
            .arg_required_else_help(true);
        Verb::augment_subcommands(command)
    },
    run: |call, matches| run(call, &arguments(matches)),
    ends: Ends::AtOnce,
    replaces: &[
        replaced("samples", SAMPLES),
        replaced("count", SAMPLES),
        replaced("sample-seed", SAMPLES),
        replaced("export", "retrial anogan export TRIAL FILE.safetensors"),
    ],
}];

const SAMPLES: &str = "retrial anogan samples TRIAL FILE.png --count N --seed SEED";

/// A flag that `retrial show` had.
const fn replaced(flag: &'static str, now: &'static str) -> Replaced {
    Replaced {
        verb: "show",
        flag,
        now,
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Draw what the generator of a trial draws
    Samples {
        /// A trial's id or the beginning of it, `EXPERIMENT/TRIAL` or `STUDY/EXPERIMENT/TRIAL`; or a
        /// checkpoint (.h5) or PyTorch's weights (.safetensors)
        trial: String,
        /// The picture to write, a PNG
        #[arg(value_name = "FILE.png")]
        file: PathBuf,
        /// How many samples
        #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
        count: u32,
        /// Their seed
        #[arg(long, value_name = "SEED", default_value_t = 0)]
        seed: u64,
    },
    /// Write the nets of a trial as PyTorch's weights (safetensors)
    Export {
        /// As of `retrial anogan samples`
        trial: String,
        /// The file to write
        #[arg(value_name = "FILE.safetensors")]
        file: PathBuf,
    },
}

fn run(call: &Call<'_>, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Samples {
            trial,
            file,
            count: samples,
            seed,
        } => {
            let (nets, path) = nets(call, trial)?;
            let samples = *samples as usize;
            let png = nets.samples(samples, *seed).map_err(Failure::usage)?;
            retrial_store::atomic_write(file, &png)?;
            say!(
                "{} of {}: {}",
                count(samples, "sample"),
                path.display(),
                file.display()
            );
        }
        Verb::Export { trial, file } => {
            let (nets, path) = nets(call, trial)?;
            let bytes = nets.export().map_err(Failure::usage)?;
            retrial_store::atomic_write(file, &bytes)?;
            say!("weights of {}: {}", path.display(), file.display());
        }
    }
    Ok(())
}

/// The nets of a trial or of a file, with the file that has the generator.
fn nets(call: &Call<'_>, trial: &str) -> Result<(Nets, PathBuf), Failure> {
    let given = Path::new(trial);
    let files = if given.is_file() {
        Files {
            gan: given.to_owned(),
            encoder: None,
        }
    } else {
        let workspace = call.workspace()?;
        let Some(record) = workspace.finished(trial)? else {
            let message = format!("`{trial}` is not finished; name a checkpoint (.h5) instead");
            return Err(Failure::usage(message));
        };
        files_of(&workspace.results(), &record).map_err(Failure::usage)?
    };
    let mut nets = Nets::read(&files.gan).map_err(Failure::usage)?;
    if let Some(encoder) = &files.encoder {
        nets = nets.with_encoder(encoder).map_err(Failure::usage)?;
    }
    Ok((nets, files.gan))
}
