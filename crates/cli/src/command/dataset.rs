//! `straylight dataset`: datasets of a Geti server or of the local store, and annotation formats.

mod convert;
mod export;
mod import;
mod written;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use straylight::formats::{AnnotatedSet, Filter, Format, ReadOptions, SetFiles};
use straylight::platform::{Platform, download, split_target, upload};

use crate::command::platform::PlatformArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight dataset`.
#[derive(Debug, Args)]
#[command(after_help = "\
A dataset is named PROJECT/DATASET, or PROJECT for its training dataset. The formats are coco,
datumaro, voc, yolo, tree (a folder for each label) and geti; cvat, labelme, labelstudio, fiftyone,
kitti and csv are read only. A filter joins label names by and, or, not and brackets:
'dog and not (cat or \"guide dog\")'.

Examples:
  straylight dataset show coco/ --filter dog --names
  straylight dataset convert coco/ --to yolo --out yolo --filter 'dog or cat'
  straylight dataset import coco/ --into pets/Dataset --task detection --store straylight-store
  straylight dataset import more/ --into pets --add-labels
  straylight dataset export pets --format yolo --split 80/10/10 --out pets-yolo
  straylight dataset download 'birds/OOD Images Collected' --out strays

Bad files and entries are listed and left out, the good ones go in; the exit code is then 3.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    platform: PlatformArguments,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the datasets of a project with their counts.
    List {
        /// Name or identifier of the project.
        project: String,
    },
    /// Make a dataset.
    Create {
        /// PROJECT/DATASET.
        dataset: String,
    },
    /// Upload images and videos without annotations.
    Upload {
        /// PROJECT/DATASET.
        dataset: String,
        /// Files, and folders whose files are meant.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Download images and annotations as the Python SDK lays them out.
    Download {
        /// PROJECT/DATASET.
        dataset: String,
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Import a folder or zip file of images with annotations.
    Import(import::Arguments),
    /// Export the decided images of a dataset with their annotations in a format.
    Export(export::Arguments),
    /// Show images with annotations: labels, counts, names.
    Show {
        /// The folder, one annotation file, or a zip file.
        folder: PathBuf,
        /// The format; found from the files by default.
        #[arg(long)]
        format: Option<Format>,
        /// Only images whose labels fit.
        #[arg(long)]
        filter: Option<Filter>,
        /// Print the path of each image instead, for `straylight run -`.
        #[arg(long, conflicts_with = "json")]
        names: bool,
    },
    /// Convert a folder or zip file of images with annotations into another format.
    Convert(convert::Arguments),
}

/// Does what was asked for.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let progress = TerminalProgress::new();
    let open = || arguments.platform.open();
    let as_json = arguments.json;
    match &arguments.what {
        What::List { project } => list(&open()?, project, as_json),
        What::Create { dataset } => create(&open()?, dataset, as_json),
        What::Upload { dataset, paths } => {
            let done = upload(&open()?.target(dataset)?, paths, &progress)?;
            if done.passed_over.total() > 0 {
                output::note(&format!("note: passed over {}", done.passed_over));
            }
            let text = format!("{} uploaded, {} were there", done.media, done.skipped);
            let value = json!({ "media": done.media, "there_already": done.skipped });
            output::answer_with(as_json, &text, value, done.problems)
        }
        What::Download { dataset, out } => {
            let problems = download(&open()?.target(dataset)?, out, &progress)?;
            let text = format!("downloaded to {}", out.display());
            output::answer_with(as_json, &text, json!({ "folder": out }), problems)
        }
        What::Import(import) => {
            let platform = if import.makes_a_project() {
                arguments.platform.open_or_make()?
            } else {
                open()?
            };
            import.run(&platform, as_json, &progress)
        }
        What::Export(export) => export.run(&open()?, as_json, &progress),
        What::Show {
            folder,
            format,
            filter,
            names,
        } => {
            let read = read(folder, *format, filter.as_ref())?;
            if *names && read.files.is_unpacked() {
                let text = "--names prints paths, and the files of an archive have none: unpack it";
                return Err(text.into());
            }
            show(&read.set, *names, as_json)?;
            Ok(output::problems(read.problems))
        }
        What::Convert(convert) => convert.run(as_json, &progress),
    }
}

/// A set with what was left out of it; its files are there as long as this is.
struct Read {
    set: AnnotatedSet,
    problems: Vec<(String, String)>,
    files: SetFiles,
}

fn read(path: &Path, format: Option<Format>, filter: Option<&Filter>) -> Result<Read, Failure> {
    let files = SetFiles::find(path, format)?;
    let report = files.read(&ReadOptions::default())?;
    for note in &report.notes {
        output::note(&format!("note: {note}"));
    }
    let mut set = report.set;
    if let Some(filter) = filter {
        for name in filter.label_names() {
            if !set.label_names().any(|label| label == name) {
                output::note(&format!("note: no label is called `{name}`"));
            }
        }
        set.retain(filter);
    }
    let problems = report.problems.into_iter();
    let problems = problems.map(|problem| (problem.place, problem.message));
    Ok(Read {
        set,
        problems: problems.collect(),
        files,
    })
}

fn show(set: &AnnotatedSet, names: bool, as_json: bool) -> Result<(), Failure> {
    if names {
        for image in &set.images {
            output::line(&image.file.display().to_string());
        }
        return Ok(());
    }
    let counts = set.counts();
    if as_json {
        let labels = counts.iter().map(
            |count| json!({ "name": count.name, "images": count.images, "objects": count.objects }),
        );
        let shown = json!({ "images": set.images.len(), "labels": labels.collect::<Vec<_>>() });
        return output::json(&shown, "-".as_ref());
    }
    output::line(&format!("{} images", set.images.len()));
    for count in counts {
        output::line(&format!(
            "{}: {} images, {} objects",
            count.name, count.images, count.objects
        ));
    }
    Ok(())
}

fn list(platform: &Platform, project: &str, as_json: bool) -> Outcome {
    let api = platform.project_api(project)?;
    let mut all = Vec::new();
    for dataset in api.datasets()? {
        let counts = api.dataset(&dataset.id).statistics()?.overview;
        all.push((dataset, counts));
    }
    if as_json {
        let all = all.iter().map(|(dataset, counts)| {
            json!({
                "id": dataset.id,
                "name": dataset.name,
                "training": dataset.use_for_training,
                "images": counts.images,
                "videos": counts.videos,
                "annotated_images": counts.annotated_images,
            })
        });
        output::json(&all.collect::<Vec<_>>(), "-".as_ref())?;
        return Ok(Exit::Success);
    }
    for (dataset, counts) in &all {
        let training = if dataset.use_for_training {
            ", training"
        } else {
            ""
        };
        output::line(&format!(
            "{}  {}: {} images, {} annotated, {} videos{training}",
            dataset.id, dataset.name, counts.images, counts.annotated_images, counts.videos
        ));
    }
    Ok(Exit::Success)
}

fn create(platform: &Platform, target: &str, as_json: bool) -> Outcome {
    let (project, Some(name)) = split_target(target) else {
        return Err(format!("`{target}` names no dataset: write PROJECT/DATASET").into());
    };
    let dataset = platform.project_api(project)?.create_dataset(name)?;
    let text = format!("made {}  {}", dataset.id, dataset.name);
    let value = json!({ "id": dataset.id, "name": dataset.name });
    output::answer(as_json, &text, &value)?;
    Ok(Exit::Success)
}
