//! The Geti REST API: its wire types and a blocking client.

pub mod wire;
