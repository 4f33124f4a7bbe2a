//! Exact nearest neighbours among the fitted images.

mod bank;
mod pruning;
mod rounded;
mod search;
mod top;

pub(crate) use bank::{Bank, Neighbours};
