use std::fmt;

use serde::{Deserialize, Serialize};

/// A value of a known enumeration, or the text that a newer server sent in its place.
///
/// Keeps one unknown word (a task type, a job state) from making a whole list unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Open<T> {
    /// A value that this crate knows.
    Known(T),
    /// Any other text.
    Other(String),
}

impl<T> Open<T> {
    /// The value, if it is a known one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Other(_) => None,
        }
    }

    /// Whether this is the known value `value`.
    pub fn is(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
        self.known() == Some(value)
    }
}

impl<T> From<T> for Open<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Default> Default for Open<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: fmt::Debug> fmt::Display for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => write!(f, "{value:?}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
