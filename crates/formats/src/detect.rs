//! Which format a folder or file is in, by what is in its files.

use std::path::{Path, PathBuf};

use crate::sniff::{self, Json};
use crate::{Format, FormatError, folder, kitti, table, text, tree, xml, yolo};

/// So many files of one kind are looked into before a set is taken for something else.
const LOOKED_INTO: usize = 50;

/// Extensions of formats that are not read, what they are, and the way out.
const BY_EXTENSION: [(&str, &str, &str); 7] = [
    (
        "parquet",
        "a Parquet table",
        "export the set as Datumaro JSON or COCO",
    ),
    (
        "arrow",
        "Datumaro's Arrow format",
        "export the set as Datumaro JSON (format `datumaro`)",
    ),
    (
        "datum",
        "Datumaro's binary format",
        "export the set as Datumaro JSON (format `datumaro`)",
    ),
    (
        "tfrecord",
        "TensorFlow records",
        "export the set as COCO or Pascal VOC",
    ),
    (
        "tfrecords",
        "TensorFlow records",
        "export the set as COCO or Pascal VOC",
    ),
    (
        "jsonl",
        "a list of JSON lines (Hugging Face, Vertex AI)",
        "export the set as COCO or YOLO",
    ),
    (
        "zip",
        "an archive beside other files",
        "name it alone, or unpack it",
    ),
];

/// Names in a folder of formats that are not read, what they are, and the way out.
const BY_LAYOUT: [(&str, &str, &str); 6] = [
    (
        "data.parquet",
        "Datumaro's Parquet form",
        "turn it into COCO with Datumaro's `export_dataset` (the guide, `docs/src/formats.md`, has the three lines)",
    ),
    (
        "labelTxt",
        "DOTA without the names of its classes",
        "add data.yaml with `names`",
    ),
    (
        "gtFine",
        "Cityscapes",
        "convert it with Datumaro: datum convert -if cityscapes -f coco",
    ),
    (
        "gtCoarse",
        "Cityscapes",
        "convert it with Datumaro: datum convert -if cityscapes -f coco",
    ),
    (
        "label_colors.txt",
        "CamVid or KITTI segmentation",
        "convert it with Datumaro: datum convert -if camvid -f coco",
    ),
    (
        "gt/gt.txt",
        "MOT challenge",
        "convert it with Datumaro: datum convert -if mot_seq -f coco",
    ),
];

/// What was seen in the files of a folder.
#[derive(Default)]
struct Evidence {
    format: Option<Format>,
    unsupported: Option<FormatError>,
    unreadable: Option<FormatError>,
}

/// The format of a folder, or of the one annotation file that was named.
pub(crate) fn detect(path: &Path) -> Result<Format, FormatError> {
    let mut evidence = Evidence::default();
    if path.is_file() {
        evidence.file(path);
    } else {
        evidence.folder(path)?;
    }
    let Evidence {
        format,
        unsupported,
        unreadable,
    } = evidence;
    if let Some(format) = format {
        return Ok(format);
    }
    if let Some(error) = unsupported.or(unreadable) {
        return Err(error);
    }
    if path.is_dir() && tree::fits(path)? {
        return Ok(Format::DirectoryTree);
    }
    Err(FormatError::UnknownFormat {
        folder: path.to_owned(),
    })
}

impl Evidence {
    fn folder(&mut self, root: &Path) -> Result<(), FormatError> {
        let files = folder::files_below(root)?;
        let description = yolo::names::find(&files)?;
        if description
            .as_ref()
            .is_some_and(yolo::names::Description::is_yaml)
        {
            self.format = Some(Format::Yolo);
            return Ok(());
        }
        if root.join("SegmentationClass").is_dir() || root.join("ImageSets").is_dir() {
            self.format = Some(Format::PascalVoc);
            return Ok(());
        }
        self.by_layout(root);
        if self.unsupported.is_some() {
            return Ok(());
        }
        for extension in ["xml", "json", "csv"] {
            self.files(&files, extension);
            if self.format.is_some() {
                return Ok(());
            }
        }
        let labelled = || files.iter().any(|file| yolo::is_label_file(file));
        if description.is_some_and(|found| found.is_darknet() || labelled()) {
            self.format = Some(Format::Yolo);
            return Ok(());
        }
        self.files(&files, "txt");
        if self.format.is_none() {
            self.by_name(&files);
        }
        if self.format.is_none() {
            self.labels_without_names(&files);
        }
        if self.format.is_none() {
            self.by_inner_layout(root, &files);
        }
        Ok(())
    }

    /// YOLO's label files need the names of their classes.
    fn labels_without_names(&mut self, files: &[PathBuf]) {
        let mut labels = files.iter().filter(|file| yolo::is_label_file(file));
        if let Some(path) = labels.next().cloned() {
            self.unsupported.get_or_insert(FormatError::Unsupported {
                path,
                found: "a label file of YOLO without the names of its classes",
                way_out: "add data.yaml with `names`, or classes.txt with a name a line",
            });
        }
    }

    /// Looks into the files with an extension, those nearest to the root first.
    fn files(&mut self, files: &[PathBuf], extension: &str) {
        let has = |file: &&PathBuf| {
            file.extension()
                .is_some_and(|end| end.eq_ignore_ascii_case(extension))
        };
        let mut files: Vec<&PathBuf> = files.iter().filter(has).collect();
        files.sort_by_key(|file| file.components().count());
        for file in files.into_iter().take(LOOKED_INTO) {
            self.file(file);
            if self.format.is_some() {
                return;
            }
        }
    }

