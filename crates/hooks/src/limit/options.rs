use serde::{Deserialize, Serialize};

/// Which limits apply to a hook; the default is none.
///
/// An image passes them in this order: rate, label interval, near-duplicates, same object, best of a
/// window, quotas. What one holds back does not count for those after it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitOptions {
    /// Most events a second in the long run; the first image goes through at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_frames_per_second: Option<f64>,
    /// Seconds before a label is collected again; an image passes if one of its labels may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_seconds_per_label: Option<f64>,
    /// Holds back images that look like one that was collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_duplicates: Option<NearDuplicateOptions>,
    /// Holds back images of an object that was collected and has not been away for long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_object: Option<SameObjectOptions>,
    /// Collects only the images with the highest scores of each window of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_of: Option<BestOfOptions>,
    /// Most events in a minute of the clock (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_minute: Option<u64>,
    /// Most events in an hour of the clock (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_hour: Option<u64>,
    /// Most events in a day of the calendar (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_day: Option<u64>,
    /// Most events ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total: Option<u64>,
}

/// When two images are near-duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NearDuplicateOptions {
    /// Most bits, of 64, in which the perceptual hashes of two near-duplicates differ.
    pub max_distance: u32,
    /// How many of the last collected images are remembered.
    pub memory: usize,
}

impl Default for NearDuplicateOptions {
    /// Four bits, among the last 1,000 images.
    fn default() -> Self {
        Self {
            max_distance: 4,
            memory: 1_000,
        }
    }
}

/// When two images show the same object, and how long it must be away to be collected again.
///
/// The deployment must give feature vectors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SameObjectOptions {
    /// How many seconds it must not be seen.
    pub seconds: f64,
    /// Least cosine of the angle between the feature vectors of two images of it, above 0, at most 1.
    pub min_similarity: f64,
}

impl Default for SameObjectOptions {
    /// A minute; a cosine of 0.9.
    fn default() -> Self {
        Self {
            seconds: 60.0,
            min_similarity: 0.9,
        }
    }
}

/// Which images of a window are the best.
///
/// The candidates of the open window wait in memory, and on disk as well if the hooks have a state
/// folder: then the window goes on after a crash or a restart. It closes with the first image after
/// its end, or when the hook is drained; without a state folder also when the hook shuts down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestOfOptions {
    /// How many images of each window are collected, 1 to 1,000.
    pub keep: usize,
    /// Length of a window in seconds; it starts with its first image.
    pub window_seconds: f64,
}

/// Which limit held an image back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitKind {
    /// [`LimitOptions::max_frames_per_second`].
    Rate,
    /// [`LimitOptions::min_seconds_per_label`].
    LabelInterval,
    /// [`LimitOptions::near_duplicates`].
    NearDuplicate,
    /// [`LimitOptions::same_object`].
    SameObject,
    /// [`LimitOptions::best_of`].
    BestOf,
    /// One of the quotas.
    Quota,
}

impl LimitKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Rate,
        Self::LabelInterval,
        Self::NearDuplicate,
        Self::SameObject,
        Self::BestOf,
        Self::Quota,
    ];

    /// The kind in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::LabelInterval => "label_interval",
            Self::NearDuplicate => "near_duplicate",
            Self::SameObject => "same_object",
            Self::BestOf => "best_of",
            Self::Quota => "quota",
        }
    }
}

impl LimitOptions {
    /// Says which value is out of its range, if one is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_positive = |value: f64| value.is_finite() && value > 0.0;
        let seconds = self.best_of.map(|best| best.window_seconds);
        for (key, value) in [
            ("max_frames_per_second", self.max_frames_per_second),
            ("min_seconds_per_label", self.min_seconds_per_label),
            (
                "same_object.seconds",
                self.same_object.map(|same| same.seconds),
            ),
            ("best_of.window_seconds", seconds),
        ] {
            if let Some(value) = value.filter(|value| !is_positive(*value)) {
                return Err(format!("{key}: {value} is not a positive number"));
            }
        }
        let similarity = self.same_object.map_or(1.0, |same| same.min_similarity);
        if !(similarity > 0.0 && similarity <= 1.0) {
            return Err(format!(
                "same_object.min_similarity: {similarity} is not above 0 and at most 1"
            ));
        }
        let keep = self.best_of.map_or(1, |best| best.keep);
        if !(1..=1_000).contains(&keep) {
            return Err(format!("best_of.keep: {keep} is not in 1..=1000"));
        }
        Ok(())
    }
}
