//! Exports of anomalib 2: `pred_score`, `pred_label`, `anomaly_map`, `pred_mask`.
//!
//! They hold the model's own pre-processing, which wants pixels of 0 to 1.

use straylight_core::TaskType;

use super::Origin;
use super::draft::Draft;
use super::evidence::Evidence;
use crate::DeployError;

pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let name = |word: &str| evidence.ending(word).map(|output| output.name.clone());
    let (score, map) = (name("pred_score"), name("anomaly_map"));
    if score.is_none() && map.is_none() {
        return Ok(false);
    }
    let Some(score) = score else {
        return Err(evidence.undecided(
            "options.image_threshold, options.pixel_threshold, options.normalization_scale",
            "its raw anomaly map has no score: what is anomalous is not known",
            &[(
                "--set task=anomaly --set labels=normal,anomalous --set outputs.anomaly_map=NAME \
                 --set options.image_threshold=T --set options.pixel_threshold=T \
                 --set options.normalization_scale=S",
                "the thresholds of the training",
            )],
        ));
    };
    draft.task = Some(TaskType::Anomaly);
    draft.outputs.scores = Some(score);
    draft.outputs.anomaly_map = map;
    draft.outputs.classes = name("pred_label");
    draft.outputs.masks = name("pred_mask");
    draft.classes = Some(2);
    let names = evidence
        .labels
        .is_none()
        .then(|| ["normal", "anomalous"].map(str::to_owned).to_vec());
    draft.labels = names;
    draft.say("outputs", Origin::Graph, "names of anomalib 2");
    draft.pixels(&[], &[255.0], Origin::Graph, "anomalib 2: pixels of 0 to 1");
    draft.say("input.channels", Origin::Graph, "anomalib 2: red first");
    Ok(true)
}
