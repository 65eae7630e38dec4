//! The study `anogan`: images scored by how far they lie from what a generator of normal images
//! can draw, compared with detectors that need no net.
//!
//! # Source
//! Schlegl et al. 2017, arXiv:1703.05921, as reproduced on MNIST by a tutorial with a DCGAN.

mod checkpoint;
mod choose;
mod committee;
mod encoders;
mod items;
mod judge;
mod params;
mod pictures;
mod residual;
mod score;
mod search;
mod settings;
mod tables;
mod train;

pub(crate) use checkpoint::{Files, Nets, files_of};

use retrial_core::census::Census;
use retrial_core::params::{ParamValue, Params};
use retrial_core::study::StudyInfo;
use retrial_data::{Content, Manifest};

use super::{Memo, Study};
use crate::execute::context::{Context, TrialError};

/// The study.
pub(crate) struct Anogan;

impl Study for Anogan {
    fn info(&self) -> &'static StudyInfo {
        &tables::INFO
    }

    fn cost_s(&self, params: &Params, _dataset: Option<&Manifest>) -> f64 {
        let number = |name| params.get(name).and_then(ParamValue::as_f64).unwrap_or(0.0);
        let word = |name| match params.get(name) {
            Some(ParamValue::Text(word)) => word.as_str(),
            _ => "",
        };
        let method = word("method");
        if BASELINES.contains(&method) {
            return 2.0;
        }
        // Measured on a shared EPYC: the published training (64 px, width 64, 300 epochs) took
        // 57 CPU minutes, one at 28 px and width 32 for 200 epochs 1.5, its encoder 14 s, an
        // evaluation of its search 0.2 ms. The work falls with the squares of width and size.
        let size = (number("width") / 64.0).powi(2) * (number("image_size") / 64.0).powi(2);
        let pass_s = 2.35e-3 * size + 2e-5;
        let items = number("train_items");
        let training = items * number("epochs") * 12.0 * pass_s;
        let scored = number("test_items") + number("validation_items");
        let encoding = items * number("encoder_epochs") * 3.0 * pass_s;
        match method {
            "anogan" => {
                let evaluations = scored * number("restarts") * number("search_iterations");
                training + evaluations * 1.5 * pass_s
            }
            "ganomaly" => items * number("encoder_epochs") * 6.0 * pass_s,
            _ => (training + encoding) * number("restarts"),
        }
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
        choose::census(params, content)
    }

    fn run(&self, context: &mut Context) -> Result<(), TrialError> {
        context.resume()?;
        let items = items::load(context)?;
        let scored = score::score(context, &items)?;
        judge::leave(context, &items, &scored)
    }
}

/// Methods that need no net.
const BASELINES: &[&str] = &["ink", "mean_image", "nearest_neighbour", "pca"];
