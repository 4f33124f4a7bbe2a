use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use straylight_core::ImageFormat;
use straylight_store::{Added, Collected, NewImage, Store, StoreError};

use super::{Action, ActionError, Delivery};
use crate::clock::lock;
use crate::config::{ActionConfig, LocalDatasetConfig};
use crate::event::Event;

/// A local store that is open, or that is opened when the first event arrives.
#[derive(Clone)]
pub enum LocalStore {
    /// An open store, shared with others.
    Open(Arc<Store>),
    /// The folder of a store.
    Folder(PathBuf),
}

/// Adds images to a dataset of the local store, with prediction, score and reason.
///
/// The dataset is created when it is missing. An image goes in once, however often its delivery
/// is tried: the store knows its key. Nor does an image go in whose file is in the dataset already,
/// so that a folder or a video may be run again.
pub struct LocalDatasetCollection {
    store: Mutex<LocalStore>,
    dataset_id: Mutex<Option<String>>,
    already_there: AtomicU64,
    config: LocalDatasetConfig,
}

impl LocalDatasetCollection {
    /// Collects into the dataset `dataset` of the project whose name or id is `project`.
    pub fn new(store: LocalStore, project: &str, dataset: &str) -> Self {
        let store_folder = match &store {
            LocalStore::Open(store) => store.root().to_owned(),
            LocalStore::Folder(folder) => folder.clone(),
        };
        let config = LocalDatasetConfig {
            store_folder: Some(store_folder),
            project: project.to_owned(),
            dataset: dataset.to_owned(),
        };
        Self {
            store: Mutex::new(store),
            dataset_id: Mutex::default(),
            already_there: AtomicU64::new(0),
            config,
        }
    }

    fn store(&self) -> Result<Arc<Store>, StoreError> {
        let mut slot = lock(&self.store);
        let store = match &*slot {
            LocalStore::Open(store) => return Ok(Arc::clone(store)),
            LocalStore::Folder(folder) => Arc::new(Store::open(folder)?),
        };
        *slot = LocalStore::Open(Arc::clone(&store));
        Ok(store)
    }

    fn dataset(&self, store: &Store) -> Result<String, ActionError> {
        let mut known = lock(&self.dataset_id);
        if let Some(id) = &*known {
            return Ok(id.clone());
        }
        let project = self.project(store)?;
        let dataset = store
            .get_or_create_dataset(&project, &self.config.dataset)
            .map_err(|error| action_error(&error))?;
        *known = Some(dataset.id.clone());
        Ok(dataset.id)
    }

    fn project(&self, store: &Store) -> Result<String, ActionError> {
        let wanted = &self.config.project;
        let named = store
            .projects_named(wanted)
            .map_err(|error| action_error(&error))?;
        match named.as_slice() {
            [project] => Ok(project.id.clone()),
            [] => {
                let project = store
                    .project(wanted)
                    .map_err(|error| action_error(&error))?;
                Ok(project.id)
            }
            _ => Err(ActionError::permanent(format!(
                "{} projects are named `{wanted}`: give the project's id",
                named.len()
            ))),
        }
    }

    /// Adds the image; `None` for one that somebody deleted since.
    fn add(&self, event: &Event) -> Result<Option<Added>, ActionError> {
        // A store that cannot be opened says nothing about the event: it may be back soon.
        let store = self.store().map_err(ActionError::transient)?;
        let image = new_image(event)?;
        let mut added = store.add_image(&self.dataset(&store)?, &image);
        if let Err(StoreError::NotFound { .. }) = added {
            // The dataset was removed meanwhile; collecting goes on in a new one.
            *lock(&self.dataset_id) = None;
            added = store.add_image(&self.dataset(&store)?, &image);
        }
        match added {
            Ok(added) => Ok(Some(added)),
            // Somebody deleted it after the hook had fired, and wants it nowhere.
            Err(StoreError::Deleted) => Ok(None),
            Err(error) => Err(action_error(&error)),
        }
    }
}

