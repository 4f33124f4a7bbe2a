//! Annotations in the formats that people bring and take away.
//!
//! [`read`] turns a folder of any [`Format`] into an [`AnnotatedSet`]. Files and entries that are
//! bad are reported with their place and kept out; the good ones go in. [`write`] goes the other
//! way and reports what the format could not hold. A [`Filter`] chooses images by label.
//!
//! What each format holds is told in the guide, `docs/src/formats.md`. A box over the whole image
//! and a label of the image are two things; only the Geti platform takes them for one. Sets are
//! data of strangers: paths that leave the folder are refused, sizes are limited, and no input
//! makes a reader panic.

mod clip;
mod coco;
mod cvat;
mod datumaro;
mod detect;
mod fiftyone;
mod filter;
mod find;
mod folder;
mod gather;
mod geometry;
mod geti;
mod json;
mod kitti;
mod label_studio;
mod labelme;
mod left_out;
mod loss;
mod mask;
mod names;
mod object;
mod platform;
mod problem;
mod project;
mod set;
mod set_files;
mod sniff;
mod split;
mod table;
mod text;
mod tree;
mod turn;
mod voc;
mod xml;
mod yolo;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use folder::Unique;

pub use filter::{Filter, FilterError};
pub use left_out::LeftOut;
pub use loss::{Became, Feature, Loss};
pub use mask::{Mask, Outlines};
pub use names::FileNames;
pub use object::{Attributes, Flags, Geometry, Keypoint, Object, Visibility};
pub use platform::LabelledShape;
pub use problem::{FormatError, Problem};
pub use project::ProjectLabels;
pub use set::{AnnotatedImage, AnnotatedSet, ClassLabel, LabelCount, Skeleton};
pub use set_files::{ARCHIVE_LIMITS, SetFiles};
pub use split::{Shares, Split, SplitError};
pub use yolo::{UnknownYoloTask, YoloTask};

/// The annotation formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// COCO: JSON files of instances or key points beside images.
    Coco,
    /// Datumaro: one JSON file per subset in `annotations/`.
    Datumaro,
    /// Pascal VOC: an XML file per image in `Annotations/`.
    PascalVoc,
    /// YOLO: a text file per image in `labels/`, names in a YAML file.
    Yolo,
    /// A folder per label with its images.
    DirectoryTree,
    /// A download of a Geti project: `images/` and `annotations/` with a JSON file per image.
    Geti,
    /// CVAT's XML 1.1 of images or tracks. Read only.
    Cvat,
    /// labelme: a JSON file per image. Read only.
    Labelme,
    /// Label Studio: a JSON list of tasks. Read only.
    LabelStudio,
    /// `FiftyOne`: `labels.json` or `samples.json` with `data/`. Read only.
    FiftyOne,
    /// KITTI: a text file per image in `label_2/`. Read only.
    Kitti,
    /// Tables in CSV, also those of Open Images. Read only.
    Csv,
}

/// All formats with the names that users write.
const FORMATS: [(Format, &str); 12] = [
    (Format::Coco, "coco"),
    (Format::Datumaro, "datumaro"),
    (Format::PascalVoc, "voc"),
    (Format::Yolo, "yolo"),
    (Format::DirectoryTree, "tree"),
    (Format::Geti, "geti"),
    (Format::Cvat, "cvat"),
    (Format::Labelme, "labelme"),
    (Format::LabelStudio, "labelstudio"),
    (Format::FiftyOne, "fiftyone"),
    (Format::Kitti, "kitti"),
    (Format::Csv, "csv"),
];

impl Format {
    /// All formats.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|(format, _)| *format)
    }

    /// The formats that can be written as well as read.
    pub fn writable() -> impl Iterator<Item = Self> {
        Self::all().filter(|format| format.is_writable())
    }

    /// Whether sets can be written in this format.
    pub fn is_writable(self) -> bool {
        matches!(
            self,
            Self::Coco
                | Self::Datumaro
                | Self::PascalVoc
                | Self::Yolo
                | Self::DirectoryTree
                | Self::Geti
        )
    }

    /// The name that users write, such as `coco` or `voc`.
    pub fn name(self) -> &'static str {
        FORMATS
            .iter()
            .find(|(format, _)| *format == self)
            .map_or("", |(_, name)| name)
    }

    /// All names in one text, for messages.
    pub(crate) fn names() -> String {
        FORMATS.map(|(_, name)| name).join(", ")
    }

    /// Finds the format of a folder, or of one annotation file, from what is in its files.
    ///
    /// A directory tree is taken for one only if nothing else fits.
    ///
    /// # Errors
    ///
    /// When nothing fits: the known format that is not read, the file that cannot be read, or that
    /// nothing is known.
    pub fn detect(path: &Path) -> Result<Self, FormatError> {
        detect::detect(path)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text is no name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no annotation format; choose one of {names}", names = Format::names())]
pub struct UnknownFormatName(pub String);

impl FromStr for Format {
    type Err = UnknownFormatName;

    fn from_str(text: &str) -> Result<Self, UnknownFormatName> {
        let found = FORMATS
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text));
        found
            .map(|(format, _)| *format)
            .ok_or_else(|| UnknownFormatName(text.to_owned()))
    }
}

