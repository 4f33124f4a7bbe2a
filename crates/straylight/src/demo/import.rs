//! The training photos become a project of the local store.

use straylight_core::{Progress, RgbImage, Shape};
use straylight_deploy::Deployment;
use straylight_image::read_frame;
use straylight_store::{NewImage, Store, StoredAnnotation, StoredLabel};

use super::DemoError;
use super::assets::{Assets, Photo};

/// The demo's project in the local store.
pub(super) struct DemoProject {
    pub(super) id: String,
    pub(super) name: String,
    /// Identifier of the dataset with the training photos.
    pub(super) training_dataset: String,
}

/// Creates the deployment's project and adds the training photos with their labels.
pub(super) fn training_photos(
    store: &Store,
    deployment: &Deployment,
    assets: &Assets,
    progress: &dyn Progress,
) -> Result<DemoProject, DemoError> {
    let project = store.import_project(&assets.project_json()?)?;
    let dataset = project
        .datasets
        .iter()
        .find(|dataset| dataset.use_for_training);
    let training_dataset = match dataset {
        Some(dataset) => dataset.id.clone(),
        None => store.get_or_create_dataset(&project.id, "Dataset")?.id,
    };
    progress.begin("Importing training photos", assets.split.train.len() as u64);
    for photo in &assets.split.train {
        add(store, deployment, assets, photo, &training_dataset)?;
        progress.advance(1);
    }
    progress.finish();
    Ok(DemoProject {
        id: project.id,
        name: project.name,
        training_dataset,
    })
}

fn add(
    store: &Store,
    deployment: &Deployment,
    assets: &Assets,
    photo: &Photo,
    dataset: &str,
) -> Result<(), DemoError> {
    let frame = read_frame(&assets.path(photo))?;
    let Some(encoded) = frame.encoded() else {
        return Ok(());
    };
    let size = frame.size();
    let new = NewImage::new(frame.name(), encoded.bytes.clone(), encoded.format, size);
    let added = store.add_image(dataset, &new)?;
    if let Some(annotation) = annotation(deployment, &photo.label, frame.image()) {
        store.set_annotation(&added.image().id, &[annotation])?;
    }
    Ok(())
}

/// The label over the whole image, as the Geti platform annotates a classification.
fn annotation(deployment: &Deployment, label: &str, image: &RgbImage) -> Option<StoredAnnotation> {
    let label = deployment.labels().find(|known| known.name == label)?;
    let id = label.id.clone();
    let label = StoredLabel {
        id,
        name: label.name.clone(),
        probability: 1.0,
    };
    let shape = Shape::whole_image(image.width(), image.height());
    Some(StoredAnnotation {
        id: String::new(),
        shape,
        labels: vec![label],
    })
}
