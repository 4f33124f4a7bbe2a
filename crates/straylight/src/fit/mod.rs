//! Fitting an OOD model on a deployment's own images.
//!
//! Images are read, inferred and forgotten one by one; only their activations are kept. What
//! happens with the activations is the business of [`straylight_ood`].
//!
//! # Detection, segmentation and other tasks without a class for the whole image
//!
//! The score is that of the image, from its feature vector; feature maps are pooled to their means
//! first, and of a tiled image the mean over the tiles counts. All images are then one class:
//! distances to the nearest images, the Gaussian shape and the reconstruction error of all images
//! are sound, and what compares classes is left out and named in the report. What this finds are
//! strange scenes. A strange object in a usual scene changes a pooled vector little: it is found
//! only if it is large.
//!
//! The objects' scores are not a part of it: measured on a COCO detector and five groups of photos
//! (`benchmarks/ood/README.md`, "Object tasks") they find strange images no better than chance, AUROC
//! 50 against 88 of the pooled features, and pull the mean of both down to 83. They help only where
//! the usual images are full of objects that the detector knows. A detector that finds nothing gives
//! no score at all, which is right for an empty scene and wrong for a strange one, and detectors
//! are often sure of what they have never seen. Whoever wants images with unsure objects takes the
//! trigger of low confidence beside the OOD trigger; scores of the two cannot be compared.

mod images;

use std::collections::BTreeSet;

use straylight_core::{Activations, Frame, Progress};
use straylight_deploy::{DeployError, Deployment, Keep};
use straylight_ood::{
    ActivationSet, FitError, FitOptions, FitReport, Head, Matrix, OodModel, Provenance, SetError,
};

pub use images::{DatasetImages, LabelledImage, ReadError, dataset_images, stored_images};

use crate::parallel;

/// Where the outliers of a fit come from.
#[derive(Debug, Default)]
pub enum Outliers {
    /// The kind of model decides: made ones for kinds that learn from outliers, else none.
    #[default]
    Automatic,
    /// Made from the in-distribution images.
    Synthetic,
    /// Real ones: a dataset, a folder.
    Images(Vec<LabelledImage>),
}

/// A fitted OOD model and what happened on the way.
#[derive(Debug)]
pub struct Fitted {
    /// The model, bound to the deployment that it was fitted on.
    pub model: OodModel,
    /// The report of the fit.
    pub report: FitReport,
    /// Images that were left out: name and reason.
    pub skipped: Vec<(String, String)>,
    /// How many outliers were made from in-distribution images.
    pub made_outliers: usize,
}

