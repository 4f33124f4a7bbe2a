//! Which of the strange images to keep: not the same one twice, not junk, the best of a window.

mod diverse;
mod memory;
mod perceptual;
mod window;

pub use diverse::{diverse, typicality};
pub use memory::{DuplicateMemory, MemoryOptions};
pub use perceptual::PerceptualHash;
pub use window::BestOfWindow;
