//! `straylight ood eval`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use straylight::Deployment;
use straylight::fit::{LabelledImage, infer_all};
use straylight::image::{encode_jpeg, thumbnail};
use straylight::ood::{
    ActivationSet, Caption, Evaluation, Metrics, ModelBinding, OodModel, Side, read_arrays,
};

use super::fit::listed_images;
use crate::command::engine::EngineArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Longer side of the pictures in a report, in pixels.
const PICTURE_SIDE: u32 = 160;
/// Quality of their JPEG files.
const PICTURE_QUALITY: u8 = 85;

/// Arguments of `straylight ood eval`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder of the fitted model.
    model: PathBuf,
    /// In-distribution images that the model was not fitted on: an array file, or with
    /// --deployment a folder of images.
    #[arg(long, value_name = "PATH")]
    id: PathBuf,
    /// Outliers: an array file, or with --deployment a folder of images.
    #[arg(long, value_name = "PATH")]
    ood: PathBuf,
    /// Deployment whose model gives the features of the images; the page then shows the worst
    /// errors as pictures.
    #[arg(long, value_name = "FOLDER")]
    deployment: Option<PathBuf>,
    /// Write the report as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as a page with ROC, histograms and the worst errors.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Images of one side: their activations and, from a folder, where they are.
struct Images {
    set: ActivationSet,
    files: Vec<LabelledImage>,
}

/// Scores both sides and compares, detector by detector and combined.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let (model, [known, strange], complete) = arguments.sides()?;
    let name = |side| {
        if side == Side::InDistribution {
            "known"
        } else {
            "strange"
        }
    };
    let picture = |side, image: usize| match (&arguments.html, arguments.deployment.is_some()) {
        (Some(page), true) => Some(format!("{}/{}-{image}.jpg", folder_name(page), name(side))),
        _ => None,
    };
    let files = |side| {
        if side == Side::InDistribution {
            &known.files
        } else {
            &strange.files
        }
    };
    let caption = |side, image: usize| -> Caption {
        let file = files(side).get(image).map(|file| file.name().to_owned());
        (file, picture(side, image))
    };
    let evaluation = Evaluation::new(&model, &known.set, &strange.set, caption)?;
    let evaluation = evaluation.ok_or("one of the sides holds no images")?;
    if let Some(page) = &arguments.html {
        for (side, worst) in [
            (&known, &evaluation.false_alarms),
            (&strange, &evaluation.misses),
        ] {
            for image in worst {
                write_picture(page, side.files.get(image.image), image.picture.as_deref())?;
            }
        }
        let text = evaluation.to_html(&format!("OOD model {}", arguments.model.display()));
        straylight::write_atomically(page, text.as_bytes())?;
    }
    if let Some(path) = &arguments.json {
        output::json(&evaluation, path)?;
    }
    if arguments.json.as_deref() != Some("-".as_ref()) {
        print(&evaluation);
    }
    Ok(if complete {
        Exit::Success
    } else {
        Exit::Partial
    })
}

impl Arguments {
    /// Known and strange images, and whether all could be read.
    fn sides(&self) -> Result<(Arc<OodModel>, [Images; 2], bool), Failure> {
        let Some(folder) = &self.deployment else {
            let read = |path| -> Result<Images, Failure> {
                let (set, files) = (read_arrays(path)?.set, Vec::new());
                Ok(Images { set, files })
            };
            let model = OodModel::load(&self.model, ModelBinding::Any)?;
            return Ok((Arc::new(model), [read(&self.id)?, read(&self.ood)?], true));
        };
        let progress = TerminalProgress::new();
        let load = straylight::LoadOptions {
            hooks: straylight::SavedHooks::Ignore,
            ood_model: straylight::SavedOodModel::Ignore,
            ..self.engine.load_options()
        };
        let deployment = Deployment::from_folder_with_progress(folder, &load, &progress)?;
        let model = Arc::new(deployment.load_ood_model(&self.model, &progress)?);
        // Images are decoded as for its fit.
        deployment.set_ood_model(Arc::clone(&model))?;
        let mut complete = true;
        let mut infer = |path: &Path| -> Result<Images, Failure> {
            let listed = listed_images(path)?;
            let files = listed.images;
            let found = infer_all(&deployment, &files, &progress)?;
            for (name, reason) in listed.left_out.iter().chain(&found.skipped) {
                output::note(&format!("left out {name}: {reason}"));
                complete = false;
            }
            let mut files: Vec<Option<LabelledImage>> = files.into_iter().map(Some).collect();
            let kept = found.images.iter().filter_map(|&image| files[image].take());
            let (files, set) = (kept.collect(), found.set);
            Ok(Images { set, files })
        };
        let sides = [infer(&self.id)?, infer(&self.ood)?];
        Ok((model, sides, complete))
    }
}

/// Name of the folder beside a page that holds its pictures.
fn folder_name(page: &Path) -> String {
    let stem = page.file_stem().unwrap_or_default().to_string_lossy();
    format!("{stem}-pictures")
}

/// Writes the small picture of one image beside the page.
fn write_picture(
    page: &Path,
    image: Option<&LabelledImage>,
    target: Option<&str>,
) -> Result<(), Failure> {
    let (Some(image), Some(target)) = (image, target) else {
        return Ok(());
    };
    let frame = image.read()?;
    let small = thumbnail(frame.image(), PICTURE_SIDE);
    let target = page.parent().unwrap_or(Path::new("")).join(target);
    let bytes = encode_jpeg(&small, PICTURE_QUALITY)?;
    Ok(straylight::write_atomically(&target, &bytes)?)
}

fn print(evaluation: &Evaluation) {
    output::line("detector                          AUROC   TPR at 1 % FPR");
    output::line(&row("score (the combination)", &evaluation.model));
    for (name, metrics) in &evaluation.detectors {
        output::line(&row(name, metrics));
    }
}

fn row(name: &str, metrics: &Metrics) -> String {
    format!(
        "{name:32}  {:.4}  {:.4}",
        metrics.auroc, metrics.tpr_at_1_fpr
    )
}
