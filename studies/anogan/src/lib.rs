//! The study `anogan`: images scored by how far they lie from what a generator of normal images
//! can draw, compared with detectors that need no net.
//!
//! # Source
//! Schlegl et al. 2017, arXiv:1703.05921, as reproduced on MNIST by a tutorial with a DCGAN.

mod checkpoint;
mod choose;
mod command;
mod encoders;
mod ensemble;
mod items;
mod judge;
mod maps;
mod params;
mod pictures;
mod residual;
mod score;
mod search;
mod settings;
mod tables;
mod train;

use retrial_core::census::Census;
use retrial_core::params::Params;
use retrial_core::study::StudyInfo;
use retrial_data::{Content, Manifest};
use retrial_runner::{Command, Context, Memo, Study, TrialError, typed};

use self::params::{All, Method};

/// The study, with the command `anogan`.
pub struct Anogan;

impl Study for Anogan {
    fn info(&self) -> &'static StudyInfo {
        &tables::INFO
    }

    fn cost_s(&self, params: &Params, _dataset: Option<&Manifest>) -> f64 {
        All::read(params).map_or(0.0, |params| cost_s(&params))
    }

    fn census_keys(&self) -> &'static [&'static str] {
        choose::KEYS
    }

    fn census(
        &self,
        params: &Params,
        content: &Content,
        _memo: &mut Memo,
    ) -> Result<Census, TrialError> {
        choose::census(typed(params, All::read)?.rows(), content)
    }

    fn commands(&self) -> &'static [Command] {
        command::COMMANDS
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        let params = typed(context.params(), All::read)?;
        context.resume()?;
        let items = items::load(context, &params)?;
        let scored = score::score(context, &params, &items)?;
        judge::judge(context, &params, &items, &scored)?;
        maps::write(context, &params, &items, scored.maps)
    }
}

/// Methods that need no net.
const BASELINES: &[&str] = &[
    Method::Ink.name(),
    Method::MeanImage.name(),
    Method::NearestNeighbour.name(),
    Method::Pca.name(),
];

/// CPU seconds of a trial.
///
/// Measured on a shared EPYC: the published training (64 px, 64 channels, 300 epochs) took 57 CPU minutes, one at 28 px
/// and 32 channels for 200 epochs 1.5, its encoder 14 s, an evaluation of its search 0.2 ms. The work falls with the
/// squares of channels and size.
fn cost_s(params: &All) -> f64 {
    let All {
        normal,
        judged,
        gan,
        search,
        encoding,
        ..
    } = params;
    let size =
        (normal.base_channels as f64 / 64.0).powi(2) * (normal.image_size as f64 / 64.0).powi(2);
    let pass_s = 2.35e-3 * size + 2e-5;
    let items = normal.train_items as f64;
    let training = items * gan.epochs as f64 * 12.0 * pass_s;
    let scored = (judged.test_items + judged.validation_items) as f64;
    let encoding = items * encoding.encoder_epochs as f64 * pass_s;
    match params.scoring.method {
        Method::Ink | Method::MeanImage | Method::NearestNeighbour | Method::Pca => 2.0,
        Method::Anogan => {
            let evaluations = scored * (search.search_restarts * search.search_iterations) as f64;
            training + evaluations * 1.5 * pass_s
        }
        Method::Ganomaly => encoding * 6.0,
        Method::Ziz | Method::Izi | Method::IziF => {
            (training + encoding * 3.0) * params.scoring.ensemble_size as f64
        }
    }
}
