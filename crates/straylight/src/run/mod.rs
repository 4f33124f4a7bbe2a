//! Many images through a deployment: decoded ahead, inferred in parallel, shown to the hooks and
//! to the caller in order.
//!
//! ```text
//! sources -> decoders -> [in turns] inference workers -> [in order] hooks -> caller
//! ```
//!
//! Every stage is bounded: when the caller or a hook that waits is behind, inference waits, then
//! decoding, then the source. A bad image is told in its place and the next one follows. Asking
//! the source to end ([`Stop`](straylight_sources::Stop)) lets what is on its way come out.
//!
//! Hooks are asked in the order of the images, on the caller's thread, so that limits (a frame a
//! second, near-duplicates) give the same result whatever the number of workers.

mod fair;
mod hooks;
mod metrics;
mod picture;
mod pipeline;
mod record;
mod registry;
mod reload;
mod replay;
mod source;

pub use hooks::{
    HookRunError, HookRunOptions, build_hooks, default_state_folder, hook_set, source_folder,
};
pub use metrics::RunMetrics;
pub use picture::{PictureError, Pictures};
pub use pipeline::{RunOptions, Seen, Step, Summary, run, run_all};
pub use record::{BadRecord, HookRecord, Record};
pub use registry::{RunEntry, RunRecord, running};
pub use reload::{HooksReloaded, Reloads, Replacement};
pub use replay::{ReplayError, Replayed, replay};
pub use source::{OpenError, OpenedSource, open_sources};
