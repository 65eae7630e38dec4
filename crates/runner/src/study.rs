//! What a program is made of: studies, and commands that come with them. A study is the only place where its
//! algorithm meets a spec.

use std::any::Any;

use retrial_core::census::Census;
use retrial_core::params::Params;
use retrial_core::study::StudyInfo;
use retrial_data::{Content, Manifest};

use crate::execute::context::{Context, TrialError};
use crate::failure::Failure;
use crate::program::Call;

/// What a study keeps of one content, so that a census for other params does not find it again.
#[derive(Default)]
pub struct Memo(Option<Box<dyn Any>>);

impl Memo {
    /// That of a study, empty where it has kept nothing.
    pub fn of<M: Any + Default>(&mut self) -> &mut M {
        if !self.0.as_ref().is_some_and(|own| own.is::<M>()) {
            self.0 = Some(Box::<M>::default());
        }
        let own = self.0.as_mut().and_then(|own| own.downcast_mut::<M>());
        own.expect("it was made above")
    }
}

/// A study: its tables, its cost and its trial.
pub trait Study: Sync {
    /// Tables by which specs are checked and reports labelled.
    fn info(&self) -> &'static StudyInfo;

    /// Estimated CPU seconds of a trial on one core, with the data set it uses.
    fn cost_s(&self, params: &Params, dataset: Option<&Manifest>) -> f64;

    /// The params that decide what of its data a trial uses.
    fn census_keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// What a trial uses of its data and what it leaves out. `memo` is that of earlier calls with the same content.
    ///
    /// # Errors
    /// Why it can use none of them.
    fn census(
        &self,
        _params: &Params,
        content: &Content,
        _memo: &mut Memo,
    ) -> Result<Census, TrialError> {
        Ok(content.census())
    }

    /// Runs one trial: reports metrics, leaves tables and arrays.
    ///
    /// # Errors
    /// Why it ended without a record; [`TrialError::Stopped`] where it was asked to.
    fn run(&self, context: &mut Context) -> Result<(), TrialError>;

    /// Commands of the program that come with the study.
    fn commands(&self) -> &'static [Command] {
        &[]
    }
}

/// A command of a program beside those that every program has.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line without a full stop.
    pub about: &'static str,
    /// Adds its arguments: `augment_args` of a struct that derives `clap::Args`.
    pub arguments: fn(clap::Command) -> clap::Command,
    /// Does it; [`arguments`](crate::arguments) reads that struct.
    pub run: fn(&Call<'_>, &clap::ArgMatches) -> Result<(), Failure>,
    /// What ends it.
    pub ends: Ends,
    /// Flags of other commands that it took over; they are refused with what to write now.
    pub replaces: &'static [Replaced],
}

/// What ends a command before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It prints facts: a reader that goes away ends it, as in `retrial plan | head`, and so does a signal.
    AtOnce,
    /// It takes long, and its files are what counts: a signal that it may [`route`](crate::signals::route).
    WhenAsked,
}

/// A flag that was, and what to write in its place.
#[derive(Clone, Copy, Debug)]
pub struct Replaced {
    /// The command that had it.
    pub verb: &'static str,
    /// Its name without dashes.
    pub flag: &'static str,
    /// The command now.
    pub now: &'static str,
}
