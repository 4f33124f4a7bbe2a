//! The fixtures' form; `tools/equality/make.py` writes it.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use straylight_core::{Label, TaskType};

#[derive(Debug, Deserialize)]
pub struct Case {
    pub name: String,
    pub about: String,
    pub image: (u32, u32),
    pub tasks: Vec<Task>,
    #[serde(default)]
    pub annotations: Vec<Expected>,
    pub maps: Option<BTreeMap<String, Vec<Vec<u8>>>>,
    pub error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Task {
    #[serde(rename = "type")]
    pub kind: TaskType,
    pub model_info: BTreeMap<String, String>,
    pub labels: Vec<Label>,
    pub network: (u32, u32),
    pub outputs: Vec<Tensor>,
}

#[derive(Debug, Deserialize)]
pub struct Tensor {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub shape: Vec<usize>,
    pub data: Vec<Number>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    F32,
    I64,
    U8,
}

/// A number, or the name of one that JSON cannot hold.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Number {
    Plain(f64),
    Special(String),
}

impl Number {
    pub fn value(&self) -> f64 {
        match self {
            Self::Plain(value) => *value,
            Self::Special(name) => name.parse().unwrap(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Expected {
    pub shape: ExpectedShape,
    pub labels: Vec<ExpectedLabel>,
}

#[derive(Debug, Deserialize)]
pub struct ExpectedLabel {
    pub id: String,
    pub name: String,
    pub probability: f64,
}

#[derive(Debug, Deserialize)]
pub struct ExpectedShape {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub points: Vec<[f64; 2]>,
    #[serde(default)]
    pub x: f64,
    #[serde(default)]
    pub y: f64,
    #[serde(default)]
    pub width: f64,
    #[serde(default)]
    pub height: f64,
    #[serde(default)]
    pub angle: f64,
}

pub fn read(group: &str) -> Vec<Case> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/tasks");
    let text = fs::read_to_string(format!("{root}/{group}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
