/// Names a picture format that Straylight does not read, from the first bytes of a file.
///
/// 132 bytes are enough. `None` for everything else, videos among it.
pub fn unread_format(bytes: &[u8]) -> Option<&'static str> {
    let name = match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => return heif_format(brand),
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => "JPEG XL",
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => "JPEG 2000",
        [b'I', b'I', 0xbc, ..] => "JPEG XR",
        [b'8', b'B', b'P', b'S', ..] => "Photoshop",
        [b'F', b'U', b'J', b'I', b'F', b'I', b'L', b'M', ..] => "Fujifilm raw",
        [0x76, 0x2f, 0x31, 0x01, ..] => "OpenEXR",
        [
            b'#',
            b'?',
            b'R',
            b'A',
            b'D',
            b'I',
            b'A',
            b'N',
            b'C',
            b'E',
            ..,
        ] => "Radiance HDR",
        [0, 0, 1, 0, count, 0, ..] if *count > 0 => "Windows icon",
        [b'q', b'o', b'i', b'f', ..] => "QOI",
        [b'D', b'D', b'S', b' ', ..] => "DDS",
        [b'P', b'1'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..] => "PNM",
        [b'%', b'P', b'D', b'F', ..] => "PDF",
        _ if bytes.get(128..132) == Some(b"DICM") => "DICOM",
        _ if is_svg(bytes) => "SVG",
        _ => return None,
    };
    Some(name)
}

/// By the brands of ISO/IEC 23008-12 (HEIF) and of the AVIF specification; the major brand comes
/// first, compatible ones follow its version.
fn heif_format(brands: &[u8]) -> Option<&'static str> {
    match brands.get(..4)? {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some("HEIC")
        }
        b"mif1" | b"msf1" | b"mif2" | b"miaf" => {
            let compatible = brands.get(8..).unwrap_or_default();
            let is_avif = compatible.chunks_exact(4).any(|brand| brand == b"avif");
            Some(if is_avif { "AVIF" } else { "HEIC" })
        }
        b"crx " => Some("Canon raw"),
        b"jxl " => Some("JPEG XL"),
        _ => None,
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    start.starts_with(b"<svg")
        || start.starts_with(b"<?xml") && start.windows(4).take(120).any(|part| part == b"<svg")
}

/// The first bytes of a file for an error message: as text if they are, else in hexadecimal.
pub(crate) fn beginning(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(12)];
    if start.iter().all(|b| (0x20..0x7f).contains(b)) {
        return format!("\"{}\"", String::from_utf8_lossy(start));
    }
    let hex: Vec<String> = start.iter().map(|b| format!("{b:02x}")).collect();
    hex.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_not_read_are_named() {
        struct Case(&'static [u8], Option<&'static str>);
        for Case(bytes, wanted) in [
            Case(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Some("HEIC")),
            Case(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Some("HEIC")),
            Case(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", Some("AVIF")),
            Case(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", Some("AVIF")),
            Case(b"\0\0\0\x20ftypisom\0\0\0\0isom", None),
            Case(b"\0\0\0\x20ftyp", None),
            Case(b"\xff\x0a\xfa", Some("JPEG XL")),
            Case(b"P5 2 2 255\n", Some("PNM")),
            Case(b"Photo", None),
            Case(b"<?xml version='1.0'?>\n<svg width='1'/>", Some("SVG")),
            Case(b"<?xml version='1.0'?>\n<annotation/>", None),
            Case(b"\xff\xd8\xff\xe0", None),
            Case(b"", None),
        ] {
            assert_eq!(unread_format(bytes), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn the_beginning_is_shown_as_text_or_numbers() {
        assert_eq!(beginning(b"<html>"), "\"<html>\"");
        assert_eq!(beginning(b"\x00\xff"), "00 ff");
    }
}
