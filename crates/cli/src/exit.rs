//! Exit codes and the error that ends a command.

use std::error::Error;

use straylight::DeployError;
use straylight::engine::EngineError;
use straylight::run::PictureError;
use straylight::sources::SourceError;

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
        let error = error.into();
        let code = if is_about_the_machine(error.as_ref()) {
            Exit::Environment
        } else {
            Exit::Failure
        };
        Self { error, code }
    }
}

impl Failure {
    /// What the user can do, where the message does not say it already.
    pub(crate) fn hint(&self) -> Option<&str> {
        let error = self.error.as_ref();
        let hint = if let Some(error) = error.downcast_ref::<DeployError>() {
            error.hint()
        } else if let Some(error) = error.downcast_ref::<EngineError>() {
            error.hint()
        } else {
            ""
        };
        Some(hint).filter(|hint| !hint.is_empty())
    }
}

/// Whether something that Straylight needs is missing on this machine.
fn is_about_the_machine(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<SourceError>() {
        return error.kind().is_about_the_machine();
    }
    if let Some(PictureError::Video(error)) = error.downcast_ref::<PictureError>() {
        return error.kind().is_about_the_machine();
    }
    let engine = match error.downcast_ref::<DeployError>() {
        Some(DeployError::Engine(error)) => Some(error),
        _ => error.downcast_ref::<EngineError>(),
    };
    matches!(
        engine,
        Some(EngineError::NoRuntime { .. } | EngineError::Load { .. } | EngineError::Fetch { .. })
    )
}

/// What a command comes to.
pub(crate) type Outcome = Result<Exit, Failure>;