/// The store's own word on whether trying again can help.
fn action_error(error: &StoreError) -> ActionError {
    if error.is_transient() {
        ActionError::transient(error)
    } else {
        ActionError::permanent(error)
    }
}

fn new_image(event: &Event) -> Result<NewImage, ActionError> {
    let encoded = event.picture.encoded()?;
    let size = event.picture.size()?;
    let (format, bytes): (ImageFormat, _) = (encoded.format, Arc::clone(&encoded.bytes));
    let name = if event.name.is_empty() {
        "image"
    } else {
        &event.name
    };
    let mut new = NewImage::new(name, bytes, format, size).with_prediction(&event.prediction);
    new.captured_at = Some(event.captured_at);
    new.source = event.source.as_deref().map(str::to_owned);
    new.idempotency_key = Some(event.key().to_owned());
    new.once = true;
    new.decided_at = Some(event.fired_at);
    new.collected = Some(collected(event));
    Ok(new)
}

fn collected(event: &Event) -> Collected {
    Collected {
        hook: event.hook.to_string(),
        reason: event.reason.to_string(),
        ood_score: event.ood_score,
        scores: [(event.trigger.to_string(), event.score)].into(),
        uncertainty: None,
    }
}

impl fmt::Debug for LocalDatasetCollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalDatasetCollection({:?})", self.config)
    }
}

impl Action for LocalDatasetCollection {
    fn name(&self) -> &'static str {
        "LocalDatasetCollection"
    }

    fn sink(&self) -> String {
        let folder = self
            .config
            .store_folder
            .as_deref()
            .unwrap_or(std::path::Path::new("."));
        format!("store {}", folder.display())
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        if let Some(Added::SameFile(_)) = self.add(event)? {
            self.already_there.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn already_there(&self) -> u64 {
        self.already_there.load(Ordering::Relaxed)
    }

    fn is_delivered(&self, _event: &Event) -> Result<Delivery, ActionError> {
        // Adding again is the question and the answer at once: the store knows the key.
        Ok(Delivery::Unknown)
    }

    fn config(&self) -> Option<ActionConfig> {
        Some(ActionConfig::LocalDatasetCollection(self.config.clone()))
    }
}

#[cfg(test)]
mod tests {
    use straylight_core::TaskType;
    use straylight_store::{ImageFilter, ImageSort, NewProject, Page, SortDirection};

    use super::*;
    use crate::testing::event_with;

    #[test]
    fn an_image_is_in_the_dataset_once_with_its_score() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let project = NewProject::single("p", TaskType::Classification, &["dog", "cat"]);
        let project = store.create_project(&project).unwrap();
        let action =
            LocalDatasetCollection::new(LocalStore::Open(Arc::clone(&store)), "p", "strays");
        for (id, name) in [(1, "a"), (2, "b"), (1, "a")] {
            action.perform(&event_with(id, name)).unwrap();
        }
        assert_eq!(action.already_there(), 0, "the same event again is a retry");
        action.perform(&event_with(3, "a")).unwrap();
        assert_eq!(
            action.already_there(),
            1,
            "the same file in another run is not added"
        );
        let dataset = store.dataset_named(&project.id, "strays").unwrap().unwrap();
        let page = store.images(
            &dataset.id,
            &ImageFilter::default(),
            (ImageSort::default(), SortDirection::default()),
            Page::first(9),
        );
        let images = page.unwrap().images;
        assert_eq!(images.len(), 2);
        assert_eq!(images[0].ood_score, Some(0.93));
        store.delete_dataset(&dataset.id).unwrap();
        action.perform(&event_with(4, "b")).unwrap();
        assert!(
            store
                .dataset_named(&project.id, "strays")
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn a_project_that_is_not_there_is_a_permanent_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::Folder(folder.path().to_owned());
        let action = LocalDatasetCollection::new(store, "nowhere", "strays");
        let error = action.perform(&event_with(1, "a")).unwrap_err();
        assert_eq!(error.kind(), crate::ActionErrorKind::Permanent);
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
}
