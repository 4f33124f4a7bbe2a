//! Reading an uploaded image: its name, its bytes within a budget of memory, its pixels.

use axum::extract::Request;
use axum::extract::multipart::MultipartError;
use axum::http::StatusCode;
use straylight_core::ImageFormat;
use straylight_geti::wire::{ErrorCode, IMAGE_EXTENSIONS, MAX_IMAGE_SIDE, MIN_IMAGE_SIDE};
use straylight_image::DecodeLimits;
use straylight_store::NewImage;

use super::extract::unread;
use super::parts::{AROUND, is_head_too_long, parts};
use super::spool::{Held, Spool};
use super::{ApiError, ApiResult};
use crate::app::{App, Shared};

/// The parts of an upload.
pub(super) struct Upload {
    pub(super) file_name: String,
    pub(super) content: Held,
    /// The text part `upload_info`, if there is one.
    pub(super) info: Option<String>,
}

/// Reads a multipart body with a part `file`.
pub(super) async fn read(app: &Shared, request: Request) -> ApiResult<Upload> {
    let mut multipart = parts(app, request, app.config.limits.image_bytes).await?;
    let (mut file, mut info) = (None, None);
    while let Some(mut field) = multipart.next_field().await.map_err(malformed)? {
        let is_info = field.name() == Some("upload_info");
        let limit = match field.name() {
            Some("file") => app.config.limits.image_bytes,
            _ => AROUND,
        };
        let name = field.file_name().map(str::to_owned);
        let mut spool = Spool::new(app, limit);
        while let Some(part) = field.chunk().await.map_err(malformed)? {
            spool.push(&part).await?;
        }
        if is_info {
            info = String::from_utf8(spool.finish().await?.to_vec()).ok();
        } else {
            file = Some((name.unwrap_or_default(), spool));
        }
    }
    let (file_name, spool) = file.ok_or_else(|| ApiError::media("The part `file` is missing"))?;
    Ok(Upload {
        file_name,
        content: spool.finish().await?,
        info,
    })
}

#[allow(clippy::needless_pass_by_value)]
pub(super) fn malformed(error: MultipartError) -> ApiError {
    if is_head_too_long(&error) {
        return ApiError::bad(format!("The head of a part is longer than {AROUND} bytes"));
    }
    match unread(&error) {
        slow @ ApiError::Status(..) => slow,
        _ if error.status() == StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
            ErrorCode::PayloadTooLarge,
            "The upload is larger than is allowed",
        ),
        _ => {
            let text = error.body_text();
            ApiError::bad(format!("The multipart body is malformed: {text}"))
        }
    }
}

/// Checks name and pixels of an image file and makes it what the store takes.
///
/// JPEG, PNG, WebP and BMP are kept byte for byte. TIFF, which browsers do not show, becomes
/// PNG, so that no pixel changes.
pub(super) fn to_image(app: &App, file_name: &str, bytes: &[u8]) -> ApiResult<NewImage> {
    let name = check_name(file_name)?;
    let limits = DecodeLimits {
        max_pixels: app.config.limits.image_pixels,
        max_file_bytes: app.config.limits.image_bytes,
    };
    let bad = |e: straylight_image::ImageError| ApiError::media(e.to_string());
    let (image, format) = straylight_image::decode_with(bytes, &limits).map_err(bad)?;
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
            straylight_image::encode_png(&image).map_err(bad)?.into(),
            ImageFormat::Png,
        ),
        ImageFormat::Gif => return Err(ApiError::media("GIF files are not taken")),
        kept => (bytes.into(), kept),
    };
    Ok(NewImage::new(&name, bytes, format, size))
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
