use crate::ImageFormat;

/// Finds the format of an image file from its first bytes; the name plays no part.
///
/// Twelve bytes are enough. Returns `None` for anything that is not an image Straylight reads.
pub fn sniff(bytes: &[u8]) -> Option<ImageFormat> {
    let format = match bytes {
        [0xff, 0xd8, 0xff, ..] => ImageFormat::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ImageFormat::Png,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => ImageFormat::WebP,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ImageFormat::Gif,
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => ImageFormat::Tiff,
        // Two letters alone would take a text that begins with "BM" for an image: the four
        // reserved bytes of the header are zero in every bitmap.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => ImageFormat::Bmp,
        _ => return None,
    };
    Some(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        struct Case(&'static [u8], Option<ImageFormat>);
        for Case(bytes, format) in [
            Case(b"\xff\xd8\xff\xe0", Some(ImageFormat::Jpeg)),
            Case(b"\x89PNG\r\n\x1a\n", Some(ImageFormat::Png)),
            Case(b"RIFF\0\0\0\0WEBPVP8 ", Some(ImageFormat::WebP)),
            Case(b"RIFF\0\0\0\0WAVEfmt ", None),
            Case(b"GIF89a", Some(ImageFormat::Gif)),
            Case(b"II\x2a\0", Some(ImageFormat::Tiff)),
            Case(b"MM\0\x2a", Some(ImageFormat::Tiff)),
            Case(b"BM\x36\0\0\0\0\0\0\0", Some(ImageFormat::Bmp)),
            Case(b"BMW drives by", None),
            Case(b"", None),
        ] {
            assert_eq!(sniff(bytes), format, "{bytes:?}");
        }
    }
}
