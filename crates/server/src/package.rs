//! Deployments packed as the SDK unpacks them.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What the package's README says.
const README: &str = "A deployment exported by Straylight.\n\n\
    Load the folder `deployment` with Straylight (Deployment::from_folder) or with the Geti SDK.\n";

/// Packs the folder of a deployment; `replaced` are files, by their names in the package, that
/// take the place of those in the folder.
///
/// Written into a temporary file without a name, so that a large model does not fill the
/// memory; returned at its beginning.
pub(crate) fn geti_sdk(
    deployment: &Path,
    replaced: &[(String, Vec<u8>)],
    dir: &Path,
) -> io::Result<File> {
    let mut zip = ZipWriter::new(tempfile::tempfile_in(dir)?);
    add(&mut zip, "README.md", README.as_bytes())?;
    for (name, bytes) in replaced {
        add(&mut zip, name, bytes)?;
    }
    // Hooks stay with the server: those who take the model have their own.
    let mut skipped: Vec<&str> = replaced.iter().map(|(name, _)| name.as_str()).collect();
    skipped.push("deployment/hook_config.json");
    add_tree(&mut zip, deployment, "deployment", &skipped)?;
    finish(zip)
}

/// Packs the models of a deployment as a repository of OpenVINO Model Server.
pub(crate) fn ovms(tasks: &[(String, std::path::PathBuf)], dir: &Path) -> io::Result<File> {
    let mut zip = ZipWriter::new(tempfile::tempfile_in(dir)?);
    let mut list = Vec::new();
    for (name, folder) in tasks {
        for file in ["model.xml", "model.bin"] {
            let bytes = fs::read(folder.join("model").join(file))?;
            add(&mut zip, &format!("models/{name}/1/{file}"), &bytes)?;
        }
        let base_path = format!("/models/{name}");
        list.push(serde_json::json!({"config": {"name": name, "base_path": base_path}}));
    }
    let config = serde_json::json!({"model_config_list": list}).to_string();
    add(&mut zip, "models/config.json", config.as_bytes())?;
    finish(zip)
}

fn finish(zip: ZipWriter<File>) -> io::Result<File> {
    let mut file = zip.finish()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn add_tree(
    zip: &mut ZipWriter<File>,
    dir: &Path,
    prefix: &str,
    skipped: &[&str],
) -> io::Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            add_tree(zip, &entry.path(), &name, skipped)?;
        } else if !skipped.contains(&name.as_str()) {
            start(zip, &name)?;
            io::copy(&mut File::open(entry.path())?, zip)?;
        }
    }
    Ok(())
}

fn add(zip: &mut ZipWriter<File>, name: &str, bytes: &[u8]) -> io::Result<()> {
    start(zip, name)?;
    zip.write_all(bytes)
}

fn start(zip: &mut ZipWriter<File>, name: &str) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .large_file(true);
    Ok(zip.start_file(name, options)?)
}
