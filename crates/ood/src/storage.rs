use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytemuck::Pod;

use crate::kernels::MappedFile;

/// Numbers that are owned or lie in a memory-mapped file.
#[derive(Clone)]
pub(crate) enum Storage<T> {
    Owned(Arc<Vec<T>>),
    Mapped(Mapped),
}

/// A stretch of a mapped file; both ends are aligned for the element type.
#[derive(Clone)]
pub(crate) struct Mapped {
    file: Arc<MappedFile>,
    bytes: Range<usize>,
}

impl<T> Storage<T> {
    /// Keeps numbers in memory; clones share them.
    pub(crate) fn owned(values: Vec<T>) -> Self {
        Self::Owned(Arc::new(values))
    }
}

impl<T: Pod> Storage<T> {
    /// Views the bytes `bytes` of a mapped file; copies them where they are not aligned.
    /// `None` where the range lies outside the file or does not hold whole elements.
    pub(crate) fn mapped(file: &Arc<MappedFile>, bytes: Range<usize>) -> Option<Self> {
        let raw = file.bytes().get(bytes.clone())?;
        if raw.len() % size_of::<T>() != 0 {
            return None;
        }
        Some(match bytemuck::try_cast_slice::<u8, T>(raw) {
            Ok(_) => Self::Mapped(Mapped {
                file: Arc::clone(file),
                bytes,
            }),
            Err(_) => Self::owned(
                raw.chunks_exact(size_of::<T>())
                    .map(bytemuck::pod_read_unaligned)
                    .collect(),
            ),
        })
    }

    /// The numbers as a vector of one's own: without a copy when nobody shares them.
    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Self::Owned(values) => {
                Arc::try_unwrap(values).unwrap_or_else(|shared| shared.as_ref().clone())
            }
            Self::Mapped(_) => self.as_slice().to_vec(),
        }
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::Owned(values) => values,
            Self::Mapped(mapped) => mapped
                .file
                .bytes()
                .get(mapped.bytes.clone())
                .and_then(|raw| bytemuck::try_cast_slice(raw).ok())
                .unwrap_or(&[]),
        }
    }
}

impl<T> fmt::Debug for Storage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owned(_) => "owned",
            Self::Mapped(_) => "mapped",
        })
    }
}
