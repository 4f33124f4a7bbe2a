use serde::Serialize;
use straylight_core::Timestamp;
use straylight_hooks::Outcome;
use straylight_hooks::action::PredictionJson;

use super::Seen;

/// One image of a run as a line of JSON; keys without a value are left out.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    /// Where the image comes from.
    image: &'a str,
    /// What the source calls it.
    name: &'a str,
    /// The source that gave it: a camera, folder or file.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    /// When it was taken.
    captured_at: Timestamp,
    /// Pixels.
    width: u32,
    /// Pixels.
    height: u32,
    /// `0..=1`, higher is more out of distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    ood_score: Option<f64>,
    /// The prediction in the form of the Python SDK.
    prediction: PredictionJson<'a>,
    /// Objects that were left out because there were too many.
    #[serde(skip_serializing_if = "is_zero")]
    left_out: usize,
    /// Labels that have a saliency map.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    saliency_maps: Vec<&'a str>,
    /// What the hooks decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<HookRecord<'a>>,
}

/// What a hook decided about an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HookRecord<'a> {
    /// Name of the hook.
    hook: &'a str,
    /// `not_fired`, `suppressed`, `held`, `queued`, `dropped` or `failed`.
    decision: &'static str,
    /// The trigger's score.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// The limit that held the image back.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    /// What the trigger said when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// An image that could not be read or inferred, as a line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRecord<'a> {
    /// Where the image comes from.
    pub image: &'a str,
    /// What is wrong, and the way out.
    pub error: &'a str,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde wants"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl<'a> Record<'a> {
    /// The line of an image; `hooks` are the names of the hooks in their order.
    pub fn of(seen: &'a Seen, hooks: &'a [String]) -> Self {
        let (width, height) = seen.frame.size();
        let maps = seen.prediction.saliency_maps.iter();
        let decisions = hooks.iter().zip(&seen.hooks);
        Self {
            image: &seen.place,
            name: seen.frame.name(),
            source: seen.frame.source().map(|source| &**source),
            captured_at: seen.frame.captured_at(),
            width,
            height,
            ood_score: seen.ood_score,
            prediction: PredictionJson::of(&seen.prediction),
            left_out: seen.prediction.left_out,
            saliency_maps: maps.map(|map| map.label_name.as_str()).collect(),
            hooks: decisions
                .map(|(name, outcome)| HookRecord::of(name, outcome))
                .collect(),
        }
    }
}

impl<'a> HookRecord<'a> {
    /// The decision of a hook of this name.
    pub fn of(hook: &'a str, outcome: &'a Outcome) -> Self {
        let (decision, limit, error) = match outcome {
            Outcome::Failed { error } => ("failed", None, Some(error.as_str())),
            Outcome::NotFired { .. } => ("not_fired", None, None),
            Outcome::Suppressed { limit, .. } => ("suppressed", Some(limit.as_str()), None),
            Outcome::Held { .. } => ("held", None, None),
            Outcome::Queued { .. } => ("queued", None, None),
            Outcome::Dropped { reason, .. } => ("dropped", Some(reason.as_str()), None),
            _ => ("unknown", None, None),
        };
        Self {
            hook,
            decision,
            score: outcome.score(),
            limit,
            error,
        }
    }
}
