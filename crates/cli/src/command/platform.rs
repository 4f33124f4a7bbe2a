//! The arguments that say which server or local store is meant.

use std::path::{Path, PathBuf};

use clap::Args;
use straylight::geti::ServerDetails;
use straylight::platform::Platform;
use straylight::store::Store;

use crate::exit::Failure;
use crate::output;

/// The file with a server's details that is read when nothing else is said.
const ENV_FILE: &str = ".env";

/// A Geti server, or the local store.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct PlatformArguments {
    /// File with HOST and TOKEN of a Geti server (default: `GETI_HOST` and `GETI_TOKEN`, else .env).
    #[arg(
        long,
        value_name = "FILE",
        env = "STRAYLIGHT_SERVER",
        conflicts_with = "store"
    )]
    pub(crate) server: Option<PathBuf>,
    /// Use the local store in this folder instead of a server.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_STORE", global = true)]
    pub(crate) store: Option<PathBuf>,
}

/// Refuses a folder without a store: a wrong path must not make one.
pub(crate) fn there_is_a_store(folder: &Path) -> Result<(), Failure> {
    if Store::exists(folder) {
        return Ok(());
    }
    let folder = folder.display();
    let error = format!(
        "there is no store in {folder}; check the path, or make one with `straylight project \
         create NAME --store {folder}` or `straylight serve --store {folder}`"
    );
    Err(error.into())
}

impl PlatformArguments {
    /// Logs in to the server, or opens the local store, which must be there.
    pub(crate) fn open(&self) -> Result<Platform, Failure> {
        if let Some(folder) = &self.store
            && self.server.is_none()
        {
            there_is_a_store(folder)?;
        }
        self.open_or_make()
    }

    /// Logs in to the server, or opens the local store, which is made if it is not there.
    pub(crate) fn open_or_make(&self) -> Result<Platform, Failure> {
        Ok(match &self.store {
            Some(folder) if self.server.is_none() => Platform::open_store(folder)?,
            _ => {
                let details = self.details().inspect_err(|_| {
                    output::note(
                        "note: without a Geti server, --store FOLDER uses the local store",
                    );
                })?;
                Platform::connect(&details)?
            }
        })
    }

    /// The server's details: the file that is named, the environment, the file in this folder.
    pub(crate) fn details(&self) -> Result<ServerDetails, Failure> {
        let file = Path::new(ENV_FILE);
        Ok(match &self.server {
            Some(path) => ServerDetails::from_env_file(path)?,
            None if std::env::var_os("GETI_HOST").is_none() && file.is_file() => {
                ServerDetails::from_env_file(file)?
            }
            None => ServerDetails::from_env()?,
        })
    }
}
