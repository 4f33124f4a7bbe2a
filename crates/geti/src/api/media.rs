use std::collections::HashSet;
use std::time::Duration;

use super::dataset::DatasetApi;
use super::pages::{self, Cursor, Page, Paging};
use super::session::gone_is_deleted;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Method, Request, Target, encode, escape};
use crate::wire::{Id, Media, MediaKind, MediaPage, MediaQuery, PreprocessingStatus, Rule};

/// How often an image is asked whether it is prepared, once a second.
const PREPARING_ATTEMPTS: u32 = 60;

impl DatasetApi {
    /// All images of the dataset, in the order of the server.
    pub fn images(&self) -> Result<Vec<Media>, GetiError> {
        self.media(MediaKind::Image)
    }

    /// All videos of the dataset, in the order of the server.
    pub fn videos(&self) -> Result<Vec<Media>, GetiError> {
        self.media(MediaKind::Video)
    }

    /// The identifiers of images that people rejected at a server of Straylight; none elsewhere.
    pub fn rejected_images(&self) -> Result<HashSet<Id>, GetiError> {
        let mut query = MediaQuery::of_kind(MediaKind::Image);
        query.rules.push(Rule::new("REVIEW", "EQUAL", "rejected"));
        match self.media_by(&query, MediaKind::Image) {
            Ok(rejected) => Ok(rejected.into_iter().map(|image| image.id).collect()),
            // Other servers know no such rule, and no such decision.
            Err(error) if matches!(error.status(), Some(400 | 422)) => Ok(HashSet::new()),
            Err(error) => Err(error),
        }
    }

    /// One image.
    pub fn image(&self, id: &str) -> Result<Media, GetiError> {
        let path = self.path(&format!("/media/images/{}", encode(id)));
        self.project().geti().transport().json(&Request::get(path))
    }

    /// Deletes an image with its annotations; one that is gone already is no error.
    pub fn delete_image(&self, id: &str) -> Result<(), GetiError> {
        self.delete_media(&format!("/media/images/{}", encode(id)))
    }

    /// Deletes a video with its annotations; one that is gone already is no error.
    pub fn delete_video(&self, id: &str) -> Result<(), GetiError> {
        self.delete_media(&format!("/media/videos/{}", encode(id)))
    }

    fn delete_media(&self, path: &str) -> Result<(), GetiError> {
        let request = Request::delete(self.path(path));
        gone_is_deleted(self.project().geti().transport().done(&request))
    }

    fn media(&self, kind: MediaKind) -> Result<Vec<Media>, GetiError> {
        self.media_by(&MediaQuery::of_kind(kind), kind)
    }

    fn media_by(&self, query: &MediaQuery, kind: MediaKind) -> Result<Vec<Media>, GetiError> {
        let limit = u64::from(self.project().geti().options().media_a_page.clamp(1, 1000));
        let what = if kind == MediaKind::Video {
            "videos"
        } else {
            "images"
        };
        let first = Target::Api(self.path(&format!("/media:query?limit={limit}")));
        pages::read_all(
            what,
            Paging::ByLink,
            limit,
            |media: &Media| &media.id,
            |cursor| {
                let target = match cursor {
                    Cursor::Skip(_) => first.clone(),
                    Cursor::Next(target) => target.clone(),
                };
                self.media_page(target, query, kind)
            },
        )
    }

    fn media_page(
        &self,
        target: Target,
        query: &MediaQuery,
        kind: MediaKind,
    ) -> Result<Page<Media>, GetiError> {
        // A query changes nothing, although it is a POST.
        let request = Request::new(Method::Post, target)
            .repeatable()
            .json(query)?;
        let page: MediaPage = self.project().geti().transport().json(&request)?;
        let total = match kind {
            MediaKind::Image => page.total_matched_images,
            MediaKind::Video => page.total_matched_videos,
            MediaKind::VideoFrame => page.total_matched_video_frames,
        };
        let next = page
            .next_page
            .as_deref()
            .map(|url| self.next_page(url))
            .transpose()?;
        Ok(Page {
            items: page.media,
            total,
            next,
        })
    }

    /// Where the next page is; it must be a query of this server again.
    fn next_page(&self, url: &str) -> Result<Target, GetiError> {
        match self.project().geti().own_target(url)? {
            Target::Api(path) if path.contains("media:query") => Ok(Target::Api(path)),
            _ => Err(GetiError::new(
                ErrorKind::Pages,
                "the next page is not a page of media",
            )),
        }
    }

    /// The image of this name that was uploaded last; `None` if there is none.
    pub fn image_named(&self, name: &str) -> Result<Option<Media>, GetiError> {
        let by_kind = MediaQuery::of_kind(MediaKind::Image);
        let mut by_name = by_kind.clone();
        by_name.rules.push(Rule::new("MEDIA_NAME", "EQUAL", name));
        let page = match self.latest_images(&by_name) {
            // A server that knows no such rule still has the image among the latest.
            Err(error) if error.status() == Some(400) => self.latest_images(&by_kind)?,
            result => result?,
        };
        let travelled = escape(name);
        Ok(page
            .into_iter()
            .find(|media| media.name == name || media.name == travelled))
    }

    fn latest_images(&self, query: &MediaQuery) -> Result<Vec<Media>, GetiError> {
        let path = "/media:query?limit=1000&sort_by=media_upload_date&sort_direction=dsc";
        let page = self.media_page(Target::Api(self.path(path)), query, MediaKind::Image)?;
        Ok(page.items)
    }

    /// Waits until the server has prepared an image that it took for later, at most a minute.
    ///
    /// Size and annotations are there only then.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if the server cannot prepare it, [`ErrorKind::Timeout`] if it
    /// takes longer.
    pub fn wait_until_prepared(&self, image: Media) -> Result<Media, GetiError> {
        let mut image = image;
        for _ in 0..PREPARING_ATTEMPTS {
            let size = &image.media_information;
            let status = image.preprocessing.as_ref().map(|p| &p.status);
            if status.is_some_and(|status| status.is(&PreprocessingStatus::Failed)) {
                let message = format!("the server cannot prepare the image `{}`", image.name);
                return Err(GetiError::new(ErrorKind::Refused, message));
            }
            let finished = status.is_none_or(|status| status.is(&PreprocessingStatus::Finished));
            if finished && size.width > 0 && size.height > 0 {
                return Ok(image);
            }
            self.project().geti().clock().sleep(Duration::from_secs(1));
            image = self.image(&image.id)?;
        }
        let message = format!("the server has not prepared `{}` in a minute", image.name);
        Err(GetiError::new(ErrorKind::Timeout, message))
    }
}