    fn file(&mut self, file: &Path) {
        let extension = file
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        match extension.as_str() {
            "json" => self.json(file),
            "xml" => self.xml(file),
            "csv" if table::fits_file(file) => self.format = Some(Format::Csv),
            "txt" if text::read(file).is_ok_and(|text| kitti::fits(&text)) => {
                self.format = Some(Format::Kitti);
            }
            "yaml" | "yml" | "names" => self.format = Some(Format::Yolo),
            _ => self.by_name(&[file.to_owned()]),
        }
    }

    /// Formats that are known by the names of their folders, and not read.
    fn by_layout(&mut self, root: &Path) {
        for (name, found, way_out) in BY_LAYOUT {
            let path = root.join(name);
            // Other Parquet files are tables of something else.
            let is_other = name == "data.parquet" && !root.join("metadata.json").is_file();
            if path.exists() && !is_other {
                self.unsupported = Some(FormatError::Unsupported {
                    path,
                    found,
                    way_out,
                });
            }
        }
    }

    /// The same folders and files, deeper in the set.
    fn by_inner_layout(&mut self, root: &Path, files: &[PathBuf]) {
        let below = files.iter().filter_map(|file| file.strip_prefix(root).ok());
        for folder in below.flat_map(|file| file.ancestors().skip(1)) {
            if self.unsupported.is_none() {
                self.by_layout(&root.join(folder));
            }
        }
    }

    /// Formats that are known by the names of their files, and not read.
    fn by_name(&mut self, files: &[PathBuf]) {
        for (extension, found, way_out) in BY_EXTENSION {
            let has = |file: &&PathBuf| {
                file.extension()
                    .is_some_and(|end| end.eq_ignore_ascii_case(extension))
            };
            if let Some(path) = files.iter().find(has).cloned() {
                self.unsupported.get_or_insert(FormatError::Unsupported {
                    path,
                    found,
                    way_out,
                });
            }
        }
    }

    fn xml(&mut self, file: &Path) {
        let text = match text::read(file) {
            Ok(text) => text,
            Err(message) => return self.unreadable(file, message),
        };
        match xml::root_name(&text) {
            Some("annotation") if text.contains("<imagesize>") => {
                let (path, found) = (file.to_owned(), "the XML of LabelMe (MIT)");
                let way_out = "convert it with Datumaro: datum convert -if label_me -f coco";
                self.unsupported = Some(FormatError::Unsupported {
                    path,
                    found,
                    way_out,
                });
            }
            Some("annotation") => self.format = Some(Format::PascalVoc),
            Some("annotations") => self.format = Some(Format::Cvat),
            _ => {}
        }
    }

    fn json(&mut self, file: &Path) {
        if let Some(kind) = sniff::coco_file(file) {
            return self.kind(kind, file);
        }
        let text = match text::read(file) {
            Ok(text) => text,
            Err(message) => return self.unreadable(file, message),
        };
        match sniff::json_kind(&text) {
            Ok(kind) => self.kind(kind, file),
            Err(error) => self.unreadable(file, format!("it is not valid JSON: {error}")),
        }
    }

    fn kind(&mut self, kind: Json, file: &Path) {
        self.format = match kind {
            Json::Coco | Json::CocoPanoptic => Some(Format::Coco),
            Json::Datumaro => Some(Format::Datumaro),
            Json::GetiScene => Some(Format::Geti),
            Json::Labelme => Some(Format::Labelme),
            Json::LabelStudio => Some(Format::LabelStudio),
            Json::FiftyOne | Json::FiftyOneDataset => Some(Format::FiftyOne),
            _ => None,
        };
        if let Some((found, way_out)) = unsupported(kind) {
            let path = file.to_owned();
            self.unsupported = Some(FormatError::Unsupported {
                path,
                found,
                way_out,
            });
        }
    }

    fn unreadable(&mut self, file: &Path, message: String) {
        let file = file.to_owned();
        self.unreadable
            .get_or_insert(FormatError::Unreadable { file, message });
    }
}

/// What is known by name only, and the way out.
fn unsupported(kind: Json) -> Option<(&'static str, &'static str)> {
    const TO_COCO: &str = "export it as COCO or Pascal VOC";
    Some(match kind {
        Json::CocoCaptions => (
            "COCO captions",
            "they have no labels; name a file of instances",
        ),
        Json::CocoResults => (
            "a list of COCO results",
            "they are predictions; name the file of annotations",
        ),
        Json::FiftyOneDataset => (
            "a FiftyOne dataset with its schema",
            "export it with FiftyOne as COCODetectionDataset",
        ),
        Json::Labelme => ("labelme", TO_COCO),
        Json::LabelStudio => ("Label Studio JSON", TO_COCO),
        Json::FiftyOne => ("FiftyOne JSON", TO_COCO),
        Json::Via => (
            "a project of the VGG Image Annotator",
            "export it there as COCO",
        ),
        Json::Vott => ("a project of VoTT", "export it there as Pascal VOC"),
        Json::CreateMl => ("CreateML JSON", TO_COCO),
        Json::Cityscapes => ("Cityscapes", TO_COCO),
        Json::Supervisely => ("Supervisely JSON", TO_COCO),
        Json::CvatBackup => (
            "a backup of CVAT",
            "export the task or project there as `CVAT for images 1.1`",
        ),
        Json::Scalabel => ("Scalabel JSON", TO_COCO),
        Json::Coco | Json::CocoPanoptic | Json::Datumaro | Json::GetiScene | Json::Other => {
            return None;
        }
    })
}
