//! The fixtures' form; `tools/equality/make.py` writes it.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use straylight_core::{Label, TaskType};

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) image: (u32, u32),
    pub(crate) tasks: Vec<Task>,
    #[serde(default)]
    pub(crate) annotations: Vec<Expected>,
    pub(crate) maps: Option<BTreeMap<String, Vec<Vec<u8>>>>,
    pub(crate) error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Task {
    #[serde(rename = "type")]
    pub(crate) kind: TaskType,
    pub(crate) model_info: BTreeMap<String, String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) network: (u32, u32),
    pub(crate) outputs: Vec<Tensor>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<Number>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    F32,
    I64,
    U8,
}

/// A number, or the name of one that JSON cannot hold.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Plain(f64),
    Special(String),
}

impl Number {
    pub(crate) fn value(&self) -> f64 {
        match self {
            Self::Plain(value) => *value,
            Self::Special(name) => name.parse().unwrap(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Expected {
    pub(crate) shape: ExpectedShape,
    pub(crate) labels: Vec<ExpectedLabel>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ExpectedLabel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) probability: f64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ExpectedShape {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) points: Vec<[f64; 2]>,
    #[serde(default)]
    pub(crate) x: f64,
    #[serde(default)]
    pub(crate) y: f64,
    #[serde(default)]
    pub(crate) width: f64,
    #[serde(default)]
    pub(crate) height: f64,
    #[serde(default)]
    pub(crate) angle: f64,
}

pub(crate) fn read(group: &str) -> Vec<Case> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/tasks");
    let text = fs::read_to_string(format!("{root}/{group}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
