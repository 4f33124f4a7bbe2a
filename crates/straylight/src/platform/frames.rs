use std::sync::Arc;

use straylight_core::Timestamp;
use straylight_geti::wire::Media;
use straylight_geti::{DatasetApi, GetiError, Rendition};
use straylight_sources::{
    Content, Feed, Frames, Item, Sink, SourceError, SourceErrorKind, SourceOptions, Stop,
};

use super::Platform;

/// The images of a dataset, `PROJECT/DATASET` or `PROJECT` for the training dataset.
///
/// # Errors
///
/// The project or dataset is not there, or its images cannot be listed. An image that cannot be
/// downloaded is an error among the frames.
pub fn dataset_frames(
    platform: &Arc<Platform>,
    name: &str,
    options: &SourceOptions,
) -> Result<Frames, GetiError> {
    let api = platform.target(name)?;
    let images = api.images()?;
    let place = format!("dataset:{name}");
    let feed = DatasetFeed {
        api,
        images,
        place,
        _platform: Arc::clone(platform),
    };
    Ok(Frames::start(Box::new(feed), options, Stop::default()))
}

/// Downloads one image after the other; those before it are decoded meanwhile.
struct DatasetFeed {
    api: DatasetApi,
    images: Vec<Media>,
    place: String,
    /// The local store is there for as long as its platform is.
    _platform: Arc<Platform>,
}

impl Feed for DatasetFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        for image in &self.images {
            let place = format!("{}: {}", self.place, image.name);
            let item = match self.api.download_image(image, Rendition::Full) {
                Ok(bytes) => Ok(Item {
                    place,
                    content: Content::Bytes {
                        bytes,
                        name: image.name.clone(),
                        captured_at: image.upload_time.map(Timestamp::from).unwrap_or_default(),
                    },
                }),
                Err(error) => {
                    let reason = SourceErrorKind::Download(error.to_string());
                    Err(SourceError::at(place, reason))
                }
            };
            if sink(item).is_break() {
                return;
            }
        }
    }
}