/// An OOD model could not be fitted on a deployment's images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OodFitError {
    /// The model could not be run.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// The deployed model gives no feature vector.
    #[error(
        "the model of {deployment} has no output `feature_vector`, which OOD scores need: \
         deploy a model with an XAI head"
    )]
    NoFeatures {
        /// Folder of the deployment.
        deployment: String,
    },
    /// None of the images could be read.
    #[error("none of the {count} {which} images can be used; the first: {first}")]
    NoImages {
        /// Which images ("in-distribution", "outlier").
        which: &'static str,
        /// How many there were.
        count: usize,
        /// What was wrong with the first.
        first: String,
    },
    /// The activations do not fit together.
    #[error(transparent)]
    Activations(#[from] SetError),
    /// The fit itself.
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// Fits an OOD model on images of the classes that a deployment was trained on.
///
/// `images` are in-distribution; those without a label, or with one that the deployment does
/// not have, are taken as what the model calls them. An image that cannot be read is left out
/// and named in the result. The head's weights are taken from the deployed graph if they give
/// its logits. The same images and options give the same model.
///
/// ```no_run
/// use straylight::fit::{LabelledImage, Outliers, fit_ood};
/// use straylight::ood::FitOptions;
/// use straylight::{Deployment, LoadOptions, NoProgress};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let deployment = Deployment::from_folder("deployment", &LoadOptions::default())?;
/// let images = vec![LabelledImage::file("fish/1.jpg", Some("fish".to_owned()))];
/// let fitted =
///     fit_ood(&deployment, &images, &Outliers::Automatic, &FitOptions::default(), &NoProgress)?;
/// println!("{} images, threshold {}", fitted.report.in_distribution.fit, fitted.model.threshold());
/// # Ok(())
/// # }
/// ```
pub fn fit_ood(
    deployment: &Deployment,
    images: &[LabelledImage],
    outliers: &Outliers,
    options: &FitOptions,
    progress: &dyn Progress,
) -> Result<Fitted, OodFitError> {
    check_features(deployment)?;
    let wants_made = match outliers {
        Outliers::Automatic => options.kind.needs_outliers(),
        Outliers::Synthetic => true,
        Outliers::Images(_) => false,
    };
    let mut skipped = Vec::new();
    let runs = run_all(
        deployment,
        images,
        wants_made.then_some(options.seed),
        progress,
    )?;
    let runs = keep_good(images, runs, "in-distribution", &mut skipped)?;
    let classified = runs
        .iter()
        .any(|(_, run)| run.activations.probabilities.is_some());
    let labels = runs
        .iter()
        .map(|(image, run)| {
            if classified {
                label_index(deployment, image, run)
            } else {
                0
            }
        })
        .collect();
    let (own, made): (Vec<_>, Vec<_>) = runs
        .into_iter()
        .map(|(_, run)| (run.activations, run.outliers))
        .unzip();
    let made: Vec<Activations> = made.into_iter().flatten().collect();
    let made_outliers = made.len();
    let outliers = outlier_set(deployment, outliers, made, &mut skipped, progress)?;
    let known = ActivationSet::collect(&own, Some(labels))?;
    let count = own.len();
    drop(own);
    let options = FitOptions {
        head: head(deployment, &known)?,
        ..options.clone()
    };
    let (model, mut report) =
        OodModel::fit_consuming(known, outliers.as_ref(), &options, progress)?;
    if !classified {
        report.notes.push(ONE_CLASS.to_owned());
    }
    report.notes.extend(unknown_labels(deployment, images));
    let model = model.with_provenance(Provenance {
        model_hash: Some(deployment.model_hash()?),
        jpeg_decoding: Some(deployment.jpeg_decoding().name().to_owned()),
        description: format!("{count} images of {}", deployment.project().name),
        // A date would make two fits of the same images differ.
        created_at: None,
    });
    Ok(Fitted {
        model,
        report,
        skipped,
        made_outliers,
    })
}

/// Activations of images, in their order, for scores and evaluations.
#[derive(Debug)]
pub struct Inferred {
    /// One row an image that could be read.
    pub set: ActivationSet,
    /// Which images these are.
    pub images: Vec<usize>,
    /// Images that were left out: name and reason.
    pub skipped: Vec<(String, String)>,
}

/// Reads and infers images and keeps what OOD scores need of them.
///
/// Images that cannot be read are left out and named; it fails when that is all of them, or
/// when the model gives no feature vector.
pub fn infer_all(
    deployment: &Deployment,
    images: &[LabelledImage],
    progress: &dyn Progress,
) -> Result<Inferred, OodFitError> {
    check_features(deployment)?;
    let mut skipped = Vec::new();
    let runs = run_all(deployment, images, None, progress)?;
    let read = runs.iter().enumerate().filter(|(_, run)| run.is_ok());
    let kept = read.map(|(index, _)| index).collect();
    let runs = keep_good(images, runs, "given", &mut skipped)?;
    let activations: Vec<Activations> = runs.into_iter().map(|(_, run)| run.activations).collect();
    Ok(Inferred {
        set: ActivationSet::collect(&activations, None)?,
        images: kept,
        skipped,
    })
}

fn check_features(deployment: &Deployment) -> Result<(), OodFitError> {
    if deployment.has_features() {
        return Ok(());
    }
    let deployment = deployment.folder().display().to_string();
    Err(OodFitError::NoFeatures { deployment })
}

/// What the report says of object tasks.
const ONE_CLASS: &str = "the model gives no class scores for a whole image: all images are one class, and what compares classes is left out";

/// What one image of a fit gives.
struct Run {
    activations: Activations,
    /// Index of the most probable class.
    predicted: u32,
    /// Activations of the outliers that were made from it.
    outliers: Vec<Activations>,
}

/// Infers all images; a read error spoils one image, an inference error all of them.
fn run_all(
    deployment: &Deployment,
    images: &[LabelledImage],
    make_outliers: Option<u64>,
    progress: &dyn Progress,
) -> Result<Vec<Result<Run, ReadError>>, DeployError> {
    progress.begin("Reading and inferring images", images.len() as u64);
    let threads = parallel::cores();
    let options = deployment.decode_options(straylight_image::DecodeLimits::default());
    let runs = parallel::map(images.len(), threads, |index| {
        let run = images[index].read_with(&options).map(|frame| {
            let seed = make_outliers.map(|seed| seed.wrapping_add(index as u64));
            run_one(deployment, &frame, seed)
        });
        progress.advance(1);
        match run {
            Ok(Ok(run)) => Ok(Ok(run)),
            Ok(Err(error)) => Err(error),
            Err(error) => Ok(Err(error)),
        }
    });
    progress.finish();
    runs.into_iter().collect()
}

fn run_one(deployment: &Deployment, frame: &Frame, seed: Option<u64>) -> Result<Run, DeployError> {
    let activations = deployment.predict(frame, Keep::ACTIVATIONS)?.activations;
    let predicted = most_probable(&activations);
    let outliers = match seed {
        Some(seed) => made_from(deployment, frame, seed)?,
        None => Vec::new(),
    };
    Ok(Run {
        activations,
        predicted,
        outliers,
    })
}

fn made_from(
    deployment: &Deployment,
    frame: &Frame,
    seed: u64,
) -> Result<Vec<Activations>, DeployError> {
    let made = straylight_ood::synthetic::outliers(&deployment.pixels(frame), seed);
    made.into_iter()
        .map(|image| {
            let outlier = Frame::new(image, frame.name(), frame.captured_at());
            Ok(deployment.predict(&outlier, Keep::ACTIVATIONS)?.activations)
        })
        .collect()
}

/// Parts the images that could be read from those that could not; fails if none could.
fn keep_good<'a>(
    images: &'a [LabelledImage],
    runs: Vec<Result<Run, ReadError>>,
    which: &'static str,
    skipped: &mut Vec<(String, String)>,
) -> Result<Vec<(&'a LabelledImage, Run)>, OodFitError> {
    let before = skipped.len();
    let mut good = Vec::with_capacity(runs.len());
    for (image, run) in images.iter().zip(runs) {
        match run {
            Ok(run) => good.push((image, run)),
            Err(error) => skipped.push((image.name().to_owned(), error.to_string())),
        }
    }
    if good.is_empty() {
        let first = skipped
            .get(before)
            .map_or("there is no image", |(_, reason)| reason);
        return Err(OodFitError::NoImages {
            which,
            count: images.len(),
            first: first.to_owned(),
        });
    }
    Ok(good)
}

