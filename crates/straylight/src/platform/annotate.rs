use std::collections::HashMap;

use straylight_core::{Shape, TaskType};
use straylight_formats::{AnnotatedImage, Became, ClassLabel, Feature, Loss};
use straylight_geti::wire::{
    Annotation, Label, MAX_POLYGON_POINTS, Open, Project, ScoredLabel, Task,
};
use straylight_geti::{DatasetApi, GetiError};

use super::imported::identified;

/// Annotations are equal if their coordinates differ by less than this many pixels.
const EQUAL: f64 = 0.01;

/// The labels of a project, and what its annotations must fulfil.
pub(super) struct Labels<'a> {
    by_name: HashMap<&'a str, &'a Label>,
    /// Whether every label holds for a whole image.
    whole_images: bool,
    /// Whether the only task is one of key points.
    points_only: bool,
}

/// The annotations of one image as a server takes them.
#[derive(Default)]
pub(super) struct Fitted {
    pub(super) annotations: Vec<Annotation>,
    /// Whether they say that nothing is on the image.
    pub(super) is_empty: bool,
    /// What was changed, for example cut at the edge of the image.
    pub(super) changed: Vec<String>,
    /// What was left out.
    pub(super) left_out: Vec<String>,
}

impl<'a> Labels<'a> {
    /// Those of all tasks.
    pub(super) fn of(project: &'a Project) -> Self {
        let tasks: Vec<&Task> = project.pipeline.tasks.iter().collect();
        let labels = tasks.iter().flat_map(|task| task.labels());
        let all = |fits: fn(&Open<TaskType>) -> bool| {
            let mut trainable = tasks.iter().filter(|task| task.is_trainable());
            trainable.all(|task| fits(&task.task_type))
        };
        Self {
            by_name: labels.map(|label| (label.name.as_str(), label)).collect(),
            whole_images: all(is_of_whole_images),
            points_only: all(|task_type| task_type.is(&TaskType::KeypointDetection)),
        }
    }

    /// Whether there is a label of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The label that says that nothing is there, if the project has one.
    fn empty(&self) -> Option<&'a Label> {
        self.by_name.values().copied().find(|label| label.is_empty)
    }

    /// Annotations as a server takes them: each bad object is left out, its neighbours are not.
    ///
    /// `classes` are the labels of the set.
    pub(super) fn fit(&self, image: &AnnotatedImage, classes: &[ClassLabel]) -> Fitted {
        let (shapes, losses) = image.platform_shapes(classes);
        let mut fitted = Fitted::default();
        for loss in &losses {
            fitted.tell(loss);
        }
        for (index, (shape, names)) in shapes.iter().enumerate() {
            if self.points_only && !matches!(shape, Shape::Keypoint { .. }) {
                let what = "shapes were left out: the project holds key points only";
                fitted.changed.push(what.to_owned());
                continue;
            }
            let place = || format!("object {} ({})", index + 1, names.join(", "));
            match self.fit_shape(shape, names, image) {
                Ok((annotations, changed)) => {
                    fitted.annotations.extend(annotations);
                    let changed = changed.map(|what| format!("{}: {what}", place()));
                    fitted.changed.extend(changed);
                }
                Err(reason) => fitted.left_out.push(format!("{}: {reason}", place())),
            }
        }
        self.keep_apart(&mut fitted);
        if image.objects.is_empty() && !image.unannotated {
            self.say_nothing(image, &mut fitted);
        }
        fitted
    }

    /// Says that nothing is on an image, if the project has a label for that.
    fn say_nothing(&self, image: &AnnotatedImage, fitted: &mut Fitted) {
        let Some(empty) = self.empty() else { return };
        let whole = Shape::whole_image(image.width, image.height);
        fitted.annotations.push(annotation(&whole, &[empty]));
        fitted.is_empty = true;
    }

    /// That nothing is there cannot be said beside what is there.
    fn keep_apart(&self, fitted: &mut Fitted) {
        let Some(empty) = self.empty() else { return };
        let is_empty = |annotation: &Annotation| {
            let mut ids = annotation.labels.iter().map(|label| label.id.as_deref());
            ids.any(|id| id == Some(&empty.id))
        };
        let some = fitted.annotations.iter().any(|a| !is_empty(a));
        if some && fitted.annotations.iter().any(is_empty) {
            fitted
                .annotations
                .retain(|annotation| !is_empty(annotation));
            let message = format!("`{}` cannot stand beside other annotations", empty.name);
            fitted.left_out.push(message);
        }
    }

    fn fit_shape(
        &self,
        shape: &Shape,
        names: &[String],
        image: &AnnotatedImage,
    ) -> Result<(Vec<Annotation>, Option<&'static str>), String> {
        let labels = self.labels(names)?;
        check_size(shape)?;
        let whole = shape.is_whole_image(image.width, image.height);
        if self.whole_images && !whole {
            return Err("a classification labels whole images, not parts of them".to_owned());
        }
        if !exclude_one_another(&labels) {
            return Ok((vec![annotation(shape, &labels)], None));
        }
        if self.whole_images {
            return Err("its labels exclude one another in this project".to_owned());
        }
        // An object for each label says the same in a project where an object has one label.
        let each = labels.iter().map(|&label| annotation(shape, &[label]));
        Ok((
            each.collect(),
            Some("its labels exclude one another: there is an object for each"),
        ))
    }

    fn labels(&self, names: &[String]) -> Result<Vec<&'a Label>, String> {
        let find = |name: &String| {
            let label = self.by_name.get(name.as_str()).copied();
            label.ok_or_else(|| format!("the project has no label `{name}`"))
        };
        names.iter().map(find).collect()
    }
}

