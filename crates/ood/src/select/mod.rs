//! Which of the strange images to keep: not the same one twice, not junk, the best of a window.

mod diverse;
mod memory;
mod window;

pub use diverse::{diverse, typicality};
pub use memory::{DuplicateMemory, MemoryOptions};
pub use straylight_core::PerceptualHash;
pub use window::BestOfWindow;
