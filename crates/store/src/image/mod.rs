//! Images: what is added, what is kept, and how they are found.

mod add;
mod condition;
mod ops;
pub(crate) mod query;
mod record;

pub use add::{Added, Collected, NewImage};
pub use query::{ImageFilter, ImagePage, ImageSort, Page, SortDirection};
pub use record::{ImageRecord, Review};

pub(crate) use ops::{find_seq, move_to, review};
