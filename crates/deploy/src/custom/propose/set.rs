use std::str::FromStr;

use serde_json::{Value, json};

/// One key of a description and its value, as a user says it: `input.scale=255`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    key: String,
    value: Value,
}

/// A name for several keys that go together.
struct Recipe {
    name: &'static str,
    about: &'static str,
    keys: fn() -> Value,
}

/// Recipes by what was used in the training.
const RECIPES: [Recipe; 8] = [
    Recipe {
        name: "pixels",
        about: "0 to 255 as they are",
        keys: || json!({"mean": [], "scale": []}),
    },
    Recipe {
        name: "unit",
        about: "0 to 1",
        keys: || json!({"mean": [], "scale": [255]}),
    },
    Recipe {
        name: "symmetric",
        about: "-1 to 1 (Keras MobileNet, Xception, Inception; TensorFlow detectors)",
        keys: || json!({"mean": [127.5], "scale": [127.5]}),
    },
    Recipe {
        name: "imagenet",
        about: "ImageNet's mean and deviation, image stretched",
        keys: || json!({"mean": [123.675, 116.28, 103.53], "scale": [58.395, 57.12, 57.375]}),
    },
    Recipe {
        name: "torchvision",
        about: "torchvision and timm classifiers: ImageNet's numbers, shorter side to 8/7 of the input, \
                middle cut out",
        keys: || {
            json!({"mean": [123.675, 116.28, 103.53], "scale": [58.395, 57.12, 57.375],
                   "resize": "crop", "shorter_side": "8/7", "interpolation": "pillow_bilinear"})
        },
    },
    Recipe {
        name: "timm",
        about: "as torchvision, bicubic",
        keys: || {
            json!({"mean": [123.675, 116.28, 103.53], "scale": [58.395, 57.12, 57.375],
                   "resize": "crop", "shorter_side": "8/7", "interpolation": "pillow_bicubic"})
        },
    },
    Recipe {
        name: "caffe",
        about: "blue first, mean taken off (Keras ResNet and VGG)",
        keys: || json!({"channels": "bgr", "mean": [103.939, 116.779, 123.68], "scale": []}),
    },
    Recipe {
        name: "mmdetection",
        about: "ImageNet's numbers, image fitted into the input",
        keys: || {
            json!({"mean": [123.675, 116.28, 103.53], "scale": [58.395, 57.12, 57.375],
                   "resize": "fit"})
        },
    },
];

impl Assignment {
    /// The key, such as `input.scale`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The keys of a recipe for the pixels.
    ///
    /// # Errors
    ///
    /// A sentence that lists the recipes.
    pub fn recipe(name: &str) -> Result<Vec<Self>, String> {
        let recipe = RECIPES.iter().find(|recipe| recipe.name == name);
        let recipe =
            recipe.ok_or_else(|| format!("no recipe `{name}`; known are\n{}", Self::recipes()))?;
        let keys = (recipe.keys)();
        let keys = keys.as_object().into_iter().flatten();
        Ok(keys
            .map(|(key, value)| Self {
                key: format!("input.{key}"),
                value: value.clone(),
            })
            .collect())
    }

    /// All recipes, one a line.
    pub fn recipes() -> String {
        let line = |recipe: &Recipe| format!("  {:<12} {}", recipe.name, recipe.about);
        RECIPES.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl FromStr for Assignment {
    type Err = String;

    /// Reads `key=value`; what is no JSON is a text, or a list of words that commas separate.
    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or("wanted KEY=VALUE, such as input.scale=255")?;
        let lists = [
            "labels",
            "input.mean",
            "input.scale",
            "outputs.columns",
            "outputs.key_points",
        ];
        let value = match serde_json::from_str(value) {
            Ok(number @ Value::Number(_)) if lists.contains(&key) => json!([number]),
            Ok(value) => value,
            Err(_) if lists.contains(&key) => words(value),
            Err(_) => Value::from(value),
        };
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

fn words(text: &str) -> Value {
    let words = text.split(',').map(str::trim);
    let word = |word: &str| {
        serde_json::from_str::<f64>(word).map_or_else(|_| Value::from(word), Value::from)
    };
    words.map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_or_words() {
        for (text, value) in [
            ("input.scale=255", json!([255])),
            (
                "input.mean=123.675,116.28,103.53",
                json!([123.675, 116.28, 103.53]),
            ),
            ("input.size=[640, 480]", json!([640, 480])),
            ("input.channels=bgr", json!("bgr")),
            (
                "outputs.columns=x,y,width,height,class_scores",
                json!(["x", "y", "width", "height", "class_scores"]),
            ),
            ("outputs.first_class=1", json!(1)),
            ("labels=a=b,c", json!(["a=b", "c"])),
        ] {
            assert_eq!(text.parse::<Assignment>().unwrap().value, value, "{text}");
        }
        assert!("=1".parse::<Assignment>().is_err() && "mean".parse::<Assignment>().is_err());
    }

    #[test]
    fn recipes_are_listed_when_one_is_not_known() {
        assert_eq!(Assignment::recipe("timm").unwrap().len(), 5);
        assert!(
            Assignment::recipe("tim")
                .unwrap_err()
                .contains("torchvision")
        );
    }
}
