//! Bodies that are still coming: a little in memory, the rest on the disk.
//!
//! Whoever sends slowly holds no memory that others wait for. A body comes into memory as a whole
//! only when it is all there, within the budget of [`crate::config::Limits::memory_bytes`].

use std::io;
use std::ops::Deref;

use straylight_store::PendingFile;
use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;

use super::extract::too_large;
use super::{ApiError, ApiResult};
use crate::app::Shared;

/// Bytes of one body that are kept in memory while more is coming.
const IN_MEMORY: usize = 64 << 10;

/// A body that is still coming.
pub(super) struct Spool<'a> {
    app: &'a Shared,
    limit: u64,
    length: u64,
    /// What is not on the disk.
    bytes: Vec<u8>,
    file: Option<(PendingFile, tokio::fs::File)>,
}

impl<'a> Spool<'a> {
    /// For a body of at most `limit` bytes.
    pub(super) fn new(app: &'a Shared, limit: u64) -> Self {
        Self {
            app,
            limit,
            length: 0,
            bytes: Vec::new(),
            file: None,
        }
    }

    /// Takes the next part.
    pub(super) async fn push(&mut self, part: &[u8]) -> ApiResult<()> {
        self.length += part.len() as u64;
        if self.length > self.limit {
            return Err(too_large(self.limit));
        }
        self.bytes.extend_from_slice(part);
        if self.bytes.len() > IN_MEMORY {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> ApiResult<()> {
        if self.file.is_none() {
            let pending = self.app.run(|app| Ok(app.store.pending_file()?)).await?;
            let mut options = tokio::fs::File::options();
            let opened = options.read(true).write(true).open(pending.path()).await;
            let opened = opened.map_err(|e| pending.write_error(e))?;
            self.file = Some((pending, opened));
        }
        let Some((pending, file)) = &mut self.file else {
            return Ok(());
        };
        let written = file.write_all(&self.bytes).await;
        written.map_err(|e| pending.write_error(e))?;
        self.bytes.clear();
        Ok(())
    }

    /// The whole body in memory, as soon as there is room for it.
    pub(super) async fn finish(mut self) -> ApiResult<Held> {
        let budget = self.app.config.limits.memory_bytes / 1024;
        let kib = (self.length / 1024 + 1).min(budget) as u32;
        let memory = self.app.memory.clone().acquire_many_owned(kib).await;
        let memory = memory.map_err(|_| ApiError::Busy)?;
        if self.file.is_none() {
            let bytes = self.bytes;
            return Ok(Held {
                bytes,
                _memory: memory,
            });
        }
        self.write().await?;
        let bytes = match &mut self.file {
            Some((pending, file)) => {
                let read = read_back(file, self.length as usize).await;
                read.map_err(|e| pending.write_error(e))?
            }
            None => Vec::new(),
        };
        Ok(Held {
            bytes,
            _memory: memory,
        })
    }
}

async fn read_back(file: &mut tokio::fs::File, length: usize) -> io::Result<Vec<u8>> {
    use tokio::io::{AsyncReadExt, AsyncSeekExt};
    file.flush().await?;
    file.rewind().await?;
    let mut bytes = Vec::with_capacity(length);
    file.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// A body in memory; gives its part of the budget back when it is dropped.
pub(crate) struct Held {
    bytes: Vec<u8>,
    _memory: OwnedSemaphorePermit,
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
