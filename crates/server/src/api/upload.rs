//! Reading an uploaded image: its name, its bytes within a budget of memory, its pixels.

use axum::extract::{FromRequest, Multipart, Request};
use straylight_core::ImageFormat;
use straylight_geti::wire::{IMAGE_EXTENSIONS, MAX_IMAGE_SIDE, MIN_IMAGE_SIDE};
use straylight_image::DecodeLimits;
use straylight_store::NewImage;
use tokio::sync::SemaphorePermit;

use super::extract::{timeout, too_large};
use super::{ApiError, ApiResult};
use crate::app::{App, Shared};
use crate::config::Limits;

/// The parts of an upload.
pub(super) struct Upload<'a> {
    pub(super) file_name: String,
    pub(super) bytes: Vec<u8>,
    /// The text part `upload_info`, if there is one.
    pub(super) info: Option<String>,
    /// Gives the memory back when the image is stored.
    _memory: SemaphorePermit<'a>,
}

/// Reads a multipart body with a part `file`.
pub(super) async fn read(app: &Shared, request: Request) -> ApiResult<Upload<'_>> {
    let limits = &app.config.limits;
    let length = content_length(&request).unwrap_or(limits.image_bytes);
    // Boundaries and part headers come on top of the file.
    if length > limits.image_bytes.saturating_add(64 << 10) {
        return Err(too_large(limits.image_bytes));
    }
    let kib = (length / 1024 + 1).min(limits.memory_bytes / 1024);
    let memory = app.memory.acquire_many(kib as u32).await;
    let memory = memory.map_err(|_| ApiError::Busy)?;
    let multipart = Multipart::from_request(request, app).await;
    let multipart = multipart.map_err(|e| ApiError::bad(e.body_text()))?;
    let (file_name, bytes, info) = parts(multipart, limits).await?;
    Ok(Upload {
        file_name,
        bytes,
        info,
        _memory: memory,
    })
}

fn content_length(request: &Request) -> Option<u64> {
    let value = request.headers().get(axum::http::header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

async fn parts(
    mut multipart: Multipart,
    limits: &Limits,
) -> ApiResult<(String, Vec<u8>, Option<String>)> {
    let (mut file, mut info) = (None, None);
    loop {
        let next = tokio::time::timeout(limits.body_timeout, multipart.next_field()).await;
        let Some(mut field) = next.map_err(|_| timeout())?.map_err(malformed)? else {
            break;
        };
        let limit = match field.name() {
            Some("file") => limits.image_bytes,
            _ => 64 << 10,
        };
        let name = field.file_name().map(str::to_owned);
        let is_info = field.name() == Some("upload_info");
        let mut bytes = Vec::new();
        loop {
            let chunk = tokio::time::timeout(limits.body_timeout, field.chunk()).await;
            let Some(chunk) = chunk.map_err(|_| timeout())?.map_err(malformed)? else {
                break;
            };
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(too_large(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        if is_info {
            info = String::from_utf8(bytes).ok();
        } else {
            file = Some((name.unwrap_or_default(), bytes));
        }
    }
    let (name, bytes) = file.ok_or_else(|| ApiError::media("The part `file` is missing"))?;
    Ok((name, bytes, info))
}

#[allow(clippy::needless_pass_by_value)]
pub(super) fn malformed(error: axum::extract::multipart::MultipartError) -> ApiError {
    ApiError::bad(format!(
        "The multipart body is malformed: {}",
        error.body_text()
    ))
}

/// Checks name and pixels of an image file and makes it what the store takes.
///
/// JPEG, PNG, WebP and BMP are kept byte for byte. TIFF, which browsers do not show, becomes
/// PNG, so that no pixel changes.
pub(super) fn to_image(app: &App, file_name: &str, bytes: Vec<u8>) -> ApiResult<NewImage> {
    let name = check_name(file_name)?;
    let limits = DecodeLimits {
        max_pixels: app.config.limits.image_pixels,
        max_file_bytes: app.config.limits.image_bytes,
    };
    let bad = |e: straylight_image::ImageError| ApiError::media(e.to_string());
    let (image, format) = straylight_image::decode_with(&bytes, &limits).map_err(bad)?;
    let sides = [image.width(), image.height()];
    if sides
        .iter()
        .any(|s| !(MIN_IMAGE_SIDE..=MAX_IMAGE_SIDE).contains(s))
    {
        let message = format!(
            "An image of {} x {} pixels is not taken: each side must have {MIN_IMAGE_SIDE} to {MAX_IMAGE_SIDE}",
            sides[0], sides[1]
        );
        return Err(ApiError::media(message));
    }
    let size = (image.width(), image.height());
    let (bytes, format) = match format {
        ImageFormat::Tiff => (
            straylight_image::encode_png(&image).map_err(bad)?,
            ImageFormat::Png,
        ),
        ImageFormat::Gif => return Err(ApiError::media("GIF files are not taken")),
        kept => (bytes, kept),
    };
    Ok(NewImage::new(&name, bytes.into(), format, size))
}

/// The name of an image: that of its file without directories and without its last extension.
fn check_name(file_name: &str) -> ApiResult<String> {
    let (name, extension) = split_name(file_name)?;
    if !IMAGE_EXTENSIONS.contains(&extension.as_str()) {
        let known = IMAGE_EXTENSIONS.join(", ");
        return Err(ApiError::media(format!(
            "The file's extension must be one of {known}"
        )));
    }
    Ok(name)
}

/// The printable base of a file's name without directories, and its extension in lower case.
pub(super) fn split_name(file_name: &str) -> ApiResult<(String, String)> {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let Some((stem, extension)) = base.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
        return Err(ApiError::media(
            "The file's name needs a base and an extension",
        ));
    };
    let printable: String = stem.chars().filter(|c| !c.is_control()).collect();
    if printable.is_empty() {
        Err(ApiError::media(
            "The file's name has no printable character",
        ))
    } else {
        Ok((printable, extension.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_keep_a_directory() {
        struct Case(&'static str, Option<&'static str>);
        for Case(file, name) in [
            Case("a.jpg", Some("a")),
            Case("a.b.PNG", Some("a.b")),
            Case("../../etc/passwd.png", Some("passwd")),
            Case("C:\\x\\y.bmp", Some("y")),
            Case("Küste\u{0}\n.jpeg", Some("Küste")),
            Case(".jpg", None),
            Case("a", None),
            Case("a.exe", None),
            Case("\u{1}.jpg", None),
            Case("", None),
        ] {
            assert_eq!(check_name(file).ok().as_deref(), name, "{file}");
        }
    }
}
