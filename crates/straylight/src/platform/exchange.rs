use straylight_files::FileError;
use straylight_formats::{FormatError, LeftOut};
use straylight_geti::GetiError;

/// A set could not be brought into a dataset or out of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The annotations.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The server.
    #[error(transparent)]
    Geti(#[from] GetiError),
    /// A file of this machine.
    #[error(transparent)]
    File(#[from] FileError),
    /// The project lacks labels of the set.
    #[error(
        "the project `{project}` has no label {missing}: add the labels (--add-labels), filter the \
         set, or import into a new project (--task)"
    )]
    MissingLabels {
        /// Name of the project.
        project: String,
        /// The labels in quotes.
        missing: String,
    },
    /// The dataset has no image that is to be exported.
    #[error("the dataset has nothing to export{}", reason(left_out))]
    NothingDecided {
        /// What is there and was left out.
        left_out: LeftOut,
    },
}

fn reason(left_out: &LeftOut) -> String {
    let hint = if left_out.unlabelled > 0 {
        " (--include unlabelled takes those along that nobody has labelled)"
    } else {
        ""
    };
    match left_out.total() {
        0 => ": it has no images".to_owned(),
        _ => format!(": {left_out}{hint}"),
    }
}
