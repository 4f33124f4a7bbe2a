use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::RgbImage;

/// The file formats in which an image may have come to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageFormat {
    /// JPEG, any colour space.
    Jpeg,
    /// PNG, any bit depth.
    Png,
    /// WebP, lossy or lossless.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// TIFF, first page.
    Tiff,
    /// GIF, first frame.
    Gif,
}

impl ImageFormat {
    /// All formats, the most usual first.
    pub const ALL: [Self; 6] = [
        Self::Png,
        Self::Jpeg,
        Self::WebP,
        Self::Bmp,
        Self::Tiff,
        Self::Gif,
    ];

    /// The usual file extension without its dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::Gif => "gif",
        }
    }
}

/// The bytes of an image file as they were before decoding.
#[derive(Clone)]
pub struct EncodedImage {
    /// The file's format, found from its first bytes, never from its name.
    pub format: ImageFormat,
    /// The whole file.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for EncodedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EncodedImage({:?}, {} bytes)",
            self.format,
            self.bytes.len()
        )
    }
}

/// The 256-bit BLAKE3 hash of an image's content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of a byte string.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// Decodes a file of which a smaller picture is there to its whole image of this width and height.
pub type WholeDecoder = fn(&EncodedImage, &RgbImage, (u32, u32)) -> RgbImage;

/// One image on its way through Straylight: pixels, name, source and time.
///
/// Cheap to clone: pixels and original bytes are shared. The name is what the source calls
/// the image (a file stem, a frame number); it need not be unique.
#[derive(Debug, Clone)]
pub struct Frame {
    pixels: Arc<Pixels>,
    name: Arc<str>,
    source: Option<Arc<str>>,
    captured_at: Timestamp,
    encoded: Option<EncodedImage>,
    hash: Arc<OnceLock<ContentHash>>,
}

/// The pixels of a frame.
#[derive(Debug)]
struct Pixels {
    decoded: RgbImage,
    /// Set when the file's image is larger than what was decoded.
    smaller: Option<Smaller>,
}

/// A file's image of which a smaller picture was decoded.
#[derive(Debug)]
struct Smaller {
    size: (u32, u32),
    file: EncodedImage,
    decoder: WholeDecoder,
    whole: OnceLock<RgbImage>,
}

impl Frame {
    /// Wraps decoded pixels; `captured_at` is when the source took or read the image.
    pub fn new(image: RgbImage, name: impl Into<Arc<str>>, captured_at: Timestamp) -> Self {
        let pixels = Pixels {
            decoded: image,
            smaller: None,
        };
        Self::of(pixels, name.into(), captured_at)
    }

    fn of(pixels: Pixels, name: Arc<str>, captured_at: Timestamp) -> Self {
        Self {
            pixels: Arc::new(pixels),
            name,
            source: None,
            captured_at,
            encoded: None,
            hash: Arc::default(),
        }
    }

    /// Wraps a smaller picture of a file's image, whose width and height in pixels are `size`;
    /// `decoder` is called when somebody wants the whole image.
    pub fn smaller(
        picture: RgbImage,
        (file, size, decoder): (EncodedImage, (u32, u32), WholeDecoder),
        name: impl Into<Arc<str>>,
        captured_at: Timestamp,
    ) -> Self {
        let smaller = Smaller {
            size,
            file: file.clone(),
            decoder,
            whole: OnceLock::new(),
        };
        let pixels = Pixels {
            decoded: picture,
            smaller: Some(smaller),
        };
        Self::of(pixels, name.into(), captured_at).with_encoded(file)
    }

    /// Keeps the file's own bytes beside the pixels, so that it can be stored unchanged.
    #[must_use]
    pub fn with_encoded(mut self, encoded: EncodedImage) -> Self {
        self.encoded = Some(encoded);
        self
    }

    /// Says where the image comes from: the name of a camera, folder or file.
    #[must_use]
    pub fn with_source(mut self, source: Arc<str>) -> Self {
        self.source = Some(source);
        self
    }

