//! Limits: which of the images that a trigger picked go on to the action.
//!
//! Limits stand between trigger and queue, so that what they hold back costs nothing more. They
//! measure time with [`LimitTime`], which never goes back and does not follow a wall clock that
//! jumps.

mod rate;
mod time;

use serde::{Deserialize, Serialize};

use self::rate::RateLimit;
pub(crate) use self::time::{LimitClock, LimitTime};

/// Which limits apply to a hook; the default is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitOptions {
    /// Most events a second in the long run; the first image goes through at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_frames_per_second: Option<f64>,
}

/// Which limit held an image back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitKind {
    /// [`LimitOptions::max_frames_per_second`].
    Rate,
}

impl LimitKind {
    /// All kinds.
    pub const ALL: [Self; 1] = [Self::Rate];

    /// The kind in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
        }
    }
}

/// The limits of one hook and what they remember.
#[derive(Debug)]
pub(crate) struct Limits {
    rate: Option<RateLimit>,
}

impl Limits {
    pub(crate) fn new(options: &LimitOptions) -> Self {
        Self {
            rate: options.max_frames_per_second.map(RateLimit::new),
        }
    }

    /// Lets an image through and remembers it, or names the limit that holds it back.
    pub(crate) fn check(&mut self, now: LimitTime) -> Result<(), LimitKind> {
        if self.rate.as_mut().is_some_and(|rate| !rate.admit(now)) {
            return Err(LimitKind::Rate);
        }
        Ok(())
    }
}
