use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use straylight_store::{ImageRecord, Review, StoredAnnotation};

use crate::api::ApiResult;
use crate::app::App;

/// Decisions that can be taken back.
const KEPT: usize = 200;

/// How an image was before a decision.
pub(crate) struct Before {
    image_id: String,
    dataset_id: String,
    review: Review,
    annotation: Option<Vec<StoredAnnotation>>,
}

/// The last decisions, the newest at the end.
#[derive(Default)]
pub(crate) struct UndoLog(Mutex<VecDeque<Before>>);

impl UndoLog {
    /// Notes how an image is, before something is done to it.
    pub(super) fn note(&self, app: &App, image: &ImageRecord) -> ApiResult<()> {
        let before = Before {
            image_id: image.id.clone(),
            dataset_id: image.dataset_id.clone(),
            review: image.review,
            annotation: app.store.annotation(&image.id)?.map(|s| s.annotations),
        };
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(before);
        Ok(())
    }

    /// Takes the last decision back; the image that it was about, or `None` when there is none.
    pub(super) fn undo(&self, app: &App) -> ApiResult<Option<String>> {
        let last = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_back();
        let Some(before) = last else {
            return Ok(None);
        };
        let id = &before.image_id;
        app.store.move_image(id, &before.dataset_id)?;
        app.store.set_review(id, before.review)?;
        match &before.annotation {
            Some(annotations) => drop(app.store.set_annotation(id, annotations)?),
            None => app.store.remove_annotation(id)?,
        }
        Ok(Some(before.image_id))
    }
}
