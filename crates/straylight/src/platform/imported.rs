//! Tells annotations that an import wrote, and nobody changed since, from those of people.
//!
//! An import gives annotations identifiers that are made of all that it says about the image. If one
//! annotation is moved, added, deleted or labelled anew, the identifiers no longer fit what is said.
//! This needs a server that keeps the identifiers that it is given, as our own does. On any other
//! all annotations count as those of people: they are kept, and the import says so.

use std::collections::BTreeSet;

use serde_json::Value;
use straylight_core::ContentHash;
use straylight_geti::wire::Annotation;

/// Coordinates are compared in half pixels: servers may round. The offset keeps the borders away
/// from the numbers that people and tools write.
const OFFSET: f64 = 0.3187;

/// Gives the annotations of an image the identifiers of an import.
pub(super) fn identified(image_id: &str, mut annotations: Vec<Annotation>) -> Vec<Annotation> {
    let ids = ids(image_id, &annotations);
    for (annotation, id) in annotations.iter_mut().zip(ids) {
        annotation.id = Some(id);
    }
    annotations
}

/// Whether the annotations of an image are as an import wrote them.
pub(super) fn is_untouched(image_id: &str, annotations: &[Annotation]) -> bool {
    let found: Option<BTreeSet<String>> = annotations
        .iter()
        .map(|annotation| annotation.id.as_ref().map(ToString::to_string))
        .collect();
    let wanted: BTreeSet<String> = ids(image_id, annotations).into_iter().collect();
    found.is_some_and(|found| found == wanted)
}

/// As many identifiers, in the form of UUIDs of version 8, as there are annotations.
fn ids(image_id: &str, annotations: &[Annotation]) -> Vec<String> {
    let mut said: Vec<String> = annotations.iter().map(said).collect();
    said.sort();
    let scene = format!("{image_id}\n{}", said.join("\n"));
    (0..annotations.len())
        .map(|number| uuid(ContentHash::of(format!("{number}\n{scene}").as_bytes()).0))
        .collect()
}

fn uuid(mut hash: [u8; 32]) -> String {
    hash[6] = hash[6] & 0x0f | 0x80;
    hash[8] = hash[8] & 0x3f | 0x80;
    let hex = ContentHash(hash).to_hex();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..32],
    ];
    parts.join("-")
}

/// What an annotation says, as one line.
fn said(annotation: &Annotation) -> String {
    let labels = annotation.labels.iter();
    let mut labels: Vec<&str> = labels.filter_map(|label| label.id.as_deref()).collect();
    labels.sort_unstable();
    let shape: straylight_core::Shape = annotation.shape.clone().into();
    let mut line = labels.join(" ");
    add(&mut line, &serde_json::to_value(shape).unwrap_or_default());
    line
}

fn add(line: &mut String, value: &Value) {
    match value {
        Value::Number(number) => {
            let half_pixels = number.as_f64().unwrap_or_default() * 2.0 + OFFSET;
            line.push(' ');
            line.push_str(&half_pixels.floor().to_string());
        }
        Value::Array(values) => values.iter().for_each(|value| add(line, value)),
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            for key in keys {
                line.push(' ');
                line.push_str(key);
                add(line, &map[key]);
            }
        }
        other => {
            line.push(' ');
            line.push_str(&other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn annotation(x: f64, label: &str) -> Annotation {
        let shape = json!({"type": "RECTANGLE", "x": x, "y": 2.0, "width": 9.0, "height": 9.0});
        let labels = json!([{"id": label, "probability": 1.0}]);
        serde_json::from_value(json!({"shape": shape, "labels": labels})).unwrap()
    }

    #[test]
    fn every_change_is_seen() {
        let wrote = identified("i", vec![annotation(1.0, "a"), annotation(20.0, "b")]);
        assert!(is_untouched("i", &wrote));
        let turned: Vec<Annotation> = wrote.iter().rev().cloned().collect();
        assert!(is_untouched("i", &turned), "the order says nothing");
        let mut rounded = wrote.clone();
        rounded[0].shape = annotation(1.000_01, "a").shape;
        assert!(is_untouched("i", &rounded), "servers round");
        let mut changed = Vec::new();
        changed.push(wrote[..1].to_vec());
        changed.push([&wrote[..], &[annotation(30.0, "a")]].concat());
        for (index, other) in [(0, annotation(2.0, "a")), (1, annotation(20.0, "a"))] {
            let mut moved = wrote.clone();
            moved[index].shape = other.shape;
            moved[index].labels = other.labels;
            changed.push(moved);
        }
        for changed in changed {
            assert!(!is_untouched("i", &changed), "{changed:?}");
        }
        assert!(!is_untouched("another image", &wrote));
        assert!(!is_untouched("i", &[annotation(1.0, "a")]));
    }
}
