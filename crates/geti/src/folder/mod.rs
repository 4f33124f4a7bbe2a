//! Whole projects as folders of this machine.
//!
//! The layout is the one of the Python SDK, so that either can read what the other wrote:
//!
//! ```text
//! <folder>/project.json
//! <folder>/images/<dataset>/<name>[_<id>].<true extension>
//! <folder>/videos/<dataset>/<name>[_<id>].<extension>
//! <folder>/annotations/<name>[_<id>].json                  images
//! <folder>/annotations/<name>[_<id>]_frame_<number>.json   frames of videos
//! ```
//!
//! Names carry the identifier where several media of the project share one.

mod classes;
mod download;
mod recreate;
mod upload;

pub use classes::ClassFolders;
pub use download::{DownloadedProject, ProjectDownload};
pub use upload::{ProjectUpload, UploadedProject};
