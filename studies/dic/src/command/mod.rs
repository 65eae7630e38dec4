//! The commands that come with the study: a series without a spec, a camera, generated pictures.

mod calibrate;
mod dic;
mod speckle;

use clap::Args as _;
use retrial_runner::{Command, Ends, arguments};

use crate::cli::{CalibrateArgs, DicArgs, SpeckleArgs};

pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "dic",
        about: "Correlate images without a spec: displacement fields of DEFORMED against REFERENCE",
        arguments: DicArgs::augment_args,
        run: |_, matches| dic::run(&arguments(matches)),
        ends: Ends::WhenAsked,
        replaces: &[],
    },
    Command {
        name: "calibrate",
        about: "Calibrate a camera from points of a flat target, for `retrial dic --calibration`",
        arguments: CalibrateArgs::augment_args,
        run: |call, matches| calibrate::run(call, &arguments(matches)),
        ends: Ends::AtOnce,
        replaces: &[],
    },
    Command {
        name: "speckle",
        about: "Write speckle pictures with an exact displacement, for tests of any correlation program",
        arguments: SpeckleArgs::augment_args,
        run: |call, matches| speckle::run(call, &arguments(matches)),
        ends: Ends::AtOnce,
        replaces: &[],
    },
];
