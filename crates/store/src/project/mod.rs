//! Projects: what a request describes, how it is checked, and how it is kept.

mod build;
mod check;
mod new;
pub(crate) mod ops;

pub use build::PALETTE;
pub use check::InvalidProject;
pub use new::{NewLabel, NewProject, NewTask};
