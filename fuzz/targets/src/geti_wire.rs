//! Any JSON is read or refused by every wire type; what was read survives writing.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use straylight_geti::wire;

fn survives<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else {
        return;
    };
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, read);
}

pub(crate) fn fuzz(bytes: &[u8]) {
    survives::<wire::ProjectList>(bytes);
    survives::<wire::NewProject>(bytes);
    survives::<wire::MediaPage>(bytes);
    survives::<wire::AnnotationScene>(bytes);
    survives::<wire::Prediction>(bytes);
    survives::<wire::ModelGroupList>(bytes);
    survives::<wire::Model>(bytes);
    survives::<wire::AlgorithmList>(bytes);
    survives::<wire::ProjectConfiguration>(bytes);
    survives::<wire::TrainingConfiguration>(bytes);
    survives::<wire::JobList>(bytes);
    survives::<wire::CodeDeployment>(bytes);
    survives::<wire::ProjectStatus>(bytes);
    survives::<wire::Organizations>(bytes);
    let _ = wire::ErrorBody::read(bytes, 400);
}