/// How a set is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Whether image files are opened.
    pub images: ImageCheck,
}

/// What is done with image files while annotations are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageCheck {
    /// Their headers are read: bad files and wrong sizes are reported.
    #[default]
    Headers,
    /// They are opened only if the annotations do not tell their sizes.
    Skip,
}

/// What was read, and what was left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadReport {
    /// The good part.
    pub set: AnnotatedSet,
    /// Each bad file or entry with its place.
    pub problems: Vec<Problem>,
    /// What was passed over or changed and is no mistake, with its place.
    pub notes: Vec<Problem>,
}

/// Reads a set of annotations and finds its images.
///
/// `path` is the folder of the set, or one annotation file of it.
///
/// # Errors
///
/// When the folder cannot be read or holds nothing of the format. Everything smaller is a
/// [`Problem`] in the report.
pub fn read(path: &Path, format: Format, options: &ReadOptions) -> Result<ReadReport, FormatError> {
    let only = path.is_file().then_some(path);
    let folder = only.map_or(path, folder::of_file);
    let mut gather = gather::Gather::new(folder, only, options);
    match format {
        Format::Coco => coco::read(&mut gather)?,
        Format::Datumaro => datumaro::read(&mut gather)?,
        Format::PascalVoc => voc::read(&mut gather)?,
        Format::Yolo => yolo::read(&mut gather)?,
        Format::DirectoryTree => tree::read(&mut gather)?,
        Format::Geti => geti::read(&mut gather)?,
        Format::Cvat => cvat::read(&mut gather)?,
        Format::Labelme => labelme::read(&mut gather)?,
        Format::LabelStudio => label_studio::read(&mut gather)?,
        Format::FiftyOne => fiftyone::read(&mut gather)?,
        Format::Kitti => kitti::read(&mut gather)?,
        Format::Csv => table::read(&mut gather)?,
    }
    Ok(gather.report())
}

/// How a set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// Whether image files are copied beside the annotations.
    pub copy_images: bool,
    /// What a YOLO set is for; what keeps most of the set if `None`. Other formats have no choice.
    pub task: Option<YoloTask>,
    /// Whether the set is added to the dataset that is in the folder, whose classes keep their
    /// numbers; only YOLO can.
    pub merge: bool,
}

impl Default for WriteOptions {
    /// With images.
    fn default() -> Self {
        Self {
            copy_images: true,
            task: None,
            merge: false,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteReport {
    /// Number of images.
    pub images: usize,
    /// Number of objects.
    pub objects: usize,
    /// What the format could not hold as it was, image by image, and what became of it.
    pub losses: Vec<Loss>,
}

/// Writes a set of annotations into a new or empty folder.
///
/// Each file is written as a whole or not at all. Files of single images are not synced to the disk:
/// after a power cut write the set again.
pub fn write(
    set: &AnnotatedSet,
    folder: &Path,
    format: Format,
    options: &WriteOptions,
) -> Result<WriteReport, FormatError> {
    if !format.is_writable() {
        return Err(FormatError::ReadOnly { format });
    }
    if options.merge && format != Format::Yolo {
        return Err(FormatError::NoMerge { format });
    }
    folder::prepare(set, folder, unique(format), options.merge)?;
    let mut report = WriteReport {
        images: set.images.len(),
        objects: set.images.iter().map(|image| image.objects.len()).sum(),
        losses: Vec::new(),
    };
    match format {
        Format::Coco => coco::write(set, folder, *options, &mut report)?,
        Format::Datumaro => datumaro::write(set, folder, *options, &mut report)?,
        Format::PascalVoc => voc::write(set, folder, *options, &mut report)?,
        Format::Yolo => yolo::write(set, folder, *options, &mut report)?,
        Format::DirectoryTree => tree::write(set, folder, *options, &mut report)?,
        Format::Geti => geti::write(set, folder, *options, &mut report)?,
        // Refused above.
        _ => {}
    }
    Ok(report)
}

/// Where files of annotations are named after images, stems must differ; VOC has one folder.
fn unique(format: Format) -> Unique {
    match format {
        Format::Yolo | Format::Geti => Unique::Stems,
        Format::PascalVoc => Unique::StemsOfAll,
        _ => Unique::Names,
    }
}

impl WriteReport {
    /// What the format could not hold, a line for each kind of loss.
    pub fn summary(&self) -> Vec<String> {
        loss::summary(&self.losses)
    }
}
