//! The project's own chores: `cargo xtask <chore>`.

fn main() {}
