//! The `straylight` program.

fn main() {}