impl Fitted {
    /// Whether there is anything to write.
    pub(super) fn says_something(&self) -> bool {
        !self.annotations.is_empty()
    }

    /// What the platform does not hold; a shape that is gone is worse than one that is changed.
    fn tell(&mut self, loss: &Loss) {
        let message = format!("{} {} ({})", loss.what, loss.became, loss.count);
        let is_shape = !matches!(
            loss.what,
            Feature::Crowd
                | Feature::Difficult
                | Feature::Truncated
                | Feature::Occluded
                | Feature::Group
                | Feature::Attribute
                | Feature::ZOrder
                | Feature::Id
        );
        if loss.became == Became::LeftOut && is_shape {
            self.left_out.push(message);
        } else {
            self.changed.push(message);
        }
    }
}

fn is_of_whole_images(task_type: &Open<TaskType>) -> bool {
    matches!(
        task_type,
        Open::Known(TaskType::Classification | TaskType::AnomalyClassification | TaskType::Anomaly)
    )
}

/// Two labels of one group exclude one another, unless one stands above the other.
fn exclude_one_another(labels: &[&Label]) -> bool {
    let related = |a: &Label, b: &Label| {
        a.parent_id.as_ref() == Some(&b.id) || b.parent_id.as_ref() == Some(&a.id)
    };
    let mut pairs = labels
        .iter()
        .enumerate()
        .flat_map(|(index, a)| labels[index + 1..].iter().map(move |b| (*a, *b)));
    pairs.any(|(a, b)| a.is_empty || b.is_empty || (a.group == b.group && !related(a, b)))
}

fn annotation(shape: &Shape, labels: &[&Label]) -> Annotation {
    let scored = |label: &&Label| ScoredLabel {
        id: Some(label.id.clone()),
        probability: 1.0,
        name: None,
        color: None,
        source: None,
    };
    Annotation {
        id: None,
        modified: None,
        labels_to_revisit: None,
        shape: shape.clone().into(),
        labels: labels.iter().map(scored).collect(),
    }
}

fn check_size(shape: &Shape) -> Result<(), String> {
    match shape {
        Shape::Rectangle { width, height, .. }
        | Shape::Ellipse { width, height, .. }
        | Shape::RotatedRectangle { width, height, .. }
            if *width < 1.0 || *height < 1.0 =>
        {
            Err(format!(
                "it is {width:.2} x {height:.2} pixels large; servers take 1 x 1 and more"
            ))
        }
        Shape::Polygon { points } if points.len() > MAX_POLYGON_POINTS => Err(format!(
            "it has {} corners; servers take {MAX_POLYGON_POINTS} at most",
            points.len()
        )),
        _ => Ok(()),
    }
}

