//! How many images of a source are decoded a second, with nothing behind the decoders.
//!
//! `cargo run --release -p straylight --example decode_alone -- FOLDER`

#![allow(clippy::print_stdout)]

use std::time::Instant;

use straylight::sources::{SourceError, SourceOptions, open};

fn main() -> Result<(), SourceError> {
    let source = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let start = Instant::now();
    let (mut good, mut bad) = (0_u32, 0_u32);
    for sourced in open(&source, &SourceOptions::default())? {
        match sourced {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
    }
    let rate = f64::from(good) / start.elapsed().as_secs_f64();
    println!("{good} images decoded, {bad} bad, {rate:.1} a second");
    Ok(())
}