fn outlier_set(
    deployment: &Deployment,
    outliers: &Outliers,
    made: Vec<Activations>,
    skipped: &mut Vec<(String, String)>,
    progress: &dyn Progress,
) -> Result<Option<ActivationSet>, OodFitError> {
    let activations = match outliers {
        Outliers::Images(images) => {
            let runs = run_all(deployment, images, None, progress)?;
            let good = keep_good(images, runs, "outlier", skipped)?;
            good.into_iter().map(|(_, run)| run.activations).collect()
        }
        Outliers::Automatic | Outliers::Synthetic => made,
    };
    if activations.is_empty() {
        return Ok(None);
    }
    Ok(Some(ActivationSet::collect(&activations, None)?))
}

/// The class of an image: its label's position among the model's classes, else the prediction.
fn label_index(deployment: &Deployment, image: &LabelledImage, run: &Run) -> u32 {
    let classes = deployment.classes();
    let named = |name| classes.iter().position(|label| label.name == name);
    image
        .label()
        .and_then(named)
        .map_or(run.predicted, |index| index as u32)
}

/// Says which labels of the images the deployment does not have.
fn unknown_labels(deployment: &Deployment, images: &[LabelledImage]) -> Option<String> {
    let known: BTreeSet<&str> = deployment
        .classes()
        .iter()
        .map(|label| &*label.name)
        .collect();
    let unknown = images.iter().filter_map(LabelledImage::label);
    let unknown: Vec<&str> = unknown.filter(|label| !known.contains(label)).collect();
    let names: BTreeSet<&str> = unknown.iter().copied().collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} images have a label that the model does not have (`{}`); they were fitted as what the \
             model calls them; if they are not of its classes, leave them out or give them with \
             --outliers",
            unknown.len(),
            names.into_iter().collect::<Vec<_>>().join("`, `")
        )
    })
}

fn most_probable(activations: &Activations) -> u32 {
    let probabilities = activations.probabilities.as_deref().unwrap_or_default();
    let best = probabilities
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(index, _)| index as u32)
}

/// The head of the deployed graph, if it gives the logits that the model gave.
fn head(deployment: &Deployment, known: &ActivationSet) -> Result<Option<Head>, OodFitError> {
    let Some(weights) = deployment.head_weights()? else {
        return Ok(None);
    };
    let matrix = Matrix::new(weights.classes, weights.features, weights.weights);
    let fits = matrix
        .ok()
        .and_then(|matrix| Head::new(matrix, weights.bias).ok());
    Ok(fits.filter(|head| known.features().columns() == head.weight().columns()))
}