    /// The whole image; decoded now if only a smaller picture of it was.
    pub fn image(&self) -> &RgbImage {
        let Pixels { decoded, smaller } = &*self.pixels;
        let Some(smaller) = smaller else {
            return decoded;
        };
        let decode = || (smaller.decoder)(&smaller.file, decoded, smaller.size);
        smaller.whole.get_or_init(decode)
    }

    /// The pixels as they were decoded: the whole image or a smaller picture of it.
    pub fn decoded(&self) -> &RgbImage {
        &self.pixels.decoded
    }

    /// Width and height of the whole image in pixels.
    pub fn size(&self) -> (u32, u32) {
        let Pixels { decoded, smaller } = &*self.pixels;
        let whole = || (decoded.width(), decoded.height());
        smaller.as_ref().map_or_else(whole, |smaller| smaller.size)
    }

    /// Bytes of pixels that are in memory now.
    pub fn pixel_bytes(&self) -> u64 {
        let Pixels { decoded, smaller } = &*self.pixels;
        let whole = smaller.as_ref().and_then(|smaller| smaller.whole.get());
        let bytes = |image: &RgbImage| image.data().len() as u64;
        bytes(decoded) + whole.map_or(0, bytes)
    }

    /// What the source calls the image, without directory and extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the source that gave the image, if there is one: it tells cameras apart.
    pub fn source(&self) -> Option<&Arc<str>> {
        self.source.as_ref()
    }

    /// When the image was taken or read.
    pub fn captured_at(&self) -> Timestamp {
        self.captured_at
    }

    /// The original file, if the source had one.
    pub fn encoded(&self) -> Option<&EncodedImage> {
        self.encoded.as_ref()
    }

    /// The hash of the whole image's pixels and their size, computed once and only when asked for.
    ///
    /// Two files that decode to the same pixels have the same hash, whatever their format.
    pub fn content_hash(&self) -> ContentHash {
        *self.hash.get_or_init(|| {
            let image = self.image();
            let mut hasher = blake3::Hasher::new();
            hasher.update(&image.width().to_le_bytes());
            hasher.update(&image.height().to_le_bytes());
            hasher.update(image.data());
            ContentHash(*hasher.finalize().as_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, height: u32) -> Frame {
        let image = RgbImage::filled(width, height, [7, 8, 9]).unwrap();
        Frame::new(image, "a", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_hash_tells_apart_sizes_of_equal_bytes() {
        assert_ne!(frame(2, 3).content_hash(), frame(3, 2).content_hash());
        assert_eq!(frame(2, 3).content_hash(), frame(2, 3).content_hash());
    }

    #[test]
    fn a_smaller_picture_is_decoded_whole_when_it_is_wanted() {
        let file = EncodedImage {
            format: ImageFormat::Jpeg,
            bytes: Arc::from(*b"file"),
        };
        let decoder = |file: &EncodedImage, small: &RgbImage, (width, height)| {
            assert_eq!((&*file.bytes, small.width()), (&b"file"[..], 2));
            RgbImage::filled(width, height, [7, 8, 9]).unwrap()
        };
        let small = RgbImage::filled(2, 1, [1, 2, 3]).unwrap();
        let small = Frame::smaller(small, (file, (4, 2), decoder), "a", Timestamp::UNIX_EPOCH);
        assert_eq!((small.size(), small.pixel_bytes()), ((4, 2), 6));
        assert_eq!(small.content_hash(), frame(4, 2).content_hash());
        assert_eq!(small.decoded().width(), 2);
        assert_eq!(small.image(), frame(4, 2).image());
        assert_eq!(small.pixel_bytes(), 6 + 24);
    }

    #[test]
    fn hexadecimal_form_has_64_digits() {
        assert_eq!(ContentHash([0xab; 32]).to_hex(), "ab".repeat(32));
    }
}
