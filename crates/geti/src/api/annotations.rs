use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use straylight_core::Progress;

use super::dataset::DatasetApi;
use super::naming::stems;
use super::parallel::{Outcome, Transfer, transfer};
use crate::error::{ErrorKind, GetiError};
use crate::http::{Request, encode};
use crate::wire::{
    Annotation, AnnotationScene, Label, Media, MediaIdentifier, NewAnnotationScene, Project,
    SceneKind, ScoredLabel, Shape, Task, VideoAnnotations,
};

impl DatasetApi {
    /// The annotation of an image; `None` if it has none.
    pub fn annotation(&self, image_id: &str) -> Result<Option<AnnotationScene>, GetiError> {
        let path = self.path(&format!(
            "/media/images/{}/annotations/latest",
            encode(image_id)
        ));
        self.project()
            .geti()
            .transport()
            .json_or_none(&Request::get(path))
    }

    /// The annotations of all annotated frames of a video.
    pub fn video_annotations(&self, video_id: &str) -> Result<Vec<AnnotationScene>, GetiError> {
        let path = self.path(&format!(
            "/media/videos/{}/annotations/latest",
            encode(video_id)
        ));
        let answer: Option<VideoAnnotations> = self
            .project()
            .geti()
            .transport()
            .json_or_none(&Request::get(path))?;
        Ok(answer
            .map(|answer| answer.video_annotations)
            .unwrap_or_default())
    }

    /// Replaces the annotation of an image.
    ///
    /// Labels need their identifiers; see [`name_labels`] for the way back from names.
    pub fn annotate(
        &self,
        image_id: &str,
        annotations: Vec<Annotation>,
    ) -> Result<AnnotationScene, GetiError> {
        let annotations = annotations.into_iter().map(for_request).collect();
        self.post_of_image(image_id, annotations)
    }

    /// As [`Self::annotate`], with the identifiers that the annotations have.
    ///
    /// Our own server keeps them; one that gives its own answers with those.
    pub fn annotate_identified(
        &self,
        image_id: &str,
        annotations: Vec<Annotation>,
    ) -> Result<AnnotationScene, GetiError> {
        let kept = |annotation: Annotation| Annotation {
            id: annotation.id.clone(),
            ..for_request(annotation)
        };
        let annotations = annotations.into_iter().map(kept).collect();
        self.post_of_image(image_id, annotations)
    }

    fn post_of_image(
        &self,
        image_id: &str,
        annotations: Vec<Annotation>,
    ) -> Result<AnnotationScene, GetiError> {
        let path = self.path(&format!("/media/images/{}/annotations", encode(image_id)));
        let media_identifier = MediaIdentifier::Image {
            image_id: image_id.to_owned(),
        };
        self.post(path, annotations, media_identifier)
    }

    /// Replaces the annotation of one frame of a video.
    pub fn annotate_frame(
        &self,
        video_id: &str,
        frame_index: u64,
        annotations: Vec<Annotation>,
    ) -> Result<AnnotationScene, GetiError> {
        let video = encode(video_id);
        let path = self.path(&format!(
            "/media/videos/{video}/frames/{frame_index}/annotations"
        ));
        let video_id = video_id.to_owned();
        self.post(
            path,
            annotations.into_iter().map(for_request).collect(),
            MediaIdentifier::VideoFrame {
                video_id,
                frame_index,
            },
        )
    }

    /// Adds annotations to those that an image has: labels are merged where shapes are equal.
    pub fn append_annotations(
        &self,
        image_id: &str,
        annotations: Vec<Annotation>,
    ) -> Result<AnnotationScene, GetiError> {
        let present = self.annotation(image_id)?.map(|scene| scene.annotations);
        self.annotate(image_id, merge(present.unwrap_or_default(), annotations))
    }

    /// Downloads the annotations of images into `<folder>/annotations`, several at once.
    ///
    /// Each annotated image gives a file `<name>.json` (`<name>_<id>.json` where several share
    /// a name), with the names and colours of the labels and without identifiers, as the SDK
    /// writes and reads it. Images without an annotation give none and count as skipped.
    pub fn download_annotations(
        &self,
        images: &[Media],
        project: &Project,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        let jobs: Vec<(String, &Media)> = stems(images).into_iter().zip(images).collect();
        self.download_named_annotations(&jobs, project, folder, progress)
    }

    pub(crate) fn download_named_annotations(
        &self,
        jobs: &[(String, &Media)],
        project: &Project,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        let threads = self.project().geti().options().threads;
        let name = |(_, image): &(String, &Media)| image.name.clone();
        transfer(
            "Downloading annotations",
            jobs,
            threads,
            progress,
            name,
            |(stem, image)| {
                let Some(scene) = self.annotation(&image.id)? else {
                    return Ok(Outcome::Skipped);
                };
                let path = folder.join("annotations").join(format!("{stem}.json"));
                write_scene(&path, scene, project)?;
                Ok(Outcome::Done(path))
            },
        )
    }

    fn post(
        &self,
        path: String,
        annotations: Vec<Annotation>,
        media_identifier: MediaIdentifier,
    ) -> Result<AnnotationScene, GetiError> {
        let body = NewAnnotationScene {
            annotations,
            media_identifier,
        };
        // To replace an annotation twice by the same is as good as once.
        let request = Request::post(path).repeatable().json(&body)?;
        self.project().geti().transport().json(&request)
    }
}

/// What a downloaded annotation file holds: no identifiers, no times.
#[derive(Debug, Serialize)]
struct SceneFile {
    annotations: Vec<Annotation>,
    kind: SceneKind,
}

