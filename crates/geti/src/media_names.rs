//! Names of image files, and what a server makes of them.

use straylight_core::ImageFormat;

/// How many of a file's first bytes tell its format.
pub(crate) const SNIFFED: usize = 16;

/// Whether a server takes images of this format.
pub(crate) fn is_accepted(format: ImageFormat) -> bool {
    format != ImageFormat::Gif
}

/// The extensions (lower case) under which files of this format go.
fn extensions(format: ImageFormat) -> &'static [&'static str] {
    match format {
        ImageFormat::Jpeg => &["jpg", "jpeg", "jfif"],
        ImageFormat::Png => &["png"],
        ImageFormat::WebP => &["webp"],
        ImageFormat::Bmp => &["bmp"],
        ImageFormat::Tiff => &["tif", "tiff"],
        ImageFormat::Gif => &["gif"],
        _ => &[],
    }
}

/// Every extension of an image file.
pub(crate) const ALL_EXTENSIONS: [&str; 9] = [
    "jpg", "jpeg", "jfif", "png", "webp", "bmp", "tif", "tiff", "gif",
];

/// A file name whose extension says what the file is.
///
/// A right extension stays, a wrong one of another image format is replaced, and whatever else
/// stands after the last dot belongs to the name: `a.b` of a PNG becomes `a.b.png`.
pub(crate) fn true_name(name: &str, format: ImageFormat) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let lower = extension.to_ascii_lowercase();
    if !stem.is_empty() && extensions(format).contains(&lower.as_str()) {
        return name.to_owned();
    }
    let is_image = !stem.is_empty() && ALL_EXTENSIONS.contains(&lower.as_str());
    let stem = if is_image { stem } else { name };
    format!("{stem}.{}", format.extension())
}

/// The name that a server gives to an image sent under this name: without an image extension.
///
/// Whatever [`true_name`] makes of the name, the server drops the extension again.
pub(crate) fn stem_of(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && ALL_EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) =>
        {
            stem
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_their_true_extension() {
        struct Case(&'static str, ImageFormat, &'static str);
        for Case(name, format, named) in [
            Case("a.jpg", ImageFormat::Jpeg, "a.jpg"),
            Case("a.JPG", ImageFormat::Jpeg, "a.JPG"),
            Case("a.jpeg", ImageFormat::Jpeg, "a.jpeg"),
            Case("a.jpg", ImageFormat::Png, "a.png"),
            Case("a", ImageFormat::Png, "a.png"),
            Case("a.b", ImageFormat::Png, "a.b.png"),
            Case("v1.2026", ImageFormat::Tiff, "v1.2026.tiff"),
            Case(".png", ImageFormat::Png, ".png.png"),
        ] {
            assert_eq!(true_name(name, format), named);
            assert_eq!(
                named.rsplit_once('.').map(|(stem, _)| stem),
                Some(stem_of(name))
            );
        }
    }
}
