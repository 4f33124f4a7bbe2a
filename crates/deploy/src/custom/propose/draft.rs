use std::collections::BTreeMap;

use serde_json::Value;
use straylight_core::TaskType;
use straylight_engine::graph::ModelFormat;

use super::evidence::Evidence;
use super::{Assignment, Origin, Proposal, Said};
use crate::DeployError;
use crate::custom::{Coordinates, InputDescription, ModelDescription, OutputDescription};
use crate::preprocess::TOO_NARROW;

/// The layout of an image all of whose axes are open.
const OPEN: &str = "NCHW";

/// A description on its way.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) task: Option<TaskType>,
    pub(super) input: InputDescription,
    pub(super) outputs: OutputDescription,
    pub(super) options: BTreeMap<String, Value>,
    /// Names of the classes, when a file says them.
    pub(super) labels: Option<Vec<String>>,
    /// Number of the classes, when the graph shows it.
    pub(super) classes: Option<usize>,
    /// Whether the pixels' mean and scale are known.
    pub(super) normalised: bool,
    pub(super) said: Vec<Said>,
    pub(super) notes: Vec<String>,
}

impl Draft {
    /// Notes where a fact comes from.
    pub(super) fn say(&mut self, key: &str, origin: Origin, why: impl Into<String>) {
        self.said.retain(|said| said.key != key);
        self.said.push(Said {
            key: key.to_owned(),
            origin,
            why: why.into(),
        });
    }

    /// Whether boxes are pixels or fractions, by the largest number that the graph gave for one.
    ///
    /// A graph that found nothing gives no number above 0, and leaves a guess.
    pub(super) fn say_coordinates(&mut self, largest: f32, usual: Coordinates) {
        let (coordinates, origin, why) = if largest > 2.0 {
            let why = "the graph gives numbers above 2: pixels";
            (Coordinates::Pixels, Origin::Graph, why)
        } else if largest > 0.0 {
            let why = "the graph gives 0 to 1: fractions";
            (Coordinates::Fractions, Origin::Graph, why)
        } else {
            let why = "as usual; the graph found nothing to tell by";
            (usual, Origin::Guess, why)
        };
        self.outputs.coordinates = coordinates;
        self.say("outputs.coordinates", origin, why);
    }

    pub(super) fn has_said(&self, key: &str) -> bool {
        self.said.iter().any(|said| said.key == key)
    }

    pub(super) fn option(&mut self, key: &str, value: impl Into<Value>) {
        self.options.insert(key.to_owned(), value.into());
    }

    /// How pixels are normalised.
    pub(super) fn pixels(&mut self, mean: &[f64], scale: &[f64], origin: Origin, why: &str) {
        if self.normalised {
            return;
        }
        self.input.mean = mean.to_vec();
        self.input.scale = scale.to_vec();
        self.normalised = true;
        self.say("input.mean, input.scale", origin, why);
    }

    /// How images are fitted to the input.
    pub(super) fn resize(&mut self, how: &str, pad: u8, origin: Origin, why: &str) {
        if self.has_said("input.resize") {
            return;
        }
        self.input.resize = Some(how.to_owned());
        self.input.pad_value = pad;
        self.say("input.resize", origin, why);
    }

    /// The layout and size of the image; refuses what is not one RGB image.
    pub(super) fn image(&mut self, evidence: &Evidence<'_>) -> Result<(), DeployError> {
        let input = &evidence.input;
        let shape = input.shape.as_slice();
        let layout = match shape {
            [None | Some(1), Some(3), _, _] => "NCHW",
            [None | Some(1), _, _, Some(3)] => "NHWC",
            // All axes open: channels come first, but in models of TensorFlow.
            [None | Some(1), None, _, None] => OPEN,
            [None | Some(1), Some(1), _, _] | [None | Some(1), _, _, Some(1)] => {
                return Err(evidence.refused(format!(
                    "its input `{}`, of shape {}, is a grey image; only models of RGB images are run",
                    input.name,
                    input.shape_text()
                )));
            }
            [Some(batch), _, _, _] if *batch > 1 => {
                return Err(evidence.refused(format!(
                    "its input `{}`, of shape {}, takes {batch} images at once: export it for one",
                    input.name,
                    input.shape_text()
                )));
            }
            _ => {
                return Err(evidence.refused(format!(
                    "its first input `{}`, of shape {}, is not one RGB image with a batch axis",
                    input.name,
                    input.shape_text()
                )));
            }
        };
        let is_quantised = evidence.facts.format == ModelFormat::Tflite;
        if !is_quantised && !input.element.holds_levels() {
            return Err(evidence.refused(format!("its input `{}` {TOO_NARROW}", input.name)));
        }
        let open = shape.iter().all(Option::is_none);
        self.input.layout = Some(layout.to_owned());
        let origin = if open { Origin::Guess } else { Origin::Graph };
        self.say(
            "input.layout",
            origin,
            format!("`{}` is {}", input.name, input.shape_text()),
        );
        if let [further, ..] = evidence.further.as_slice() {
            return Err(evidence.refused(format!(
                "it has a second input, `{}` {}: export it with the image as its only input",
                further.name,
                further.shape_text()
            )));
        }
        Ok(())
    }

