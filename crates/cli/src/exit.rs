//! Exit codes and the error that ends a command.

use std::error::Error;

/// The exit codes of every command; documented in the guide, never renumbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Success = 0,
    /// Nothing or not all was done; the error says why.
    Failure = 1,
    // 2 is clap's code for arguments that are not understood.
    /// The good inputs were done, the bad ones are listed.
    Partial = 3,
    /// Something that Straylight needs is missing on this machine (`straylight doctor` tells).
    Environment = 4,
}

/// An error that ends a command, with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong, with its chain of causes.
    pub(crate) error: Box<dyn Error>,
    /// The code with which the program ends.
    pub(crate) code: Exit,
}

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            code: Exit::Failure,
        }
    }
}

/// What a command comes to.
pub(crate) type Outcome = Result<Exit, Failure>;
