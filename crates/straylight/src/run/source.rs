use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use straylight_geti::GetiError;
use straylight_sources::{Frames, SourceError, SourceOptions, Spec, open_files, open_spec};

use crate::platform::{Platform, dataset_frames};

/// What a dataset's name begins with.
const DATASET: &str = "dataset:";

/// The most sources of one run: each has threads and queues of its own.
const MOST_SOURCES: usize = 64;

/// The greatest length of a source's name in characters.
const LONGEST_NAME: usize = 100;

/// A source cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file, folder, stream or camera.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A dataset of a server or of the local store.
    #[error(transparent)]
    Server(#[from] GetiError),
    /// A dataset is named and no server.
    #[error(
        "`{0}` is a dataset: say of which server (GETI_HOST and GETI_TOKEN, or --server FILE) or \
         of which local store (--store FOLDER)"
    )]
    NoServer(String),
    /// There are not as many names as sources.
    #[error("there are {sources} sources and {names} names: give each source a name, or none")]
    NameCount {
        /// How many sources there are; image files count as one.
        sources: usize,
        /// How many names there are.
        names: usize,
    },
    /// A name that cannot be one.
    #[error(
        "`{0}` cannot be a source's name: it has 1 to {LONGEST_NAME} characters, none of them a control character"
    )]
    BadName(String),
    /// Two sources have the same name.
    #[error("two sources are named `{0}`: names tell cameras apart")]
    SameName(String),
    /// There are more sources than one run takes.
    #[error(
        "{0} sources are too many for one run: at most {MOST_SOURCES}; name a folder that holds the files, or run several processes"
    )]
    TooMany(usize),
}

/// A source that is open.
#[derive(Debug)]
pub struct OpenedSource {
    /// What it is called, different from all others of the run.
    pub name: String,
    /// What the user wrote.
    pub text: String,
    /// Its images.
    pub frames: Frames,
    /// Whether the images have times of their own (a video file), which limits of hooks should
    /// then follow.
    pub is_recording: bool,
    /// Whether it is a camera or a stream, which does not wait; everything else can be read later.
    pub is_live: bool,
}

/// What a user named, understood but not open.
enum Named {
    Dataset(String),
    /// Image files, which are one source.
    Files(Vec<PathBuf>),
    Other(Spec),
}

impl Named {
    fn parse(text: &str) -> Result<Self, SourceError> {
        if let Some(dataset) = text.strip_prefix(DATASET) {
            return Ok(Self::Dataset(dataset.to_owned()));
        }
        Ok(match Spec::parse(text)? {
            Spec::File(path) => Self::Files(vec![path]),
            spec => Self::Other(spec),
        })
    }

    fn short_name(&self) -> String {
        match self {
            Self::Dataset(name) => name.clone(),
            Self::Files(paths) => match paths.as_slice() {
                [path] => Spec::File(path.clone()).short_name(),
                _ => "files".to_owned(),
            },
            Self::Other(spec) => spec.short_name(),
        }
    }

    fn open(
        self,
        text: &str,
        options: &SourceOptions,
        platform: Option<&Arc<Platform>>,
    ) -> Result<OpenedSource, OpenError> {
        let opened = |frames, is_recording, is_live| OpenedSource {
            name: options.name.clone().unwrap_or_default(),
            text: text.to_owned(),
            frames,
            is_recording,
            is_live,
        };
        Ok(match self {
            Self::Dataset(name) => {
                let platform = platform.ok_or_else(|| OpenError::NoServer(text.to_owned()))?;
                opened(dataset_frames(platform, &name, options)?, false, false)
            }
            Self::Files(paths) => opened(open_files(paths, options), false, false),
            Self::Other(spec) => {
                let (is_recording, is_live) = (spec.is_recording(), spec.is_live());
                opened(open_spec(spec, options)?, is_recording, is_live)
            }
        })
    }
}

/// Opens what a user names: everything that [`Spec::parse`] knows, and `dataset:PROJECT/DATASET`.
///
/// Image files are one source together, in their order. `names` has a name for each source, or
/// nothing: then each gets [`Spec::short_name`], with a number behind it where two would be the same.
pub fn open_sources(
    texts: &[String],
    names: &[String],
    options: &SourceOptions,
    platform: Option<&Arc<Platform>>,
) -> Result<Vec<OpenedSource>, OpenError> {
    let sources = understand(texts)?;
    if sources.len() > MOST_SOURCES {
        return Err(OpenError::TooMany(sources.len()));
    }
    let names = if names.is_empty() {
        different(sources.iter().map(|(_, named)| named.short_name()))
    } else {
        checked(names, sources.len())?
    };
    let open = |((text, named), name): ((String, Named), String)| {
        let options = SourceOptions {
            name: Some(name),
            ..options.clone()
        };
        named.open(&text, &options, platform)
    };
    sources.into_iter().zip(names).map(open).collect()
}

/// The sources in the order of the texts; all image files are in the place of the first.
fn understand(texts: &[String]) -> Result<Vec<(String, Named)>, SourceError> {
    let mut sources: Vec<(String, Named)> = Vec::new();
    for text in texts {
        let named = Named::parse(text)?;
        let files = sources.iter_mut().find_map(|(_, named)| match named {
            Named::Files(files) => Some(files),
            _ => None,
        });
        match (named, files) {
            (Named::Files(more), Some(files)) => files.extend(more),
            (named, _) => sources.push((text.clone(), named)),
        }
    }
    Ok(sources)
}

fn checked(names: &[String], sources: usize) -> Result<Vec<String>, OpenError> {
    if names.len() != sources {
        return Err(OpenError::NameCount {
            sources,
            names: names.len(),
        });
    }
    for (index, name) in names.iter().enumerate() {
        let length = name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || name.chars().any(char::is_control) {
            return Err(OpenError::BadName(name.escape_debug().to_string()));
        }
        if names.iter().take(index).any(|other| other == name) {
            return Err(OpenError::SameName(name.clone()));
        }
    }
    Ok(names.to_vec())
}

fn different(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    let numbered = names.map(|name| {
        let count = counts.entry(name.clone()).or_insert(0);
        *count += 1;
        match *count {
            1 => name,
            count => format!("{name}-{count}"),
        }
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_made_different() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(checked(&names(&["a", "b"]), 2).unwrap(), ["a", "b"]);
        for (wrong, sources) in [(&["a"][..], 2), (&["a", "a"], 2), (&[""], 1), (&["a\n"], 1)] {
            assert!(checked(&names(wrong), sources).is_err(), "{wrong:?}");
        }
        let made = different(["x", "x", "y"].map(str::to_owned).into_iter());
        assert_eq!(made, ["x", "x-2", "y"]);
    }

    #[test]
    fn image_files_are_one_source() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, [0xff, 0xd8, 0xff, 0xe0]).unwrap();
            path.display().to_string()
        };
        let texts = [file("a.jpg"), "rtsp://cam/1".to_owned(), file("b.jpg")];
        let sources = understand(&texts).unwrap();
        assert_eq!(sources.len(), 2);
        assert!(matches!(&sources[0].1, Named::Files(files) if files.len() == 2));
    }
}