    /// Puts everything together; what the user said wins.
    pub(super) fn finish(
        mut self,
        evidence: &Evidence<'_>,
        assignments: &[Assignment],
    ) -> Result<Proposal, DeployError> {
        let task = self.task.unwrap_or(TaskType::Classification);
        let labels = self.names(evidence, assignments)?;
        if !self.has_said("input.channels") {
            self.say("input.channels", Origin::Guess, "red first, as usual");
        }
        self.resize(
            "stretch",
            0,
            Origin::Guess,
            "the image is stretched to the input",
        );
        let boxes = matches!(task, TaskType::Detection | TaskType::InstanceSegmentation);
        let name = evidence.model.file_stem().unwrap_or_default();
        let description = ModelDescription {
            schema: None,
            version: 1,
            model: evidence.model.file_name().unwrap_or_default().into(),
            name: name.to_string_lossy().into_owned(),
            task,
            labels,
            empty_label: boxes.then(|| "No object".to_owned()),
            input: self.input,
            outputs: self.outputs,
            options: self.options,
        };
        let mut said = self.said;
        let description = assigned(&description, evidence, assignments, &mut said)?;
        Ok(Proposal {
            description,
            said,
            notes: self.notes,
        })
    }

    /// The names of the classes.
    fn names(
        &mut self,
        evidence: &Evidence<'_>,
        assignments: &[Assignment],
    ) -> Result<Vec<String>, DeployError> {
        let assigned = assignments.iter().any(|one| one.key() == "labels");
        let named = evidence.named_classes();
        let (names, origin, why) = match (&evidence.labels, self.labels.take(), self.classes) {
            (Some(names), _, _) if assigned => {
                (names.clone(), Origin::You, "you said them".to_owned())
            }
            (Some(names), _, _) => (names.clone(), Origin::File, "labels.txt".to_owned()),
            (None, Some(names), _) => (names, Origin::File, "the names in the file".to_owned()),
            (None, None, _) if named.is_some() => {
                let (key, names) = named.unwrap_or_default();
                (names, Origin::File, format!("`{key}` of the metadata"))
            }
            (None, None, Some(count)) => (
                (0..count).map(|class| format!("class {class}")).collect(),
                Origin::Guess,
                format!("{count} classes without names; labels.txt beside the model names them"),
            ),
            (None, None, None) => {
                return Err(evidence.undecided(
                    "labels",
                    "neither the file nor the graph says how many classes there are",
                    &[(
                        "--set labels=NAME,NAME",
                        "or a file labels.txt beside the model, one name a line",
                    )],
                ));
            }
        };
        if let Some(count) = self.classes.filter(|&count| count != names.len()) {
            let reason = format!(
                "{why} has {} names, the model has {count} classes",
                names.len()
            );
            return Err(evidence.undecided(
                "labels",
                reason,
                &[(
                    "--set labels=NAME,NAME",
                    "one name for each class, in the order of the training",
                )],
            ));
        }
        self.say("labels", origin, why);
        Ok(names)
    }
}

/// Puts what the user said into the description.
fn assigned(
    description: &ModelDescription,
    evidence: &Evidence<'_>,
    assignments: &[Assignment],
    said: &mut Vec<Said>,
) -> Result<ModelDescription, DeployError> {
    let path = evidence.model.with_file_name("straylight.json");
    let mut json = serde_json::to_value(description).unwrap_or_default();
    for one in assignments {
        let mut place = &mut json;
        for part in one.key().split('.') {
            if !place.is_object() {
                return Err(DeployError::config(
                    &path,
                    one.key(),
                    "there is no such key",
                ));
            }
            place = &mut place[part];
        }
        *place = value_for(one, evidence);
        said.retain(|fact| !fact.key.split(", ").any(|key| key == one.key()));
        said.push(Said {
            key: one.key().to_owned(),
            origin: Origin::You,
            why: "you said it".to_owned(),
        });
    }
    ModelDescription::parse(&json.to_string(), &path)
}

/// A value; `8/7` of a shorter side means the input's.
fn value_for(one: &Assignment, evidence: &Evidence<'_>) -> Value {
    if one.value().as_str() != Some("8/7") {
        return one.value().clone();
    }
    let sides = evidence
        .input
        .shape
        .iter()
        .flatten()
        .filter(|&&side| side > 3);
    let side = sides.min().copied().unwrap_or(224);
    Value::from(side * 8 / 7)
}