/// Writes a scene as the SDK does, labels by name.
pub(crate) fn write_scene(
    path: &Path,
    scene: AnnotationScene,
    project: &Project,
) -> Result<(), GetiError> {
    let file = SceneFile {
        annotations: name_labels(scene.annotations, project)?,
        kind: scene.kind,
    };
    let json = serde_json::to_vec_pretty(&file).map_err(|error| {
        GetiError::new(
            ErrorKind::File,
            format!("cannot write {}: {error}", path.display()),
        )
    })?;
    Ok(straylight_files::write_atomically(path, &json)?)
}

/// Replaces the identifiers of labels by the names and colours that the project gives them.
///
/// # Errors
/// [`ErrorKind::Answer`] if the project has no such label.
pub fn name_labels(
    annotations: Vec<Annotation>,
    project: &Project,
) -> Result<Vec<Annotation>, GetiError> {
    let labels: HashMap<&str, &Label> = labels(project).map(|l| (l.id.as_str(), l)).collect();
    let named = |label: ScoredLabel| {
        let known = label.id.as_deref().and_then(|id| labels.get(id));
        let Some(known) = known else {
            let id = label.id.unwrap_or_default();
            let message = format!("the annotation has the label `{id}`, which the project has not");
            return Err(GetiError::new(ErrorKind::Answer, message));
        };
        Ok(ScoredLabel {
            id: None,
            probability: label.probability,
            name: Some(known.name.clone()),
            color: Some(known.color),
            source: None,
        })
    };
    annotations
        .into_iter()
        .map(|annotation| {
            let labels = annotation
                .labels
                .into_iter()
                .map(named)
                .collect::<Result<_, _>>()?;
            Ok(Annotation {
                id: None,
                modified: None,
                labels_to_revisit: None,
                shape: annotation.shape,
                labels,
            })
        })
        .collect()
}

/// Gives labels that have only a name the identifier that the project has for it.
pub(crate) fn identify_labels(
    annotations: &mut [Annotation],
    project: &Project,
) -> Result<(), GetiError> {
    let ids: HashMap<&str, &str> = labels(project)
        .map(|l| (l.name.as_str(), l.id.as_str()))
        .collect();
    for label in annotations
        .iter_mut()
        .flat_map(|annotation| &mut annotation.labels)
    {
        let name = label.name.clone().unwrap_or_default();
        let Some(id) = ids.get(name.as_str()) else {
            let message = format!("the project has no label `{name}`");
            return Err(GetiError::new(ErrorKind::Argument, message));
        };
        label.id = Some((*id).to_owned());
    }
    Ok(())
}

/// The annotation of a whole image by one label: what a classification is.
pub fn image_annotation(label_id: &str, image: &Media) -> Annotation {
    let size = &image.media_information;
    let shape = Shape::Rectangle {
        x: 0.0,
        y: 0.0,
        width: size.width as f64,
        height: size.height as f64,
    };
    let label = ScoredLabel {
        id: Some(label_id.to_owned()),
        probability: 1.0,
        name: None,
        color: None,
        source: None,
    };
    Annotation {
        id: None,
        modified: None,
        labels_to_revisit: None,
        shape,
        labels: vec![label],
    }
}

fn labels(project: &Project) -> impl Iterator<Item = &Label> {
    project.pipeline.tasks.iter().flat_map(Task::labels)
}

/// An annotation as a request carries it: shape, and labels with identifier and probability.
fn for_request(annotation: Annotation) -> Annotation {
    let bare = |label: ScoredLabel| ScoredLabel {
        name: None,
        color: None,
        source: None,
        ..label
    };
    Annotation {
        id: None,
        modified: None,
        labels_to_revisit: None,
        shape: annotation.shape,
        labels: annotation.labels.into_iter().map(bare).collect(),
    }
}

/// Adds annotations to others; a shape that is there gets the labels that it lacks.
pub(super) fn merge(mut present: Vec<Annotation>, added: Vec<Annotation>) -> Vec<Annotation> {
    for annotation in added {
        match present
            .iter_mut()
            .find(|other| other.shape == annotation.shape)
        {
            Some(other) => {
                let known: HashSet<Option<String>> =
                    other.labels.iter().map(|label| label.id.clone()).collect();
                let fresh = annotation
                    .labels
                    .into_iter()
                    .filter(|l| !known.contains(&l.id));
                other.labels.extend(fresh);
            }
            None => present.push(annotation),
        }
    }
    present
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(x: f64, ids: &[&str]) -> Annotation {
        let label = |id: &&str| ScoredLabel {
            id: Some((*id).to_owned()),
            probability: 1.0,
            name: Some("n".to_owned()),
            color: None,
            source: None,
        };
        Annotation {
            id: None,
            modified: None,
            labels_to_revisit: None,
            shape: Shape::Rectangle {
                x,
                y: 0.0,
                width: 1.0,
                height: 1.0,
            },
            labels: ids.iter().map(label).collect(),
        }
    }

    #[test]
    fn equal_shapes_share_their_labels() {
        let merged = merge(
            vec![annotation(0.0, &["a"]), annotation(1.0, &["b"])],
            vec![annotation(1.0, &["b", "c"]), annotation(2.0, &["d"])],
        );
        assert_eq!(
            merged,
            [
                annotation(0.0, &["a"]),
                annotation(1.0, &["b", "c"]),
                annotation(2.0, &["d"])
            ]
        );
    }

    #[test]
    fn a_request_carries_identifiers_and_no_names() {
        let json = serde_json::to_string(&for_request(annotation(0.0, &["a"]))).unwrap();
        assert_eq!(
            json,
            r#"{"shape":{"type":"RECTANGLE","x":0,"y":0,"width":1,"height":1},"labels":[{"id":"a","probability":1.0}]}"#
        );
    }
}
