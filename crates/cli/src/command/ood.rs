//! `straylight ood`: fit, use and judge OOD models, from images or from arrays.

mod eval;
mod fit;
mod score;
mod show;

use clap::{Args, Subcommand};

use crate::exit::Outcome;

/// Arguments of `straylight ood`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight ood fit --deployment D --images photos --save fitted
  straylight ood fit --train train.npz --out model
  straylight ood score model images.npz --out scores.npz
  straylight ood eval model --id known.npz --ood strange.npz --json report.json")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fit a model on images of a deployment's classes, or on arrays.
    Fit(fit::Arguments),
    /// Score the images of an array file with every detector and with the combination.
    Score(score::Arguments),
    /// Compare scores of known and of strange images.
    Eval(eval::Arguments),
    /// Find the threshold of a fitted model anew on held-out images.
    Calibrate(score::CalibrateArguments),
    /// Show a fitted model: detectors, threshold, promise, where it came from.
    Show(show::Arguments),
}

/// Runs the subcommand.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.what {
        What::Fit(arguments) => fit::run(arguments),
        What::Score(arguments) => score::run(arguments),
        What::Eval(arguments) => eval::run(arguments),
        What::Calibrate(arguments) => score::calibrate(arguments),
        What::Show(arguments) => show::run(arguments),
    }
}
