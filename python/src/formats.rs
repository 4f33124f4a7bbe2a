//! Annotations in the formats that people bring.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyList;
use serde_json::{Value, json};
use straylight::NoProgress;
use straylight_formats::{
    AnnotatedSet, Filter, Format, ReadOptions, SetFiles, Shares, Split, WriteOptions, WriteReport,
    write,
};

use crate::convert;
use crate::error::{Outcome, Raised};

/// Images with their annotations.
#[pyclass(module = "straylight._native")]
pub(crate) struct Annotations {
    all: AnnotatedSet,
    chosen: AnnotatedSet,
    problems: Vec<String>,
    /// The files of an archive are there as long as this is.
    _files: SetFiles,
}

/// How a set is written, from Python's arguments.
pub(crate) fn write_options(
    task: Option<&str>,
    merge: bool,
    copy_images: bool,
) -> Outcome<WriteOptions> {
    let task = task.map(str::parse).transpose();
    Ok(WriteOptions {
        copy_images,
        task: task.map_err(Raised::value)?,
        merge,
    })
}

/// How images are shared out, from Python's arguments.
pub(crate) fn split(shares: Option<&str>, seed: u64) -> Outcome<Option<Split>> {
    let split = shares.map(str::parse::<Split>).transpose();
    let split = split.map_err(Raised::value)?;
    Ok(split.map(|split| split.with_seed(seed)))
}

/// What was written.
pub(crate) fn written(report: &WriteReport, shares: Option<&Shares>) -> Value {
    let parts = shares.map(|shares| shares.parts.iter().copied().collect::<BTreeMap<_, _>>());
    json!({
        "images": report.images,
        "objects": report.objects,
        "parts": parts,
        "losses": report.losses,
        "summary": report.summary(),
    })
}

#[pymethods]
impl Annotations {
    /// Reads a folder, one annotation file or a zip file of a format; finds the format by itself
    /// without one.
    #[staticmethod]
    #[pyo3(signature = (folder, format = None))]
    fn read(py: Python<'_>, folder: PathBuf, format: Option<&str>) -> PyResult<Self> {
        let (files, report) = py.detach(|| {
            let files = SetFiles::find(&folder, format.map(str::parse).transpose()?)?;
            let report = files.read(&ReadOptions::default())?;
            Ok::<_, Raised>((files, report))
        })?;
        Ok(Self {
            all: report.set.clone(),
            chosen: report.set,
            problems: report.problems.iter().map(ToString::to_string).collect(),
            _files: files,
        })
    }

    /// Writes the chosen images into a folder; gives what was written as JSON.
    fn write(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        format: &str,
        shares: Option<&str>,
        seed: u64,
        task: Option<&str>,
        merge: bool,
        copy_images: bool,
    ) -> PyResult<String> {
        let format: Format = format.parse().map_err(Raised::from)?;
        let split = split(shares, seed)?;
        let options = write_options(task, merge, copy_images)?;
        let value = py.detach(|| {
            let mut set = self.chosen.clone();
            let shares = split.map(|split| split.apply(&mut set, &NoProgress));
            let report = write(&set, &folder, format, &options)?;
            Ok::<_, Raised>(written(&report, shares.as_ref()))
        })?;
        Ok(value.to_string())
    }

    /// What was left out and why, one line each.
    #[getter]
    fn problems(&self) -> Vec<String> {
        self.problems.clone()
    }

    /// Keeps the images that a rule such as `dog and not cat` accepts.
    fn retain(&mut self, filter: &str) -> PyResult<()> {
        let filter: Filter = filter.parse().map_err(Raised::from)?;
        self.chosen.retain(&filter);
        Ok(())
    }

    /// Keeps the images that have any, or all, of the labels.
    fn retain_labels(&mut self, labels: Vec<String>, all: bool) {
        let filter = if all {
            Filter::all_of(labels)
        } else {
            Filter::any_of(labels)
        };
        self.chosen.retain(&filter);
    }

    /// Gives one name to several labels.
    fn group(&mut self, labels: Vec<String>, name: &str) {
        for set in [&mut self.all, &mut self.chosen] {
            for object in set.images.iter_mut().flat_map(|image| &mut image.objects) {
                for label in &mut object.labels {
                    if labels.contains(label) {
                        name.clone_into(label);
                    }
                }
                object.labels.dedup();
            }
            set.labels.retain(|label| !labels.contains(&label.name));
            set.add_label(name);
        }
    }

    /// Takes all images again.
    fn reset(&mut self) {
        self.chosen = self.all.clone();
    }

    /// The names of all labels.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.chosen.label_names().map(str::to_owned).collect()
    }

    /// Name and file of each image.
    #[getter]
    fn images(&self) -> Vec<(String, PathBuf)> {
        let pair =
            |image: &straylight_formats::AnnotatedImage| (image.name.clone(), image.file.clone());
        self.chosen.images.iter().map(pair).collect()
    }

    /// Label, number of images and number of objects.
    #[getter]
    fn counts(&self) -> Vec<(String, usize, usize)> {
        let counts = self.chosen.counts().into_iter();
        counts.map(|it| (it.name, it.images, it.objects)).collect()
    }

    /// The shapes of an image with the names of their labels.
    fn objects<'py>(
        &self,
        py: Python<'py>,
        index: usize,
    ) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyList>)>> {
        let image = self.chosen.images.get(index);
        let image = image.ok_or_else(|| Raised::missing(format!("there is no image {index}")))?;
        let (shapes, _) = image.platform_shapes(&self.chosen.labels);
        let object = |(shape, labels): &straylight_formats::LabelledShape| {
            let shape = convert::shape_to_python(py, shape)?;
            Ok((shape, PyList::new(py, labels)?))
        };
        shapes.iter().map(object).collect()
    }
}
