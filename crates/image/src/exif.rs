//! What a camera wrote beside the pixels: how it was held, and when.

use exif::{DateTime, Exif, In, Reader, Tag, Value};
use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use straylight_core::Timestamp;

use crate::orientation::Orientation;

/// What is taken from an EXIF block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CameraNotes {
    pub(crate) orientation: Orientation,
    pub(crate) taken: Option<Timestamp>,
}

impl CameraNotes {
    /// Reads an EXIF block: a TIFF header and its directories (Exif 2.32).
    ///
    /// The block may begin with `Exif\0\0`, as in JPEG. A broken block means upright and no time,
    /// as in every viewer: the pixels are good even when the camera's notes are not.
    pub(crate) fn of_block(block: &[u8]) -> Self {
        let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
        let mut reader = Reader::new();
        reader.continue_on_error(true);
        let read = reader.read_raw(tiff.to_vec());
        let read = read.or_else(|error| error.distill_partial_result(|_| {}));
        read.map_or_else(|_| Self::default(), |exif| Self::of(&exif))
    }

    fn of(exif: &Exif) -> Self {
        let orientation = exif.get_field(Tag::Orientation, In::PRIMARY);
        let orientation = orientation
            .and_then(|field| field.value.get_uint(0))
            .and_then(|tag| u16::try_from(tag).ok())
            .map_or(Orientation::Upright, Orientation::from_tag);
        let text = |tag| match &exif.get_field(tag, In::PRIMARY)?.value {
            Value::Ascii(parts) => parts.first().cloned(),
            _ => None,
        };
        Self {
            orientation,
            taken: taken(text),
        }
    }
}

/// When the picture was taken: `DateTimeOriginal` with its part of a second and its offset.
///
/// A camera that does not say its offset from UTC is taken to be in this machine's time zone, as
/// photo programs do. `text` looks up a tag.
pub(crate) fn taken(text: impl Fn(Tag) -> Option<Vec<u8>>) -> Option<Timestamp> {
    let mut time = DateTime::from_ascii(&text(Tag::DateTimeOriginal)?).ok()?;
    // What cannot be read of these is unknown, as if it were not there.
    if let Some(part) = text(Tag::SubSecTimeOriginal) {
        let _ = time.parse_subsec(&part);
    }
    if let Some(offset) = text(Tag::OffsetTimeOriginal) {
        let _ = time.parse_offset(&offset);
    }
    timestamp(&time)
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let number = |value: u8| i8::try_from(value).ok();
    let local = civil::DateTime::new(
        i16::try_from(time.year).ok()?,
        number(time.month)?,
        number(time.day)?,
        number(time.hour)?,
        number(time.minute)?,
        number(time.second)?,
        i32::try_from(time.nanosecond.unwrap_or(0)).ok()?,
    );
    let zone = match time.offset {
        Some(minutes) => TimeZone::fixed(Offset::from_seconds(i32::from(minutes) * 60).ok()?),
        None => TimeZone::system(),
    };
    zone.to_timestamp(local.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_orientation_is_found_in_both_byte_orders() {
        let little = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let big = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        let orientation = |block: &[u8]| CameraNotes::of_block(block).orientation;
        assert_eq!(orientation(little), Orientation::Rotate90);
        assert_eq!(orientation(big), Orientation::Rotate270);
        // The rest of a block that is cut off still counts.
        assert_eq!(orientation(&little[..22]), Orientation::Rotate90);
        assert_eq!(orientation(&little[..12]), Orientation::Upright);
    }

    #[test]
    fn times_are_read_with_their_offset() {
        struct Case(
            &'static str,
            Option<&'static str>,
            Option<&'static str>,
            Option<&'static str>,
        );
        let utc = "2024-05-06T05:08:09Z";
        for Case(time, part, offset, wanted) in [
            Case("2024:05:06 07:08:09", None, Some("+02:00"), Some(utc)),
            Case("2024:05:05 23:38:09", None, Some("-05:30"), Some(utc)),
            Case(
                "2024:05:06 05:08:09",
                Some("25"),
                Some("+00:00"),
                Some("2024-05-06T05:08:09.25Z"),
            ),
            Case(
                "2024:05:06 05:08:09",
                Some("   "),
                Some("+00:00"),
                Some(utc),
            ),
            Case("0000:00:00 00:00:00", None, Some("+00:00"), None),
            Case("    :  :     :  :  ", None, None, None),
            Case("2024:13:06 07:08:09", None, Some("+02:00"), None),
            Case("yesterday", None, None, None),
        ] {
            let read = taken(|tag| {
                let text = match tag {
                    Tag::DateTimeOriginal => Some(time),
                    Tag::SubSecTimeOriginal => part,
                    Tag::OffsetTimeOriginal => offset,
                    _ => None,
                };
                text.map(|text| text.as_bytes().to_vec())
            });
            let read = read.map(|time| time.to_string());
            assert_eq!(read.as_deref(), wanted, "{time}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
            let mut block = b"II\x2a\0".to_vec();
            block.extend(bytes);
            CameraNotes::of_block(&block);
        }
    }
}