/// Whether two shapes are of one kind and differ by at most `tolerance` in each number.
fn is_close(a: &Shape, b: &Shape, tolerance: f64) -> bool {
    let (Ok(a), Ok(b)) = (serde_json::to_value(a), serde_json::to_value(b)) else {
        return false;
    };
    is_close_json(&a, &b, tolerance)
}

fn is_close_json(a: &serde_json::Value, b: &serde_json::Value, tolerance: f64) -> bool {
    use serde_json::Value;
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= tolerance,
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => {
            let mut pairs = a.iter().zip(b);
            a.len() == b.len() && pairs.all(|(a, b)| is_close_json(a, b, tolerance))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(key, a)| b.get(key).is_some_and(|b| is_close_json(a, b, tolerance));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => a == b,
    }
}

/// Whether two annotations of an image say the same; their order does not matter.
pub(super) fn say_the_same(a: &[Annotation], b: &[Annotation]) -> bool {
    let mut rest: Vec<&Annotation> = b.iter().collect();
    a.len() == b.len()
        && a.iter().all(|one| {
            let found = rest.iter().position(|other| is_same(one, other));
            found.map(|index| rest.swap_remove(index)).is_some()
        })
}

fn is_same(a: &Annotation, b: &Annotation) -> bool {
    let ids = |annotation: &Annotation| {
        let labels = annotation.labels.iter();
        let mut ids: Vec<Option<String>> = labels.map(|label| label.id.clone()).collect();
        ids.sort();
        ids
    };
    ids(a) == ids(b) && is_close(&a.shape.clone().into(), &b.shape.clone().into(), EQUAL)
}

