use super::dataset::DatasetApi;
use super::pages::{self, Cursor, Page, Paging};
use super::session::gone_is_deleted;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Method, Request, Target, encode};
use crate::wire::{Media, MediaKind, MediaPage, MediaQuery, Rule};

impl DatasetApi {
    /// All images of the dataset, in the order of the server.
    pub fn images(&self) -> Result<Vec<Media>, GetiError> {
        self.media(MediaKind::Image)
    }

    /// All videos of the dataset, in the order of the server.
    pub fn videos(&self) -> Result<Vec<Media>, GetiError> {
        self.media(MediaKind::Video)
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
        let limit = u64::from(self.project().geti().options().media_a_page.clamp(1, 1000));
        let query = MediaQuery::of_kind(kind);
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
                self.media_page(target, &query, kind)
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
        let mut query = MediaQuery::of_kind(MediaKind::Image);
        query.rules.push(Rule::new("MEDIA_NAME", "EQUAL", name));
        // Sorted by date, so that a server which knows no such rule still has it on this page.
        let path = "/media:query?limit=100&sort_by=media_upload_date&sort_direction=dsc";
        let page = self.media_page(Target::Api(self.path(path)), &query, MediaKind::Image)?;
        Ok(page.items.into_iter().find(|media| media.name == name))
    }
}
