//! Reads a `hook_config.json`, moves its secrets into a folder, and writes the file anew:
//! `hook_config FILE FOLDER`. Prints what it read as JSON.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use straylight_files::write_atomically;
use straylight_hooks::config::{FolderVault, load_hooks, render_hooks};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, folder] = arguments.as_slice() else {
        return Err("name the file and the folder for secrets".into());
    };
    let (hooks, moved) = load_hooks(Path::new(file), &FolderVault(folder.into()))?;
    write_atomically(Path::new(file), render_hooks(&hooks)?.as_bytes())?;
    let moved: Vec<String> = moved.into_iter().map(|secret| secret.what).collect();
    println!("{}", serde_json::json!({"hooks": hooks, "moved": moved}));
    Ok(())
}