/// Annotates an image; what the server refuses is left out and listed, the rest goes in.
///
/// Returns how many annotations went in, and what was refused with the server's reason.
pub(super) fn annotate(
    api: &DatasetApi,
    image_id: &str,
    annotations: Vec<Annotation>,
) -> Result<(usize, Vec<String>), GetiError> {
    let count = annotations.len();
    match api.annotate_identified(image_id, identified(image_id, annotations.clone())) {
        Ok(_) => return Ok((count, Vec::new())),
        Err(error) if !is_refusal(&error) => return Err(error),
        Err(_) => {}
    }
    // Which of them is refused, servers do not say.
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for (index, annotation) in annotations.into_iter().enumerate() {
        accepted.push(annotation);
        match api.annotate_identified(image_id, identified(image_id, accepted.clone())) {
            Ok(_) => {}
            Err(error) if is_refusal(&error) => {
                accepted.pop();
                let reason = plain(&error);
                refused.push(format!(
                    "annotation {}: the server refuses it: {reason}",
                    index + 1
                ));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((accepted.len(), refused))
}

fn is_refusal(error: &GetiError) -> bool {
    matches!(error.status(), Some(400 | 409 | 413 | 422))
}

/// What a server says is wrong, without addresses and numbers of HTTP.
pub(super) fn plain(error: &GetiError) -> String {
    match error.hint() {
        Some(hint) => format!("{} ({hint})", error.message()),
        None => error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use straylight_formats::Object;

    use super::*;

    fn image(objects: Vec<Object>) -> AnnotatedImage {
        AnnotatedImage {
            width: 64,
            height: 48,
            objects,
            ..AnnotatedImage::default()
        }
    }

    fn object([x, y, width, height]: [f64; 4], labels: &[&str]) -> Object {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let shape = Shape::Rectangle {
            x,
            y,
            width,
            height,
        };
        Object::with_labels(shape, labels)
    }

    fn project(task_type: &str, labels: &[(&str, &str, bool)]) -> Project {
        let labels = labels.iter().map(|(name, group, is_empty)| {
            serde_json::json!({"id": format!("id of {name}"), "name": name, "color": "#000000ff",
                "group": group, "is_empty": is_empty})
        });
        let tasks = serde_json::json!([
            {"id": "d", "title": "Dataset", "task_type": "dataset"},
            {"id": "t", "title": "Task", "task_type": task_type,
             "labels": labels.collect::<Vec<_>>()}]);
        let pipeline = serde_json::json!({"connections": [], "tasks": tasks});
        let value = serde_json::json!({"id": "p", "name": "p", "pipeline": pipeline});
        serde_json::from_value(value).unwrap()
    }

    fn fit(project: &Project, objects: Vec<Object>) -> (usize, Vec<String>, Vec<String>) {
        let fitted = Labels::of(project).fit(&image(objects), &[]);
        (fitted.annotations.len(), fitted.changed, fitted.left_out)
    }

    #[test]
    fn a_bad_shape_never_costs_its_neighbours() {
        struct Case([f64; 4], usize, &'static str, &'static str);
        let project = project(
            "detection",
            &[("bolt", "g", false), ("No object", "e", true)],
        );
        let good = object([4.0, 5.0, 20.0, 10.0], &["bolt"]);
        for Case(shape, count, changed, left_out) in [
            Case([50.0, 30.0, 14.0, 10.0], 2, "", ""),
            Case([50.0, 30.0, 15.0, 10.0], 2, "were clipped", ""),
            Case(
                [70.0, 30.0, 15.0, 10.0],
                1,
                "",
                "beyond the image were left out",
            ),
            Case([5.0, 3.0, 0.25, 10.0], 1, "", "0.25 x 10.00 pixels"),
        ] {
            let bad = object(shape, &["bolt"]);
            let (found, notes, refused) = fit(&project, vec![bad, good.clone()]);
            let said = (notes.join(""), refused.join(""));
            assert_eq!(found, count, "{shape:?}: {said:?}");
            for (said, wanted) in [(&said.0, changed), (&said.1, left_out)] {
                assert_eq!(said.is_empty(), wanted.is_empty(), "{shape:?}: {said}");
                assert!(said.contains(wanted), "{shape:?}: {said}");
            }
        }
    }

    #[test]
    fn labels_that_exclude_one_another_are_told_apart() {
        let labels = [("cat", "g", false), ("dog", "g", false)];
        let both = |shape| vec![object(shape, &["cat", "dog"])];
        let detection = project("detection", &labels);
        let (found, changed, _) = fit(&detection, both([1.0, 1.0, 9.0, 9.0]));
        assert_eq!((found, changed.len()), (2, 1));
        let classification = project("classification", &labels);
        let (found, _, left_out) = fit(&classification, both([0.0, 0.0, 64.0, 48.0]));
        assert_eq!((found, left_out.len()), (0, 1), "{left_out:?}");
        let part = vec![object([1.0, 1.0, 9.0, 9.0], &["cat"])];
        let (found, _, left_out) = fit(&classification, part);
        assert_eq!((found, left_out.len()), (0, 1), "{left_out:?}");
        let apart = project(
            "classification",
            &[("cat", "a", false), ("dog", "b", false)],
        );
        assert_eq!(fit(&apart, both([0.0, 0.0, 64.0, 48.0])).0, 1);
    }

    #[test]
    fn nothing_is_not_said_beside_something() {
        let project = project(
            "detection",
            &[("bolt", "g", false), ("No object", "e", true)],
        );
        let nothing = object([0.0, 0.0, 64.0, 48.0], &["No object"]);
        assert_eq!(fit(&project, vec![nothing.clone()]).0, 1);
        let bolt = object([4.0, 5.0, 20.0, 10.0], &["bolt"]);
        let (found, _, left_out) = fit(&project, vec![bolt, nothing]);
        assert_eq!((found, left_out.len()), (1, 1), "{left_out:?}");
    }

    #[test]
    fn what_annotations_say_is_compared_without_order() {
        let project = project("detection", &[("a", "g", false), ("b", "g", false)]);
        let labels = Labels::of(&project);
        let fit = |objects| labels.fit(&image(objects), &[]).annotations;
        let (a, b) = ([1.0, 1.0, 9.0, 9.0], [2.0, 2.0, 9.0, 9.0]);
        let first = fit(vec![object(a, &["a"]), object(b, &["b"])]);
        let turned = fit(vec![object(b, &["b"]), object(a, &["a"])]);
        assert!(say_the_same(&first, &turned));
        let other = fit(vec![object(a, &["b"]), object(b, &["a"])]);
        assert!(!say_the_same(&first, &other) && !say_the_same(&first, &turned[1..]));
    }
}
