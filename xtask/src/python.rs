//! Virtual environments for the chores that need Python packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{root, run};

/// Makes (once) a virtual environment under `target/venv` with these packages in it.
///
/// `name` tells environments apart; `packages` are pip requirements or `-r FILE`. The
/// environment is made anew when the packages change.
pub(crate) fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = root().join("target").join("venv").join(name);
    let stamp = folder.join("packages.txt");
    let wanted = wanted_text(packages)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
        return Ok(folder);
    }
    println!(
        "Making the Python environment `{name}` in {}",
        folder.display()
    );
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    run(Command::new(interpreter(&folder)).args(pip).args(packages))?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(folder)
}

/// The Python interpreter of a virtual environment.
pub(crate) fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin").join("python")
}

/// The requirement words and the text of the files they name: what the environment was made from.
fn wanted_text(packages: &[&str]) -> Result<String, String> {
    let mut text = packages.join("\n");
    for pair in packages.windows(2) {
        if let ["-r", file] = pair {
            let path = root().join(file);
            let listed = std::fs::read_to_string(&path);
            text += &listed.map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(text)
}
